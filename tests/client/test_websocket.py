from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    RejectConnection,
    RejectData,
    TextMessage,
)

from bamboo_gateway.client import ClientLimits, ClosedError, ConnectError
from bamboo_gateway.client.endpoint import Endpoint
from bamboo_gateway.client.websocket import WebSocket, open_websocket
from tests.client.peer import Peer, Script, peer, until_gone

LIMITS = ClientLimits(max_message_bytes=1000)


@asynccontextmanager
async def opened(script: Script, limits: ClientLimits = LIMITS) -> AsyncIterator[WebSocket]:
    """A WebSocket to a peer that plays *script* once it has agreed."""

    async def play(the_peer: Peer) -> None:
        await the_peer.accept()
        await script(the_peer)

    async with peer(play) as url, open_websocket(Endpoint.parse(url), None, limits) as websocket:
        yield websocket


async def test_handshake_asks_for_the_resource_of_the_url() -> None:
    """Host and path of the request are those of the URL."""

    async def look(the_peer: Peer) -> None:
        request = await the_peer.accept()
        assert f"ws://{request.host}{request.target}" == f"{url}/a?b=c"
        await the_peer.hear_close()

    async with peer(look) as url, open_websocket(Endpoint.parse(f"{url}/a?b=c"), None, LIMITS):
        pass


async def refuse(the_peer: Peer) -> None:
    """Answer as an HTTP server that has its reasons."""
    await the_peer.hear_event()
    await the_peer.say_event(RejectConnection(status_code=403, has_body=True))
    await the_peer.say_event(RejectData(b"not from there"))
    await until_gone(the_peer)


async def send_away(the_peer: Peer) -> None:
    """Have no room at the moment; and before that, in words that are none of ours."""
    await the_peer.hear_event()
    headers = [(b"Retry-After", b"Wed, 21 Oct 2026 07:28:00 GMT"), (b"retry-after", b"7")]
    await the_peer.say_event(RejectConnection(status_code=503, headers=headers))
    await until_gone(the_peer)


async def hang_up(the_peer: Peer) -> None:
    """Leave as soon as something comes."""
    await the_peer.hear_event()


async def speak_another_language(the_peer: Peer) -> None:
    """Greet first, as SSH does."""
    await the_peer.stream.send_all(b"SSH-2.0-OpenSSH\r\n\r\n")
    await until_gone(the_peer)


async def agree_to_something_else(the_peer: Peer) -> None:
    """Switch to a protocol that nobody asked for."""
    await the_peer.stream.send_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
    await until_gone(the_peer)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (refuse, "refused a WebSocket with HTTP status 403"),
        (hang_up, "no WebSocket server"),
        (speak_another_language, "no WebSocket server"),
        (agree_to_something_else, "no WebSocket server"),
    ],
)
async def test_a_failed_handshake_is_one_clear_error(script: Script, says: str) -> None:
    """Whatever answers there instead, the error names the URL and what it is, and the socket is closed."""
    async with peer(script) as url:
        with pytest.raises(ConnectError, match=says) as error:
            async with open_websocket(Endpoint.parse(url), None, LIMITS):
                pass
    assert url in str(error.value)
    if says == "no WebSocket server":  # one with TLS, perhaps
        assert str(error.value).endswith(f"; a gateway with TLS is dialled {url.replace('ws', 'wss', 1)}")


@pytest.mark.parametrize(("script", "seconds"), [(send_away, 7.0), (refuse, None)])
async def test_a_refused_handshake_says_when_to_try_again(script: Script, seconds: float | None) -> None:
    """If the gateway does; a date, as others may write it, is nothing that it says."""
    async with peer(script) as url:
        with pytest.raises(ConnectError) as error:
            async with open_websocket(Endpoint.parse(url), None, LIMITS):
                pass
    assert error.value.retry_after == seconds


async def test_messages_go_both_ways() -> None:
    """A text arrives as it was sent, however many frames it took."""

    async def echo(the_peer: Peer) -> None:
        event = await the_peer.hear_event()
        assert isinstance(event, TextMessage)
        await the_peer.say_event(TextMessage(event.data[:3], message_finished=False))
        await the_peer.say_event(Ping())
        await the_peer.say_event(TextMessage(event.data[3:]))
        assert isinstance(await the_peer.hear_event(), Pong)
        await the_peer.hear_close()

    async with opened(echo) as websocket:
        await websocket.send("竹 bamboo")
        assert await websocket.receive() == "竹 bamboo"


async def test_an_unasked_pong_is_nothing() -> None:
    """RFC 6455 allows a pong at any time."""

    async def say_pong(the_peer: Peer) -> None:
        await the_peer.say_event(Pong())
        await the_peer.say_event(TextMessage("hello"))
        await the_peer.hear_close()

    async with opened(say_pong) as websocket:
        assert await websocket.receive() == "hello"


async def test_a_cancelled_receive_loses_nothing() -> None:
    """A message of which half was there is whole for the next who asks."""
    half = trio.Event()

    async def say_in_halves(the_peer: Peer) -> None:
        await the_peer.say_event(TextMessage("one ", message_finished=False))
        await half.wait()
        await the_peer.say_event(TextMessage("two"))
        await the_peer.hear_close()

    async with opened(say_in_halves) as websocket:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(websocket.receive)
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
        half.set()
        assert await websocket.receive() == "one two"


async def test_the_peers_close_is_answered_and_told() -> None:
    """The peer gets its close frame back; the client learns code and reason, each time it asks."""

    async def close(the_peer: Peer) -> None:
        await the_peer.say_event(TextMessage("last words"))
        await the_peer.close(4003, "taken over")
        await until_gone(the_peer)

    async with opened(close) as websocket:
        assert await websocket.receive() == "last words"
        for use in (websocket.receive, websocket.receive, lambda: websocket.send("too late")):
            with pytest.raises(ClosedError, match="4003, taken over"):
                await use()


@pytest.mark.parametrize("linger", [0, None], ids=["reset", "end"])
async def test_a_broken_connection_is_told_as_1006(linger: int | None) -> None:
    """A peer that is gone without a word is told apart from one that said goodbye."""

    async def vanish(the_peer: Peer) -> None:
        assert isinstance(the_peer.stream, trio.SocketStream)
        if linger is not None:  # closing then resets the connection
            the_peer.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, linger))
        await trio.aclose_forcefully(the_peer.stream)

    async with opened(vanish) as websocket:
        with pytest.raises(ClosedError) as error:
            await websocket.receive()
        assert error.value.code == 1006
        with pytest.raises(ClosedError):
            await websocket.send("is there anybody?")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (BytesMessage(b"\x00"), 1002),
        (TextMessage("x" * 1001), 1009),
        (TextMessage("竹" * 334), 1009),
    ],
)
async def test_what_a_client_does_not_take_ends_the_connection(
    event: TextMessage | BytesMessage, code: int
) -> None:
    """A binary frame, and more bytes than were allowed: the peer is told by the code."""
    heard: list[int] = []

    async def say_it(the_peer: Peer) -> None:
        await the_peer.say_event(event)
        heard.append((await the_peer.hear_close())[0])

    async with peer_that_ends(say_it) as websocket:
        with pytest.raises(ClosedError) as error:
            await websocket.receive()
        assert error.value.code == code
    assert heard == [code]


@asynccontextmanager
async def peer_that_ends(script: Script) -> AsyncIterator[WebSocket]:
    """As `opened`, but wait for the end of the script, not only of the client."""
    ended = trio.Event()

    async def play(the_peer: Peer) -> None:
        await script(the_peer)
        ended.set()

    async with opened(play) as websocket:
        yield websocket
        await websocket.aclose()
        await ended.wait()


async def test_a_frame_that_breaks_the_protocol_ends_the_connection() -> None:
    """What wsproto cannot parse is answered with 1002."""

    async def say_nonsense(the_peer: Peer) -> None:
        await the_peer.stream.send_all(b"\xff\xff\xff")
        assert (await the_peer.hear_close())[0] == 1002

    async with peer_that_ends(say_nonsense) as websocket:
        with pytest.raises(ClosedError, match="1002"):
            await websocket.receive()


async def test_leaving_says_goodbye() -> None:
    """The peer gets 1000, and is waited for."""

    async def hear_goodbye(the_peer: Peer) -> None:
        assert await the_peer.hear_close() == (1000, "")

    async with peer_that_ends(hear_goodbye):
        pass


async def test_a_ping_under_way_does_not_disturb_the_goodbye() -> None:
    """What the peer sent before it knew of the end is passed over."""

    async def say_ping_too_late(the_peer: Peer) -> None:
        close = await the_peer.hear_event()
        assert isinstance(close, CloseConnection)
        await the_peer.stream.send_all(b"\x89\x00\x81\x02hi" + the_peer.protocol.send(close.response()))

    async with opened(say_ping_too_late):
        pass


async def test_leaving_does_not_wait_for_a_peer_that_says_nothing(autojump_clock: MockClock) -> None:
    """A peer that ignores the goodbye holds nobody up for longer than the close timeout."""
    ours, theirs = memory_stream_pair()
    the_peer = Peer(theirs)
    websocket = WebSocket(ours, LIMITS)  # type: ignore[arg-type]  # a stream that is no socket's does as well here
    async with trio.open_nursery() as nursery:
        nursery.start_soon(the_peer.accept)
        await websocket.shake_hands(Endpoint.parse("ws://h"))
    began = trio.current_time()
    await websocket.aclose()
    assert trio.current_time() - began == 1.0


async def test_a_message_cancelled_halfway_ends_the_connection() -> None:
    """Half a frame cannot be taken back: whoever sends after it is refused."""

    async def read_nothing(the_peer: Peer) -> None:
        await done.wait()

    done = trio.Event()
    async with opened(read_nothing) as websocket:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(websocket.send, "x" * 50_000_000)
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
        for use in (lambda: websocket.send("more"), websocket.receive):
            with pytest.raises(ClosedError, match="cancelled while it was sent"):
                await use()
        done.set()


async def test_a_peer_that_has_vanished_is_noticed() -> None:
    """A silent connection is pinged, and given up where nothing comes back: half-open ones never end."""
    pinged = trio.Event()

    async def say_nothing(the_peer: Peer) -> None:
        assert isinstance(await the_peer.hear_event(), Ping)
        pinged.set()
        await until_gone(the_peer)

    limits = ClientLimits(heartbeat_interval=0.05, heartbeat_timeout=0.05)
    async with opened(say_nothing, limits) as websocket:
        with pytest.raises(
            ClosedError, match=r"1006, nothing came for 0\.1 seconds, nor the answer to a ping"
        ):
            await websocket.receive()
        assert pinged.is_set()
        with pytest.raises(ClosedError, match="1006"):
            await websocket.send("is there anybody?")


async def test_a_peer_that_answers_pings_may_be_silent_for_long() -> None:
    """It has nothing to say, and is there."""

    async def answer_pings(the_peer: Peer) -> None:
        for _ in range(3):
            event = await the_peer.hear_event()
            assert isinstance(event, Ping)
            await the_peer.say_event(event.response())
        await the_peer.say_event(TextMessage("at last"))
        await the_peer.hear_close()

    limits = ClientLimits(heartbeat_interval=0.01, heartbeat_timeout=10.0)
    async with opened(answer_pings, limits) as websocket:
        assert await websocket.receive() == "at last"


async def test_a_peer_that_takes_nothing_is_noticed() -> None:
    """Where not even the ping can be sent, because an earlier message stands in its way."""
    done = trio.Event()

    async def read_nothing(the_peer: Peer) -> None:
        await done.wait()

    limits = ClientLimits(heartbeat_interval=0.05, heartbeat_timeout=0.05)
    async with opened(read_nothing, limits) as websocket, trio.open_nursery() as nursery:
        nursery.start_soon(websocket.send, "x" * 50_000_000)
        with pytest.raises(ClosedError, match="nothing came"):
            await websocket.receive()
        nursery.cancel_scope.cancel()
        done.set()
