"""
The client's stream, as trio-websocket is given it.

trio-websocket reads and writes one stream from several tasks, and closes it
when it sees fit. Here its bytes go through the connection's outbox, so that its
pongs never fall into the midst of an event, and the socket is the connection's
own to close.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from ..protocol import framing
from .outbox import Outbox


MAX_HEAD_BYTES = 16 * 1024
"""Of the request's line and headers: twice what browsers with their cookies send."""

_END_OF_HEAD = b"\r\n\r\n"

_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class HandshakeError(Exception):
    """There will be no WebSocket; whoever asked for one has been told over HTTP, if there was somebody to tell."""


class Transport(trio.abc.Stream):
    """
    One client's stream.

    Invariant: until `open`, a reader is given the request's head and nothing
    after it: trio-websocket silently drops a frame that comes in the packet of
    the upgrade (measured).
    """

    def __init__(self, stream: trio.abc.Stream, outbox: Outbox) -> None:
        self.last_received = trio.current_time()
        """When the client was last heard, by trio's clock."""
        self.close_sent = False
        """Has trio-websocket sent a close frame? It may be the only one."""
        self.on_close: Callable[[], object] = _nothing
        """Called when trio-websocket lets go of the stream, which it tells nobody who waits for a handshake."""
        self._stream = stream
        self._outbox = outbox
        self._head = b""
        self._rest = b""
        self._opened = trio.Event()
        self._closed = False

    @property
    def is_open(self) -> bool:
        """Was the upgrade accepted?"""
        return self._opened.is_set()

    async def read_head(self) -> None:
        """
        Read the head of the request, for trio-websocket to read.

        Raises:
            HandshakeError: The stream ended first, or the head is too large.
            trio.BrokenResourceError: The socket is gone.
        """
        received = bytearray()
        while (end := received.find(_END_OF_HEAD)) < 0:
            if len(received) >= MAX_HEAD_BYTES:
                await self._outbox.send(_HEAD_TOO_LARGE)
                raise HandshakeError("the request's head is too large")
            data = await self._stream.receive_some(MAX_HEAD_BYTES)
            if not data:
                raise HandshakeError("the stream ended within the request's head")
            received += data
        end += len(_END_OF_HEAD)
        self._head, self._rest = bytes(received[:end]), bytes(received[end:])

    def open(self) -> None:
        """The upgrade was accepted: let the frames in."""
        self._opened.set()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Read the head once, and what follows it once the connection is open."""
        if self._closed:
            raise trio.ClosedResourceError
        if self._head:
            head, self._head = self._head, b""
            return head
        await self._opened.wait()
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        data = bytes(await self._stream.receive_some(max_bytes))
        self.last_received = trio.current_time()
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Put one whole frame, or the answer to the upgrade, behind what already waits."""
        frame = bytes(data)
        self.close_sent = self.close_sent or (self._opened.is_set() and framing.is_close(frame))
        await self._outbox.send(frame)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self._outbox.wait_room()

    async def aclose(self) -> None:
        """trio-websocket is done; the socket closes when the connection has said goodbye."""
        self._closed = True
        self.on_close()
        await trio.lowlevel.checkpoint()


def _nothing() -> None:
    pass
