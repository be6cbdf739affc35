"""A whole client on a Trio stream, in the hand of one task."""

from __future__ import annotations

import socket
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from tests.plain_wire import DialectName, Event
from tests.sansio_client import SansIOClient

NO_LINGER = struct.pack("ii", 1, 0)
"""With it, closing a socket resets its connection."""

HANG = 30.0
"""Seconds after which a test that waits in vain fails."""


class StreamClient:
    """A client that listens only while somebody waits for its next event, `HANG` seconds at most."""

    def __init__(
        self, stream: trio.abc.Stream, dialect: DialectName = "tagged", *, answers_pings: bool = True
    ) -> None:
        self.protocol = SansIOClient(dialect, answers_pings=answers_pings)
        self.session_id = ""
        self._stream = stream
        self._heard: deque[Event] = deque()

    async def connect(self, **fields: object) -> Event:
        """Open the WebSocket and connect; return `connected`."""
        await self.open()
        return await self.connect_again(**fields)

    async def connect_again(self, **fields: object) -> Event:
        """Connect over a WebSocket that is open; return `connected`."""
        await self.say("connect", **fields)
        connected = await self.next("connected")
        self.session_id = connected["session_id"]
        return connected

    async def open(self) -> None:
        """Ask for the WebSocket, and wait until it is there."""
        await self._stream.send_all(self.protocol.upgrade())
        with trio.fail_after(HANG):
            while not self.protocol.accepted:
                await self._listen()

    async def say(self, kind: str, **fields: object) -> None:
        """Say one message."""
        await self._stream.send_all(self.protocol.say(kind, **fields))

    async def say_text(self, text: str) -> None:
        """Say *text* in one frame, whatever it is."""
        await self._stream.send_all(self.protocol.say_text(text))

    async def next(self, *kinds: str) -> Event:
        """Wait for the next event, or for the next of some *kinds*, and drop the others."""
        with trio.fail_after(HANG):
            while True:
                while not self._heard:
                    await self._listen()
                event = self._heard.popleft()
                if not kinds or event["type"] in kinds:
                    return event

    async def until_closed(self) -> list[Event]:
        """Hear everything to the end; return the events."""
        with trio.fail_after(HANG):
            while await self._hear():
                pass
        events = list(self._heard)
        self._heard.clear()
        return events

    async def aclose(self) -> None:
        """Leave without a word."""
        await trio.aclose_forcefully(self._stream)

    async def reset(self) -> None:
        """Leave with a bang: the gateway finds the connection reset."""
        assert isinstance(self._stream, trio.SocketStream)
        self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        await self.aclose()

    async def _listen(self) -> None:
        if not await self._hear():
            raise AssertionError(f"the gateway hung up: {self.protocol.closed}")

    async def _hear(self) -> bool:
        try:
            data = bytes(await self._stream.receive_some())
        except trio.BrokenResourceError:
            return False
        if data:
            self._heard += self.protocol.hear(data)
            if replies := self.protocol.take_replies():
                await self._stream.send_all(replies)
        return bool(data)


@asynccontextmanager
async def dial(
    host: str, port: int, dialect: DialectName = "tagged", *, answers_pings: bool = True
) -> AsyncIterator[StreamClient]:
    """A client on a socket of its own, which has said nothing yet."""
    stream = await trio.open_tcp_stream(host, port)
    client = StreamClient(stream, dialect, answers_pings=answers_pings)
    try:
        yield client
    finally:
        await client.aclose()
