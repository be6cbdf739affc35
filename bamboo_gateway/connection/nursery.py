"""
One connection from accept to close: its tasks, its end, and the one boundary that its errors do not cross.

The nursery holds reader, writer and heartbeat (and trio-websocket's own reader).
They are joined by memory channels: messages come to the reader, wake-ups go to
the writer, and the first reason to close goes to the nursery's body, which ends
them all.
"""

from __future__ import annotations

import attrs
import structlog
import trio
from trio_websocket import WebSocketConnection

from ..channel_manager import ChannelManager
from ..config import GatewayConfig
from ..errors import ErrorCode
from ..protocol import framing
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import Shutdown
from ..registry import SessionRegistry
from ..router import MessageRouter
from ..session.requests import Detach
from .connection import Connection
from .handshake import open_websocket
from .heartbeat import run_heartbeat
from .outbox import Outbox
from .pool import ConnectionPool
from .reader import Reader, run_reader
from .transport import HandshakeError, Transport
from .writer import run_writer

log = structlog.get_logger(__name__)

STOPPING = Closing(CloseCode.GOING_AWAY, "the gateway stops")
"""What clients are told when a cancel comes from outside: nothing else cancels a connection."""

_FAILED = Closing(CloseCode.INTERNAL_ERROR, "the gateway failed on this connection")
_FULL = Closing(CloseCode.TRY_AGAIN_LATER, "the gateway is full")
_UNSAID = (CloseCode.NO_STATUS, CloseCode.ABNORMAL)
"""Codes that no frame may carry (RFC 6455 §7.4.1)."""


@attrs.frozen
class Host:
    """What a connection needs of its gateway."""

    config: GatewayConfig
    pool: ConnectionPool
    registry: SessionRegistry
    router: MessageRouter
    channels: ChannelManager


async def serve_stream(host: Host, stream: trio.abc.HalfCloseableStream) -> None:
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


async def _serve(host: Host, stream: trio.abc.HalfCloseableStream, *, admitted: bool) -> None:
    outbox = Outbox(_fileno(stream))
    transport = Transport(stream, outbox)
    connection = Connection(outbox)
    closing = STOPPING
    try:
        closing = await _attend(host, stream, transport, connection, admitted=admitted)
        await host.registry.tell(Detach(connection.id))
    finally:
        host.pool.remove(connection)
        host.pool.count(closing.code)
        log.info("connection closed", connection=connection.id, code=int(closing.code), reason=closing.reason)
        deadline = trio.current_time() + host.config.close_timeout
        with trio.CancelScope(shield=True, deadline=deadline):
            await _say_goodbye(stream, transport, outbox, closing)


async def _attend(
    host: Host,
    stream: trio.abc.HalfCloseableStream,
    transport: Transport,
    connection: Connection,
    *,
    admitted: bool,
) -> Closing:
    """Run the tasks of the connection until something ends it; tell what."""
    closing = _FAILED
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_writer, connection, stream, host.config.write_timeout)
            websocket = await _shake_hands(host.config, nursery, transport)
            if admitted:
                _start_tasks(host, nursery, transport, connection, websocket)
            else:
                connection.fail(ErrorCode.CAPACITY_EXCEEDED, _FULL)
            closing = await connection.wait_closing()
            nursery.cancel_scope.cancel()
    except* HandshakeError as group:
        closing = Closing(CloseCode.ABNORMAL, str(group.exceptions[0]))
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        closing = Closing(CloseCode.ABNORMAL, "the socket is gone")
    except* Exception:
        log.exception("connection failed", connection=connection.id)
    return closing


async def _shake_hands(
    config: GatewayConfig, nursery: trio.Nursery, transport: Transport
) -> WebSocketConnection:
    with trio.move_on_after(config.handshake_timeout):
        await transport.read_head()
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
    reader = Reader(connection, config, host.registry, host.router, host.channels)
    nursery.start_soon(run_reader, reader, websocket, config.connect_timeout)
    nursery.start_soon(
        run_heartbeat, connection, transport, config.heartbeat_interval, config.heartbeat_timeout
    )


async def _say_goodbye(
    stream: trio.abc.HalfCloseableStream, transport: Transport, outbox: Outbox, closing: Closing
) -> None:
    """
    Deliver what waits and a close frame, and see the client go.

    Reading on to the end is what keeps the frame alive (RFC 6455 §7.1.1): a
    socket closed over unread bytes is reset, and the client never reads why.
    """
    if transport.is_open and not transport.close_sent and closing.code not in _UNSAID:
        if closing is STOPPING:
            outbox.push(outbox.voice.frames(Shutdown(closing.reason)))
        outbox.push(framing.close_frame(closing.code, closing.reason))
    try:
        await outbox.drain_to(stream)
        await stream.send_eof()
        while await stream.receive_some(_LINGER_BYTES):
            pass
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the client was quicker


_LINGER_BYTES = 64 * 1024


def _fileno(stream: trio.abc.Stream) -> int | None:
    """Only a plain socket can be written to in place."""
    return stream.socket.fileno() if isinstance(stream, trio.SocketStream) else None
