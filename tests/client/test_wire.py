from __future__ import annotations

import pytest
import trio
from trio.testing import memory_stream_pair
from wsproto.events import CloseConnection

from bamboo_gateway.client import ClientLimits, ClosedError, RefusedError
from bamboo_gateway.client.endpoint import Endpoint
from bamboo_gateway.client.websocket import WebSocket
from bamboo_gateway.client.wire import Door, Wire
from bamboo_gateway.protocol import Connect, Ping, Shutdown
from tests.client.peer import Peer, peer

HELLO = Connect(protocol=2)


def door(url: str) -> Door:
    """The way to a peer."""
    return Door(Endpoint.parse(url), None, ClientLimits())


async def test_the_peers_reason_is_told_even_where_sending_fails() -> None:
    """A peer that said why and then stopped listening is not reported as one that vanished."""
    ours, theirs = memory_stream_pair()
    the_peer = Peer(theirs)
    websocket = WebSocket(ours, ClientLimits())  # type: ignore[arg-type]  # a stream that is no socket's does as well here
    async with trio.open_nursery() as nursery:
        nursery.start_soon(the_peer.accept)
        await websocket.shake_hands(Endpoint.parse("ws://h"))
    await the_peer.say_event(CloseConnection(4005, "too slow"))
    theirs.receive_stream.close()
    wire = Wire(websocket)
    with pytest.raises(ClosedError, match="1006"):
        await wire.send(Ping(1))
    with pytest.raises(ClosedError, match="4005, too slow"):
        await wire.greet(HELLO)


async def test_the_end_knows_when_to_come_back() -> None:
    """A gateway that stops says so before; what it says to a request means that request."""

    async def stop(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.say("shutdown", reason="soon", retry_after=2.5, jitter=0.5)
        await the_peer.say("error", code="QUEUE_FULL", message="no", id="a", retry_after=60)
        await the_peer.say("error", code="AGENT_ERROR", message="no", seq=1, retry_after=60)
        await the_peer.close(1001, "bye")

    async with peer(stop) as url, door(url).open(HELLO) as (wire, _):
        assert (await wire.receive())[0] == Shutdown("soon", retry_after=2.5, jitter=0.5)
        for _ in range(2):
            await wire.receive()
        with pytest.raises(ClosedError, match="1001") as error:
            await wire.receive()
    assert (error.value.retry_after, error.value.jitter) == (2.5, 0.5)
    assert error.value.again().jitter == 0.5


async def test_an_error_to_nobody_says_when_to_come_back_as_well() -> None:
    """It is the last word of a gateway that lets go."""

    async def stop(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.say("error", code="STORAGE_UNAVAILABLE", message="later", retry_after=4)
        await the_peer.close(1013)

    async with peer(stop) as url, door(url).open(HELLO) as (wire, _):
        await wire.receive()
        with pytest.raises(ClosedError) as error:
            await wire.receive()
    assert error.value.retry_after == 4


async def test_a_refusal_knows_when_to_come_back() -> None:
    """The gateway may say so in the error that answers `connect`."""

    async def refuse(the_peer: Peer) -> None:
        await the_peer.accept()
        await the_peer.hear()
        await the_peer.say("error", code="CAPACITY_EXCEEDED", message="full", retryable=True, retry_after=3)
        await the_peer.hear_close()

    async with peer(refuse) as url:
        with pytest.raises(RefusedError, match="CAPACITY_EXCEEDED: full") as error:
            async with door(url).open(HELLO):
                pass
    assert (error.value.retryable, error.value.retry_after) == (True, 3.0)
