from __future__ import annotations

import math

import pytest
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.outbox import FULL_BYTES, Outbox
from bamboo_gateway.connection.transport import Transport
from bamboo_gateway.principal import Principal
from bamboo_gateway.protocol import framing
from bamboo_gateway.protocol.closing import CloseCode
from tests.connection.raw_client import HANG

ACCEPT = b"HTTP/1.1 101 \r\n\r\n"
FRAME = framing.text_frame(b"{}")


class Wire:
    """A transport between a client's end in memory and an outbox."""

    def __init__(self, max_stranger_bytes: float = math.inf, rest: bytes = b"") -> None:
        self.client, stream = memory_stream_pair()
        self.outbox = Outbox(None)
        self.connection = Connection(self.outbox)
        self.transport = Transport(stream, self.connection, max_stranger_bytes, rest)

    def is_open(self) -> bool:
        """Was the upgrade accepted?"""
        return self.transport.is_open

    def is_listening(self) -> bool:
        """Does the transport wait for the client?"""
        return self.transport.is_listening

    async def open(self) -> None:
        """Get past the handshake."""
        await self.transport.accept(ACCEPT)


async def test_what_came_with_the_head_is_read_first() -> None:
    """What came in the packet of the upgrade, then the rest."""
    wire = Wire(rest=b"first")
    transport = wire.transport
    assert not wire.is_open()
    await transport.accept(ACCEPT)
    assert wire.is_open()
    assert await transport.receive_some(4_096) == b"first"
    await wire.client.send_all(b"second")
    assert await transport.receive_some(4_096) == b"second"
    await wire.client.aclose()
    assert await transport.receive_some(4_096) == b""


async def test_what_is_sent_goes_through_the_outbox() -> None:
    """A pong of trio-websocket's waits in line, and its sender waits while there is no room."""
    wire = Wire()
    await wire.open()
    wire.outbox.push(b"x" * FULL_BYTES)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wire.transport.send_all, bytearray(FRAME))
        await wait_all_tasks_blocked()
        assert wire.outbox.waiting_bytes == len(ACCEPT) + FULL_BYTES + len(FRAME)
        assert nursery.child_tasks
        nursery.start_soon(wire.transport.wait_send_all_might_not_block)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 2
        nursery.cancel_scope.cancel()
    wire.outbox.break_off()
    with pytest.raises(trio.BrokenResourceError):
        await wire.transport.send_all(FRAME)


async def test_a_close_frame_is_kept_back() -> None:
    """trio-websocket has the last word, said after all that waits; from then on it hears nothing."""
    wire = Wire()
    await wire.open()
    await wire.client.send_all(b"never heard")
    goodbye = framing.close_frame(1000, "bye")
    with pytest.raises(trio.ClosedResourceError):
        await wire.transport.send_all(goodbye)
    assert wire.transport.close_frame == goodbye
    assert wire.outbox.waiting_bytes == len(ACCEPT)
    with pytest.raises(trio.ClosedResourceError):
        await wire.transport.receive_some()


async def test_closing_the_transport_leaves_the_stream_open() -> None:
    """The socket is the connection's own to close, when it has said goodbye."""
    wire = Wire()
    await wire.open()
    await wire.transport.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await wire.transport.receive_some()
    await wire.client.send_all(b"still connected")


async def test_a_sign_of_life(autojump_clock: trio.testing.MockClock) -> None:
    """The transport knows when the client was last heard, wakes who waits for it, and if it listens."""
    wire = Wire()
    await wire.open()
    transport = wire.transport
    assert not wire.is_listening()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.receive_some)
        nursery.start_soon(transport.wait_received)
        await wait_all_tasks_blocked()
        assert wire.is_listening()
        await trio.sleep(5)
        assert len(nursery.child_tasks) == 2
        await wire.client.send_all(b"x")
    assert transport.last_received == trio.current_time()
    assert not wire.is_listening()


async def test_a_cancelled_wait_is_no_listening() -> None:
    """A reader that was cancelled listens no more."""
    wire = Wire()
    await wire.open()
    with trio.move_on_after(0.0):
        await wire.transport.receive_some()
    assert not wire.is_listening()


async def test_a_stranger_is_heard_for_so_many_bytes() -> None:
    """Before `connect`, however its bytes are framed, a client may not fill the gateway's memory."""
    wire = Wire(max_stranger_bytes=10)
    await wire.open()
    wire.outbox.push(b"")
    await wire.client.send_all(b"x" * 10)
    assert await wire.transport.receive_some() == b"x" * 10
    await wire.client.send_all(b"x")
    for _ in range(2):
        with trio.fail_after(HANG), pytest.raises(trio.ClosedResourceError):
            await wire.transport.receive_some()
    assert wire.connection.closing is not None
    assert wire.connection.closing.code == CloseCode.MESSAGE_TOO_BIG


async def test_bytes_in_the_packet_of_the_upgrade_count_too() -> None:
    """What comes with the head is a stranger's, too."""
    wire = Wire(max_stranger_bytes=10, rest=b"x" * 11)
    await wire.transport.accept(ACCEPT)
    with pytest.raises(trio.ClosedResourceError):
        await wire.transport.receive_some()


async def test_who_has_connected_may_say_as_much_as_it_likes() -> None:
    """After `connect` only messages are bounded."""
    wire = Wire(max_stranger_bytes=10)
    await wire.open()
    wire.connection.principal = Principal("somebody")
    await wire.client.send_all(b"x" * 1_000)
    assert len(await wire.transport.receive_some()) == 1_000
    assert wire.connection.closing is None
