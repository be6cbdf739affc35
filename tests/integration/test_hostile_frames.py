"""Clients that break RFC 6455, or use it to do harm, on the real command line, beside one that behaves."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress

import attrs
import pytest
import trio

from tests import plain_wire
from tests.cli.process import Serving, serving
from tests.connection.raw_client import (
    BINARY,
    CLOSE,
    HANG,
    PING,
    PONG,
    TEXT,
    RawClient,
    close,
    frame,
    head,
    text,
)
from tests.fuzz.raw_frame import CONTINUATION, RawFrame
from tests.integration.neighbour import AGENT, beside, port_of
from tests.integration.size import is_soak
from tests.stream_client import NO_LINGER

pytestmark = [pytest.mark.integration, pytest.mark.soak]

SCALE = 5 if is_soak() else 1
"""How many times more floods bring."""

CROWD = 8
"""Attackers at once."""


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """A gateway that nothing here may bring to log anything but goodbyes."""
    with serving("--agent", AGENT, "--log-level", "warning") as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, log) == (0, ""), log


async def arrive(port: int) -> RawClient:
    """Open a socket."""
    return RawClient(await trio.open_tcp_stream("127.0.0.1", port))


async def arrive_connected(port: int) -> RawClient:
    """Connect as any client does."""
    client = await arrive(port)
    await client.connect(protocol=2)
    return client


async def last_words(client: RawClient) -> tuple[list[str], tuple[int, str] | None]:
    """What the gateway says until it hangs up: the kinds of its messages, and its close frame."""
    kinds: list[str] = []
    while True:
        try:
            found = await client.frame()
        except (AssertionError, trio.BrokenResourceError):
            return kinds, None
        if found.opcode == CLOSE:
            return kinds, (int.from_bytes(found.payload[:2], "big"), found.payload[2:].decode())
        if found.opcode == TEXT:
            event = plain_wire.read("tagged", found.payload.decode())
            kinds.append(str(event.get("code", event["type"])))


# ── frames that are wrong ────────────────────────────────────────────────────


@attrs.frozen
class Offence:
    """Bytes that break the protocol, and the code that they are answered with."""

    name: str
    data: bytes
    code: int


def _fragments(*payloads: bytes) -> bytes:
    first, *rest = payloads
    frames = [RawFrame(TEXT, first, fin=False), *[RawFrame(CONTINUATION, each, fin=False) for each in rest]]
    return b"".join(each.encode() for each in [*frames, RawFrame(CONTINUATION, b"")])


OFFENCES = [
    Offence("an oversize ping", RawFrame(PING, b"x" * 126).encode(), 1002),
    Offence("an oversize close", RawFrame(CLOSE, b"\x03\xe8" + b"x" * 124).encode(), 1002),
    Offence("a fragmented ping", RawFrame(PING, b"x", fin=False).encode(), 1002),
    Offence("a fragmented close", RawFrame(CLOSE, b"\x03\xe8", fin=False).encode(), 1002),
    Offence("a close of one byte", RawFrame(CLOSE, b"\x03").encode(), 1002),
    Offence("a close code that must not be sent", close(1005), 1002),
    Offence("a close code that means nothing", close(999), 1002),
    Offence("a close reason that is no text", RawFrame(CLOSE, b"\x03\xe8\xff").encode(), 1007),
    *[Offence(f"reserved bits {bits}", RawFrame(reserved=bits).encode(), 1002) for bits in (1, 2, 4, 7)],
    *[Offence(f"opcode {each:#x}", RawFrame(each).encode(), 1002) for each in (3, 4, 5, 6, 7, 11, 13, 15)],
    Offence("an unmasked frame", RawFrame(mask=None, payload=b"{}").encode(), 1002),
    Offence("an unmasked ping", RawFrame(PING, mask=None).encode(), 1002),
    Offence("a continuation of nothing", RawFrame(CONTINUATION, b"x").encode(), 1002),
    Offence("a message within a message", (RawFrame(fin=False).encode() + RawFrame().encode()), 1002),
    Offence("a length said longer than needed", RawFrame(payload=b"x", length_bits=16).encode(), 1002),
    Offence("a length of 2^63", RawFrame(announced=2**63).encode(), 1002),
    Offence("text that is no UTF-8", RawFrame(payload=b"\xff\xfe").encode(), 1007),
    Offence("an overlong slash", RawFrame(payload=b"\xc0\xaf").encode(), 1007),
    Offence("a surrogate", RawFrame(payload=b"\xed\xa0\x80").encode(), 1007),
    Offence("a code point beyond the last", RawFrame(payload=b"\xf4\x90\x80\x80").encode(), 1007),
    Offence("a character that is cut short", RawFrame(payload=b"\xe2\x82").encode(), 1007),
    Offence("the same in two fragments", _fragments(b"\xe2", b"\x82"), 1007),
    Offence("bad text behind good fragments", _fragments(b"good", b"\xe2\x82", b"\xff"), 1007),
    Offence("crumbs", RawFrame(fin=False).encode() + RawFrame(CONTINUATION, fin=False).encode() * 3000, 1008),
]


@pytest.mark.parametrize("offence", OFFENCES, ids=lambda each: each.name)
async def test_an_offence_is_answered_by_its_code(served: Serving, offence: Offence) -> None:
    """Before and after `connect`, in one packet and byte by byte: the close frame says what was broken."""
    async with beside(served), trio.open_nursery() as nursery:
        for is_known in (False, True):
            for is_chopped in (False, True):
                nursery.start_soon(offend, port_of(served), offence, is_known, is_chopped)


async def offend(port: int, offence: Offence, is_known: bool, is_chopped: bool) -> None:
    """Break the protocol, and hear what is said to that."""
    client = await arrive(port)
    if is_known:
        await client.connect(protocol=2)
    else:
        await client.upgrade()
    with suppress(trio.BrokenResourceError):
        if is_chopped:
            for byte in offence.data[:400]:
                await client.send(bytes([byte]))
            await client.send(offence.data[400:])
        else:
            await client.send(offence.data)
    kinds, said = await last_words(client)
    assert said is not None, kinds
    assert said[0] == offence.code, said
    await client.leave()


@pytest.mark.parametrize("size", [2**20 + 1, 2**31, 2**40, 2**63 - 1])
async def test_an_announced_length_takes_no_room(served: Serving, size: int) -> None:
    """A header that promises a huge frame costs a header; what really comes of it is bounded (1009)."""
    async with beside(served) as neighbour:
        clients = [await arrive_connected(port_of(served)) for _ in range(CROWD)]
        before = neighbour.rss_kb()
        for client in clients:
            await client.send(RawFrame(payload=b"x" * 100, announced=size).encode())
        for client in clients[1:]:
            await client.leave()
        with suppress(trio.BrokenResourceError):
            await clients[0].send(b"x" * (2**20 + 2**16))
        kinds, said = await last_words(clients[0])
        assert kinds == ["MESSAGE_TOO_BIG"]
        assert said is not None
        assert said[0] == 1009
        assert neighbour.rss_kb() - before < 4 * 1024
        await clients[0].leave()


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4001, 4999]
)
async def test_a_goodbye_is_answered_by_the_same_code(served: Serving, code: int) -> None:
    """Whatever a client closes with, the gateway says that and nothing else."""
    async with beside(served):
        client = await arrive_connected(port_of(served))
        await client.send(close(code, "Exceeded"))
        kinds, said = await last_words(client)
        assert kinds == []
        assert said is not None
        assert said[0] == code
        await client.leave()


# ── floods ───────────────────────────────────────────────────────────────────

FLOODS = {
    "pings": RawFrame(PING, b"x" * 125).encode(),
    "empty pings": RawFrame(PING).encode(),
    "pongs": RawFrame(PONG, b"x").encode(),
    "empty texts": RawFrame(TEXT).encode(),
    "binaries": RawFrame(BINARY, b"x" * 20).encode(),
    "nonsense": RawFrame(TEXT, b'{"type":"nonsense"}').encode(),
    "messages": text("ping", timestamp=1),
    "commands": text("command", name="nobody.knows", args={}),
    "empty fragments": RawFrame(CONTINUATION, fin=False).encode(),
    "crumbs": RawFrame(CONTINUATION, b"x", fin=False).encode(),
}


@pytest.mark.parametrize("is_deaf", [False, True], ids=["reads", "reads nothing"])
@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_drowns_nobody_else(
    served: Serving, kind: str, is_deaf: bool, report: Callable[[str], None]
) -> None:
    """Eight clients send as fast as they can, and read their answers or not: the neighbour is served on."""
    async with beside(served) as neighbour, trio.open_nursery() as nursery:
        for _ in range(CROWD):
            nursery.start_soon(_pour, port_of(served), FLOODS[kind], is_deaf)
    worst = max(neighbour.latencies)
    report(f"flood of {kind}{' unread' * is_deaf}: the neighbour's worst answer took {worst * 1000:.0f} ms")


async def _pour(port: int, data: bytes, is_deaf: bool) -> None:
    client = await arrive_connected(port)
    if data[0] & 0x0F == CONTINUATION:
        await client.send(RawFrame(TEXT, fin=False).encode())
    batch = data * (4096 // len(data))
    stream = client.stream
    assert isinstance(stream, trio.SocketStream)

    async def read() -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while await stream.receive_some():
                pass

    async with trio.open_nursery() as nursery:
        if not is_deaf:
            nursery.start_soon(read)
        # Whoever does not read is not read from, in the end.
        with trio.move_on_after(1.0 * SCALE), suppress(trio.BrokenResourceError):
            for _ in range(64 * SCALE):
                await stream.send_all(batch)
        nursery.cancel_scope.cancel()
    await client.leave()


async def test_unfinished_messages_are_bounded(served: Serving) -> None:
    """A megabyte of a message in frames of 16 bytes costs about a megabyte, and not sixty."""
    async with beside(served) as neighbour:
        before = neighbour.rss_kb()
        client = await arrive_connected(port_of(served))
        await client.send(RawFrame(TEXT, fin=False).encode())
        batch = RawFrame(CONTINUATION, b"0123456789abcdef", fin=False).encode() * 1024
        for _ in range(63):
            await client.send(batch)
        await client.send(RawFrame(PING, b"read?").encode())
        while (await client.frame()).payload != b"read?":
            pass
        grown = neighbour.rss_kb() - before
        assert grown < 3 * 1024, f"{grown} KiB more than before"
        await client.leave()


# ── ends at every stage ──────────────────────────────────────────────────────


async def _nothing(client: RawClient) -> None:
    pass


async def _half_a_head(client: RawClient) -> None:
    await client.send(head()[:40])


async def _head_only(client: RawClient) -> None:
    await client.send(head())


async def _upgraded(client: RawClient) -> None:
    await client.upgrade()


async def _connected(client: RawClient) -> None:
    await client.connect(protocol=2)


async def _mid_frame(client: RawClient) -> None:
    await client.connect(protocol=2)
    await client.send(text("ping", timestamp=1)[:9])


async def _mid_message(client: RawClient) -> None:
    await client.connect(protocol=2)
    await client.send(frame(TEXT, b'{"type":', fin=False))


async def _mid_turn(client: RawClient) -> None:
    connected = await client.connect(protocol=2)
    await client.say("chat", content="word " * 300, session_id=connected["session_id"])
    await client.event("agent_token")


async def _closing(client: RawClient) -> None:
    await client.connect(protocol=2)
    await client.send(close(1000))


STAGES: list[Callable[[RawClient], Awaitable[None]]] = [
    _nothing,
    _half_a_head,
    _head_only,
    _upgraded,
    _connected,
    _mid_frame,
    _mid_message,
    _mid_turn,
    _closing,
]


def _name(stage: Callable[[RawClient], Awaitable[None]]) -> str:
    return stage.__name__.strip("_").replace("_", " ")


@pytest.mark.parametrize("stage", STAGES, ids=_name)
async def test_a_reset_at_any_stage_leaves_nothing(
    served: Serving, stage: Callable[[RawClient], Awaitable[None]]
) -> None:
    """A connection that is reset is gone at once, and nobody hears of it."""
    async with beside(served):
        for _ in range(3):
            async with trio.open_nursery() as nursery:
                for _ in range(CROWD):
                    nursery.start_soon(reset, port_of(served), stage)


async def reset(port: int, stage: Callable[[RawClient], Awaitable[None]]) -> None:
    """Come as far as *stage*, and reset the connection."""
    client = await arrive(port)
    await stage(client)
    assert isinstance(client.stream, trio.SocketStream)
    client.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    await client.leave()


@pytest.mark.parametrize("stage", STAGES, ids=_name)
async def test_a_half_close_at_any_stage_is_an_end(
    served: Serving, stage: Callable[[RawClient], Awaitable[None]]
) -> None:
    """Who closes its way to the gateway is answered what is still owed, and hung up on."""
    async with beside(served), trio.open_nursery() as nursery:
        for _ in range(CROWD):
            nursery.start_soon(half_close, port_of(served), stage)


async def half_close(port: int, stage: Callable[[RawClient], Awaitable[None]]) -> None:
    """Come as far as *stage*, and close the way to the gateway; it closes the other."""
    client = await arrive(port)
    await stage(client)
    await client.stream.send_eof()
    with trio.fail_after(HANG):
        while await client.stream.receive_some():
            pass
    await client.leave()


# ── extensions ───────────────────────────────────────────────────────────────

OFFERS: Sequence[bytes] = (
    b"permessage-deflate",
    b"permessage-deflate; client_max_window_bits; server_max_window_bits=8",
    b"permessage-deflate, permessage-bzip2, x-webkit-deflate-frame",
    b"permessage-deflate; server_no_context_takeover, permessage-deflate",
    b"x-anything",
    b",,;=",
)


@pytest.mark.parametrize("offer", OFFERS)
async def test_no_extension_is_ever_negotiated(served: Serving, offer: bytes) -> None:
    """Whatever is offered: the answer names none, and a compressed frame is an error."""
    async with beside(served):
        client = await arrive(port_of(served))
        await client.send(head({b"Sec-WebSocket-Extensions": offer}))
        answer = await client.answer()
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        assert b"sec-websocket-extensions" not in answer.lower()
        await client.say("connect", protocol=2)
        await client.event("connected")
        await client.send(RawFrame(reserved=4, payload=b"\xaa\x56\x2a\x2d\x4a\x05\x00").encode())
        _, said = await last_words(client)
        assert said is not None
        assert said[0] == 1002
        await client.leave()
