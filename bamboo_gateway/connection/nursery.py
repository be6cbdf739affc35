"""
One connection from accept to close: its tasks, its end, and the one boundary that its errors do not cross.

The nursery holds reader and heartbeat (and trio-websocket's own reader); the
first reason to close ends them all. Around it is the writer, which outlives them:
it delivers what still waits, and the goodbye.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from ..config import GatewayConfig
from ..errors import ErrorCode
from ..protocol import framing
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import Shutdown
from ..session.requests import Detach
from .connection import FAILED, STOPPING, Connection
from .handshake import open_websocket
from .heartbeat import run_heartbeat
from .host import Host
from .outbox import Outbox
from .reader import Reader, run_reader
from .transport import HandshakeError, Transport
from .writer import run_writer

log = structlog.get_logger(__name__)

STRANGER_MESSAGES = 4
"""Messages of the largest size that a client may send before `connect` was accepted."""

RETRY_AFTER = 1.0
"""Seconds after which a client of a gateway that stops may try again: what a restart takes at least."""

_FULL = Closing(CloseCode.TRY_AGAIN_LATER, "the gateway is full")
_GONE = Closing(CloseCode.ABNORMAL, "the socket is gone")

_UNSAID = (CloseCode.NO_STATUS, CloseCode.ABNORMAL)
"""Codes that no frame may carry (RFC 6455 §7.4.1)."""


async def serve_stream(host: Host, stream: trio.abc.Stream) -> None:
    """
    Serve one accepted stream, and close it.

    Whatever goes wrong in here ends this connection alone: an error that escaped
    would stop `trio.serve_listeners`, and so every client. A cancel closes the
    connection with `STOPPING`, within `close_timeout`.
    """
    try:
        with host.pool.slot() as admitted:
            if admitted is not None:
                await _serve(host, stream, admitted=admitted)
    finally:
        await trio.aclose_forcefully(stream)


async def _serve(host: Host, stream: trio.abc.Stream, *, admitted: bool) -> None:
    connection = Connection(Outbox(_fileno(stream)))
    max_stranger_bytes = STRANGER_MESSAGES * host.config.max_unauthenticated_message_bytes
    transport = Transport(stream, connection, max_stranger_bytes)
    async with trio.open_nursery() as nursery:
        # Shielded until the goodbye's deadline: what is cut in the midst would be the client's last frame.
        writing = trio.CancelScope(shield=True)
        nursery.start_soon(_write, connection, stream, host.config.write_timeout, writing)
        try:
            with _boundary(connection):
                await _attend(host, transport, connection, admitted=admitted)
        finally:
            host.pool.remove(connection)
            closing = connection.closing or STOPPING
            host.pool.count(closing.code)
            log.info(
                "connection closed", connection=connection.id, code=int(closing.code), reason=closing.reason
            )
            writing.deadline = trio.current_time() + host.config.close_timeout
            with trio.CancelScope(shield=True, deadline=writing.deadline):
                with _boundary(connection):
                    await host.registry.tell(Detach(connection.id))
                with _boundary(connection):
                    await _say_goodbye(stream, transport, connection.outbox, closing)
            writing.cancel()
            # Its descriptor is soon another socket's: nobody who still knows this connection may write to it.
            connection.outbox.break_off()


async def _write(
    connection: Connection, stream: trio.abc.SendStream, write_timeout: float, scope: trio.CancelScope
) -> None:
    with scope, _boundary(connection):
        await run_writer(connection, stream, write_timeout)


async def _attend(host: Host, transport: Transport, connection: Connection, *, admitted: bool) -> None:
    """Run the tasks of the connection until something ends it."""
    async with trio.open_nursery() as nursery:
        websocket = await _shake_hands(host.config, nursery, transport)
        if admitted:
            _start_tasks(host, nursery, transport, connection, websocket)
        else:
            connection.fail(ErrorCode.CAPACITY_EXCEEDED, _FULL)
        await connection.wait_closing()
        nursery.cancel_scope.cancel()


@contextmanager
def _boundary(connection: Connection) -> Iterator[None]:
    """Whatever goes wrong within ends this connection alone."""
    try:
        yield
    except* HandshakeError as group:
        connection.close(Closing(CloseCode.ABNORMAL, str(group.exceptions[0])))
    # The last: trio-websocket (0.12.2, measured) may answer a ping after it has found the socket broken.
    except* (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionClosed, LocalProtocolError):
        connection.close(_GONE)
    except* Exception:  # noqa: BLE001 -- logged, without the local variables that structlog would add
        log.error("connection failed", exception=traceback.format_exc(), connection=connection.id)
        connection.close(FAILED)


async def _shake_hands(
    config: GatewayConfig, nursery: trio.Nursery, transport: Transport
) -> WebSocketConnection:
    with trio.move_on_after(config.head_timeout):
        return await open_websocket(nursery, transport, config.allowed_origins, config.max_message_bytes)
    raise HandshakeError("the handshake took too long")


def _start_tasks(
    host: Host,
    nursery: trio.Nursery,
    transport: Transport,
    connection: Connection,
    websocket: WebSocketConnection,
) -> None:
    host.pool.add(connection)
    config = host.config
    nursery.start_soon(run_reader, Reader(connection, host), websocket, config.connect_timeout)
    nursery.start_soon(
        run_heartbeat, connection, transport, config.heartbeat_interval, config.heartbeat_timeout
    )


async def _say_goodbye(
    stream: trio.abc.Stream, transport: Transport, outbox: Outbox, closing: Closing
) -> None:
    """
    Have the writer deliver what waits and a close frame, end it, and see the client go.

    Reading on to the end is what keeps the frame alive (RFC 6455 §7.1.1): a
    socket closed over unread bytes is reset, and the client never reads why.
    """
    if closing is STOPPING and transport.is_open:
        outbox.push(outbox.voice.frames(Shutdown(closing.reason, retry_after=RETRY_AFTER)))
    if transport.close_frame:
        outbox.push(transport.close_frame)
    elif transport.is_open and closing.code not in _UNSAID:
        outbox.push(framing.close_frame(closing.code, closing.reason))
    await outbox.drain()
    if isinstance(stream, trio.abc.HalfCloseableStream):
        await stream.send_eof()
    while await stream.receive_some(_LINGER_BYTES):
        pass


_LINGER_BYTES = 64 * 1024


def _fileno(stream: trio.abc.Stream) -> int | None:
    """Only a plain socket can be written to in place."""
    return stream.socket.fileno() if isinstance(stream, trio.SocketStream) else None
