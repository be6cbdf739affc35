"""Bytes that no client should send, against the listener of a live gateway, beside a client that behaves."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import trio
from hypothesis import example, given, strategies as st
from wsproto.frame_protocol import FrameProtocol, Opcode

from bamboo_gateway.config import Address
from tests.fuzz.hostile_bytes import CONNECT, UPGRADE, frame_bytes, upgrades
from tests.fuzz.neighbour import AT_MOST, neighbourhood
from tests.fuzz.raw_frame import CLOSE, PING, RawFrame
from tests.stream_client import HANG, NO_LINGER

Ending = Literal["half-close", "reset", "vanish"]
endings: st.SearchStrategy[Ending] = st.sampled_from(["half-close", "half-close", "reset", "vanish"])

CONNECTED = UPGRADE + RawFrame(payload=CONNECT).encode()
"""A client that has connected like any other; what it does then is its own affair."""


async def attack(address: Address, chunks: Sequence[bytes], ending: Ending) -> None:
    """Send *chunks* and leave in one of three ways; whatever the gateway says to that is well said."""
    stream = await trio.open_tcp_stream(address.host, address.port)
    with trio.fail_after(HANG):
        async with stream:
            # The gateway may show it the door first.
            with suppress(trio.BrokenResourceError):
                for chunk in chunks:
                    await stream.send_all(chunk)
                await _leave(stream, ending)


async def _leave(stream: trio.SocketStream, ending: Ending) -> None:
    if ending == "reset":
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    elif ending == "half-close":
        await stream.send_eof()
        heard = b""
        while data := await stream.receive_some():
            heard += data
        _check_well_said(heard)


def _check_well_said(heard: bytes) -> None:
    """An answer in HTTP, and if it was yes, then whole frames, of which a close frame is the last."""
    assert heard.startswith(b"HTTP/1.1 ") or not heard
    head, _, frames = heard.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 101"):
        parser = FrameProtocol(client=True, extensions=[])
        parser.receive_bytes(frames)
        opcodes = [frame.opcode for frame in parser.received_frames()]
        assert Opcode.CLOSE not in opcodes[:-1]


@st.composite
def chopped(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> list[bytes]:
    """*whole* in up to five packets."""
    data = draw(whole)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def after(start: bytes) -> st.SearchStrategy[bytes]:
    """*start* and then frames, most of them wrong."""
    return frame_bytes.map(start.__add__)


@given(chunks=chopped(st.binary(max_size=300)), ending=endings)
async def test_noise(chunks: list[bytes], ending: Ending) -> None:
    """Bytes without any sense disturb nobody and leave nothing behind."""
    async with neighbourhood() as neighbour:
        await attack(neighbour.address, chunks, ending)
        await neighbour.check_alone()


@given(chunks=chopped(st.tuples(upgrades, frame_bytes).map(b"".join)), ending=endings)
async def test_mutated_upgrades(chunks: list[bytes], ending: Ending) -> None:
    """An upgrade that is not quite one, with frames in the same packet, disturbs nobody."""
    async with neighbourhood() as neighbour:
        await attack(neighbour.address, chunks, ending)
        await neighbour.check_alone()


@given(chunks=chopped(after(UPGRADE) | after(CONNECTED)), ending=endings)
@example([CONNECTED + RawFrame(CLOSE, b"\x03").encode()], "half-close")
@example([CONNECTED + RawFrame(PING).encode()], "reset")
async def test_mutated_frames(chunks: list[bytes], ending: Ending) -> None:
    """Frames that break RFC 6455, before and after `connect`, disturb nobody."""
    async with neighbourhood() as neighbour:
        await attack(neighbour.address, chunks, ending)
        await neighbour.check_alone()


@AT_MOST
@given(attacks=st.lists(st.tuples(chopped(after(CONNECTED)), endings), min_size=2, max_size=8))
async def test_a_crowd(attacks: list[tuple[list[bytes], Ending]]) -> None:
    """Several of them at once, while the neighbour keeps on chatting, disturb nobody."""
    async with neighbourhood() as neighbour:
        async with trio.open_nursery() as nursery:
            for chunks, ending in attacks:
                nursery.start_soon(attack, neighbour.address, chunks, ending)
            for _ in attacks:
                await neighbour.check()
        await neighbour.check_alone()
