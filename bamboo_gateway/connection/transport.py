"""
The client's stream, as trio-websocket is given it.

trio-websocket reads and writes one stream from several tasks, and closes it
when it sees fit. Here its bytes go through the connection's outbox, so that its
pongs never fall into the midst of an event, and the end is the connection's own:
the last frame and the socket.
"""

from __future__ import annotations

import sys

import trio
from trio_websocket import WebSocketConnection

from ..errors import ErrorCode
from ..protocol import framing
from ..protocol.closing import CloseCode, Closing
from .connection import Connection
from .inbound import InboundProtocol

RECEIVE_BYTES = 16 * 1024
"""Read from the socket at a time: some hundred small messages of a client that does not wait for answers."""


class Transport(trio.abc.Stream):
    """
    One client's stream.

    Invariants: what came in the packet of the upgrade (*rest*) is not lost: it is the
    first that trio-websocket is given. Before `connect` was accepted, a client is
    heard for *max_stranger_bytes* and no more: trio-websocket bounds messages, but it
    is told only once of how many bytes, and a message without an end has none.
    """

    def __init__(
        self, stream: trio.abc.Stream, connection: Connection, max_stranger_bytes: float, rest: bytes = b""
    ) -> None:
        self.last_received = trio.current_time()
        """When the client was last heard, by trio's clock."""
        self.is_listening = False
        """Does the gateway wait to hear the client? It does not while it is busy with what it has heard."""
        self.close_frame = b""
        """trio-websocket's last word: kept back, for whatever still waits goes out before it."""
        self._stream = stream
        self._connection = connection
        self._outbox = connection.outbox
        self._stranger_bytes = max_stranger_bytes
        self.is_open = False
        """Was the upgrade accepted?"""
        self._rest = rest
        self._received: trio.Event | None = None
        self._closed = False

    async def accept(self, answer: bytes) -> None:
        """
        Answer the request with yes: from here on this is a WebSocket.

        Raises:
            trio.BrokenResourceError: The socket is gone.
        """
        self.is_open = True
        await self._outbox.send(answer)

    async def wait_received(self) -> None:
        """Wait until the client is heard again; for one task at a time."""
        self._received = trio.Event()
        try:
            await self._received.wait()
        finally:
            self._received = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Read what follows the head."""
        if self._closed:
            raise trio.ClosedResourceError
        if self._rest:
            data, self._rest = self._rest, b""
            await trio.lowlevel.checkpoint()
        else:
            self.is_listening = True
            try:
                data = bytes(await self._stream.receive_some(max_bytes))
            finally:
                self.is_listening = False
            self.last_received = trio.current_time()
            if self._received is not None:
                self._received.set()
        if self._connection.principal is None:
            self._count_stranger(data)
        return data

    def _count_stranger(self, data: bytes) -> None:
        self._stranger_bytes -= len(data)
        if self._stranger_bytes < 0:
            reason = "too much was sent before connect"
            self._connection.fail(ErrorCode.MESSAGE_TOO_BIG, Closing(CloseCode.MESSAGE_TOO_BIG, reason))
            self._closed = True
            raise trio.ClosedResourceError

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """
        Put one whole frame behind what already waits.

        Raises:
            trio.BrokenResourceError: The socket is gone.
            trio.ClosedResourceError: It was a close frame: trio-websocket stops at once, and handles
                nothing that the client may have sent after it.
        """
        frame = bytes(data)
        if framing.is_close(frame):
            self.close_frame = frame
            self._closed = True
            raise trio.ClosedResourceError
        await self._outbox.send(frame)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self._outbox.wait_room()

    async def aclose(self) -> None:
        """trio-websocket is done; the socket closes when the connection has said goodbye."""
        self._closed = True
        await trio.lowlevel.checkpoint()


async def open_websocket(
    nursery: trio.Nursery, transport: Transport, answer: bytes, max_message_bytes: int
) -> WebSocketConnection:
    """
    Grant an upgrade with *answer*, and have a task of *nursery* read what follows.

    Raises:
        trio.BrokenResourceError: The socket is gone.
    """
    await transport.accept(answer)
    websocket = WebSocketConnection(
        transport,
        InboundProtocol(),  # type: ignore[arg-type] # it has all of a WSConnection that is asked for
        message_queue_size=1,
        max_message_size=max_message_bytes or sys.maxsize,
        receive_buffer_size=RECEIVE_BYTES,
    )
    # `wrap_server_stream` starts the same task, but makes a wsproto connection of its own, which would read
    # the head once more (550 µs a connect instead of 385) and decode each frame slowly (see `inbound.py`).
    # The name is private: a test fails when it is renamed.
    nursery.start_soon(websocket._reader_task)
    return websocket
