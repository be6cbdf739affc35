"""The other end of a client's connection, in the hand of a test: it speaks WebSocket, or breaks its rules."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, Event, Request, TextMessage

Message: TypeAlias = dict[str, Any]

HANG = 30.0
"""Seconds after which a test that waits in vain fails."""


class Peer:
    """One accepted socket."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.protocol = WSConnection(ConnectionType.SERVER)
        self._heard: deque[Event] = deque()

    async def accept(self) -> Request:
        """Agree to a WebSocket."""
        request = await self.hear_event()
        assert isinstance(request, Request)
        await self.say_event(AcceptConnection())
        return request

    async def greet(self, **fields: object) -> Message:
        """Agree to a WebSocket and answer `connect`; return it."""
        await self.accept()
        hello = await self.hear()
        await self.say("connected", **{"session_id": "s", "protocol": 2} | fields)
        return hello

    async def hear(self) -> Message:
        """Wait for a message."""
        event = await self.hear_event()
        assert isinstance(event, TextMessage), event
        message: Message = json.loads(event.data)
        return message

    async def hear_event(self) -> Event:
        """Wait for whatever comes."""
        while not self._heard:
            self.protocol.receive_data(bytes(await self.stream.receive_some()) or None)
            self._heard.extend(self.protocol.events())
        return self._heard.popleft()

    async def hear_close(self) -> tuple[int, str]:
        """Wait for the close frame, and answer it if that is due; return its code and reason."""
        while True:
            event = await self.hear_event()
            if isinstance(event, CloseConnection):
                if self.protocol.state is ConnectionState.REMOTE_CLOSING:
                    await self.say_event(event.response())
                return event.code, event.reason or ""

    async def say(self, kind: str, **fields: object) -> None:
        """Send one event of the gateway."""
        await self.say_event(TextMessage(json.dumps({"type": kind} | fields)))

    async def say_event(self, event: Event) -> None:
        """Send a frame."""
        await self.stream.send_all(self.protocol.send(event))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye, and wait for the answer."""
        await self.say_event(CloseConnection(code, reason))
        await self.hear_close()


Script: TypeAlias = Callable[[Peer], Awaitable[None]]


@asynccontextmanager
async def peer(script: Script) -> AsyncIterator[str]:
    """Play *script* with everybody who connects to the URL that this yields, and hang up after it."""
    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, partial(_play, script), 0, host="127.0.0.1")
            [listener] = await nursery.start(serve)
            yield f"ws://127.0.0.1:{listener.socket.getsockname()[1]}"
            nursery.cancel_scope.cancel()


async def _play(script: Script, stream: trio.SocketStream) -> None:
    async with stream:
        await script(Peer(stream))


def in_turn(*scripts: Script) -> Script:
    """Play the first with who comes first, and so on; the last one again with all who come later."""
    left = deque(scripts)

    async def play_next(the_peer: Peer) -> None:
        await (left.popleft() if len(left) > 1 else left[0])(the_peer)

    return play_next


async def until_gone(the_peer: Peer) -> None:
    """Say nothing more, and wait until the client has hung up."""
    try:
        while await the_peer.stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass
