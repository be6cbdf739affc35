"""
One connection from its upgrade to its close: its tasks, its end, and the boundary that no error crosses.

The nursery holds reader and heartbeat (and trio-websocket's own reader); the
first reason to close ends them all. Around it is the writer, which outlives them:
it delivers what still waits, and the goodbye.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import attrs
import structlog
import trio
from structlog.contextvars import bound_contextvars
from trio_websocket import ConnectionClosed, WebSocketConnection
from wsproto.utilities import LocalProtocolError

from ..errors import ErrorCode
from ..protocol import framing
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import Shutdown
from ..session.requests import Detach
from .admission import Entrant
from .connection import FAILED, FULL, STOPPING, Connection
from .handshake import Upgrade
from .heartbeat import run_heartbeat
from .host import Host
from .outbox import Outbox
from .reader import Reader, run_reader
from .transport import Transport, open_websocket
from .writer import run_writer

log = structlog.get_logger(__name__)

STRANGER_MESSAGES = 4
"""Messages of the largest size that a client may send before `connect` was accepted."""

RETRY_AFTER = 1.0
"""Seconds after which a client of a gateway that stops may try again: what a restart takes at least."""

_CHANGED = Closing(CloseCode.TRY_AGAIN_LATER, "who may come in has just changed; come again")
_GONE = Closing(CloseCode.ABNORMAL, "the socket is gone")

_UNSAID = (CloseCode.NO_STATUS, CloseCode.ABNORMAL)
"""Codes that no frame may carry (RFC 6455 §7.4.1)."""


class Read(Protocol):
    """What becomes of a client's messages: `read_messages`, unless somebody tests the stack below it."""

    async def __call__(
        self, host: Host, connection: Connection, websocket: WebSocketConnection, connect_deadline: float
    ) -> None:
        """Read until the client closes; by trio's clock, it has until *connect_deadline* to say who it is."""
        ...


async def read_messages(
    host: Host, connection: Connection, websocket: WebSocketConnection, connect_deadline: float
) -> None:
    """Have each message answered by the gateway."""
    await run_reader(Reader(connection, host), websocket, connect_deadline)


@attrs.frozen
class Arrival:
    """A client whose upgrade is granted."""

    stream: trio.abc.Stream
    upgrade: Upgrade
    entrant: Entrant
    address: str
    """Whence it came: an IP address, or `unix`."""
    rest: bytes
    """What came in the packet of the upgrade."""


async def serve_websocket(host: Host, arrival: Arrival, read: Read = read_messages) -> None:
    """
    Serve one client until either side closes; the stream is the caller's to close.

    Whatever goes wrong in here ends this connection alone. A cancel closes it
    with `STOPPING`, within `close_timeout`.
    """
    connection = Connection(Outbox(_fileno(arrival.stream)), arrival.entrant, arrival.address)
    connection.principal = arrival.upgrade.principal
    # By a block, for the task may be an embedding program's own, and go on.
    with bound_contextvars(connection=connection.id):
        await _serve(host, arrival, connection, read)


async def _serve(host: Host, arrival: Arrival, connection: Connection, read: Read) -> None:
    stream = arrival.stream
    stranger_bytes = STRANGER_MESSAGES * (host.config.max_unauthenticated_message_bytes or math.inf)
    transport = Transport(stream, connection, stranger_bytes, arrival.rest)
    async with trio.open_nursery() as nursery:
        # Shielded until the goodbye's deadline: what is cut in the midst would be the client's last frame.
        writing = trio.CancelScope(shield=True)
        nursery.start_soon(_write, connection, stream, host.config.write_timeout, writing)
        try:
            with _boundary(connection):
                await _attend(host, transport, connection, arrival, read)
        finally:
            host.pool.remove(connection)
            closing = connection.closing or STOPPING
            host.pool.count(closing.code)
            log.info(
                "connection closed",
                connection=connection.id,
                session=connection.session_id,
                user=connection.principal.user_id if connection.principal else None,
                address=connection.address,
                code=int(closing.code),
                reason=closing.reason,
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
            host.pool.release(connection)


async def _write(
    connection: Connection, stream: trio.abc.SendStream, write_timeout: float, scope: trio.CancelScope
) -> None:
    with scope, _boundary(connection):
        await run_writer(connection, stream, write_timeout)


async def _attend(
    host: Host, transport: Transport, connection: Connection, arrival: Arrival, read: Read
) -> None:
    """Run the tasks of the connection until something ends it."""
    config = host.config
    async with trio.open_nursery() as nursery:
        websocket = await open_websocket(nursery, transport, arrival.upgrade.answer, config.max_message_bytes)
        if arrival.upgrade.revocations != host.gatekeeper.revocations:
            connection.close(_CHANGED)  # it may be one of theirs, and was not in the pool
        elif _has_room(host, connection):
            host.pool.add(connection)
            nursery.start_soon(read, host, connection, websocket, arrival.entrant.scope.deadline)
            nursery.start_soon(
                run_heartbeat, connection, transport, config.heartbeat_interval, config.heartbeat_timeout
            )
        else:
            connection.fail(ErrorCode.CAPACITY_EXCEEDED, FULL)
        await connection.wait_closing()
        nursery.cancel_scope.cancel()


def _has_room(host: Host, connection: Connection) -> bool:
    """Who has said who it is takes a seat; others need not try where there is none."""
    if connection.principal is None:
        return host.pool.has_seat(host.config.max_connections)
    return host.pool.seat(connection, connection.principal, host.config)


@contextmanager
def _boundary(connection: Connection) -> Iterator[None]:
    """Whatever goes wrong within ends this connection alone."""
    try:
        yield
    # The last: trio-websocket (0.12.2, measured) may answer a ping after it has found the socket broken.
    except* (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionClosed, LocalProtocolError):
        connection.close(_GONE)
    except* Exception:  # noqa: BLE001 -- logged, without the local variables that structlog would add
        log.error("connection failed", exception=traceback.format_exc(), connection=connection.id)
        connection.close(FAILED)


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
