"""The client's end of one WebSocket."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from ..errors import InvalidMessageError
from ..protocol import strict_json
from ..protocol.closing import CloseCode
from .endpoint import Endpoint, Stream
from .errors import ClosedError, ConnectError
from .limits import ClientLimits

MAX_REFUSAL_BYTES = 4096
"""Read of what comes with a refusal: a sentence, and not somebody's page."""

CLOSE_TIMEOUT = 1.0
"""Seconds that a goodbye may take: as long as a gateway gives its clients."""


class WebSocket:
    """
    Whole text messages, in and out, over one stream.

    It stands on wsproto alone: trio-websocket's client end (0.12.2, each
    measured) leaks the socket of a refused handshake, waits without end where
    the peer hangs up in the midst of one, and lets a stray `Cancelled` out where
    a ping is under way while it closes.
    """

    def __init__(self, stream: Stream, limits: ClientLimits) -> None:
        self._stream = stream
        self._limits = limits
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._incoming: deque[Event] = deque()
        self._parts: list[str] = []
        self._size_bytes = 0
        self._sending = trio.Lock()
        self._closed: ClosedError | None = None

    async def shake_hands(self, endpoint: Endpoint) -> None:
        """
        Ask for the upgrade.

        Raises:
            ConnectError: The peer does not want to, or is no WebSocket server.
        """
        try:
            await self._send(Request(host=endpoint.host_header, target=endpoint.resource))
            answer = await self._next_event()
        except (ClosedError, RemoteProtocolError) as error:
            raise ConnectError(
                f"what answers at {endpoint.url} is no WebSocket server; {endpoint.hint}"
            ) from error
        if isinstance(answer, RejectConnection):
            said = await self._read_refusal(answer)
            raise ConnectError(
                f"{endpoint.url} refused a WebSocket with HTTP status {answer.status_code}{said}",
                retry_after=_retry_after(answer),
            )

    async def _read_refusal(self, refusal: RejectConnection) -> str:
        """What the gateway says of why, as far as it can be read."""
        body = b""
        with suppress(ClosedError, RemoteProtocolError):
            while refusal.has_body and len(body) < MAX_REFUSAL_BYTES:
                match await self._next_event():
                    case RejectData(data=data, body_finished=is_last):
                        body += data
                        if is_last:
                            break
                    case _:
                        break
        with suppress(InvalidMessageError, KeyError, TypeError):
            return f": {strict_json.parse(body.decode(errors='replace'))['message']}"
        return ""

    async def send(self, text: str) -> None:
        """
        Send one message. Cancelled in the midst of it, the connection is of no more use.

        Raises:
            ClosedError: The connection is over; `receive` knows better why.
        """
        await self._send(TextMessage(data=text))

    async def receive(self) -> str:
        """
        Wait for one message, answering pings and asking for signs of life. For one task at a time.

        Cancelled, no message is lost.

        Raises:
            ClosedError: The connection is over, or is ended here because of what the peer sent.
        """
        while True:
            match await self._next_event():
                case TextMessage(data=text, message_finished=is_last):
                    self._parts.append(text)
                    self._size_bytes += len(text.encode())
                    if self._size_bytes > self._limits.max_message_bytes:
                        raise await self._end(
                            CloseCode.MESSAGE_TOO_BIG, "this client takes no message so large"
                        )
                    if is_last:
                        message = "".join(self._parts)
                        self._parts, self._size_bytes = [], 0
                        return message
                case Ping() as ping if self._is_open:
                    with suppress(ClosedError):  # why it is over may come behind the ping
                        await self._send(ping.response())
                case BytesMessage():
                    raise await self._end(CloseCode.PROTOCOL_ERROR, "a binary frame came; messages are text")
                case CloseConnection(code=code, reason=reason):
                    raise await self._end(code, reason or "")
                case _:
                    pass

    async def aclose(self) -> None:
        """Say goodbye, wait `CLOSE_TIMEOUT` at most for the answer, and let go of the stream."""
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True), suppress(ClosedError):
            if self._is_open:
                await self._send(CloseConnection(code=CloseCode.NORMAL))
                while True:
                    await self.receive()
        await trio.aclose_forcefully(self._stream)

    @property
    def _is_open(self) -> bool:
        return self._closed is None and self._protocol.state is ConnectionState.OPEN

    async def _next_event(self) -> Event:
        if self._closed:
            raise self._closed.again()
        while not self._incoming:
            try:
                data = await self._receive_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                self._closed = self._closed or _broken_off()
                raise self._closed.again()
            self._protocol.receive_data(data)
            self._incoming.extend(self._protocol.events())
        return self._incoming.popleft()

    async def _receive_some(self) -> bytes:
        """Wait for bytes; ask a silent peer for some, for one that has vanished will never say so."""
        limits = self._limits
        with trio.move_on_after(limits.heartbeat_interval):
            return bytes(await self._stream.receive_some())
        with trio.move_on_after(limits.heartbeat_timeout):
            if self._is_open:
                with suppress(ClosedError):  # what it sent before it broke is still to be received
                    await self._send(Ping())
            return bytes(await self._stream.receive_some())
        silence = limits.heartbeat_interval + limits.heartbeat_timeout
        self._closed = ClosedError(
            CloseCode.ABNORMAL, f"nothing came for {silence:g} seconds, nor the answer to a ping"
        )
        return b""

    async def _send(self, event: Event) -> None:
        async with self._sending:
            if self._closed:
                raise self._closed.again()
            try:
                await self._stream.send_all(self._protocol.send(event))
            except (trio.BrokenResourceError, trio.ClosedResourceError, LocalProtocolError):
                # What the peer said of it may still wait to be received.
                raise _broken_off() from None
            except trio.Cancelled:
                # Half a frame may be out, and whatever followed would be read as its other half.
                self._closed = ClosedError(CloseCode.ABNORMAL, "a message was cancelled while it was sent")
                with trio.move_on_after(CLOSE_TIMEOUT, shield=True):
                    await trio.aclose_forcefully(self._stream)
                raise

    async def _end(self, code: int, reason: str) -> ClosedError:
        """Say the end to the peer, or answer to the peer's, and hang up."""
        state = self._protocol.state
        if state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            with suppress(ClosedError):
                await self._send(CloseConnection(code=code, reason=reason))
        self._closed = self._closed or ClosedError(code, reason)
        if state is ConnectionState.OPEN:
            await self._drain()
        await trio.aclose_forcefully(self._stream)
        return self._closed.again()

    async def _drain(self) -> None:
        """Let the peer finish: a socket closed over unread bytes is reset, and nobody would read why."""
        gone = (trio.BrokenResourceError, trio.ClosedResourceError)
        with trio.move_on_after(CLOSE_TIMEOUT), suppress(*gone):
            while await self._stream.receive_some():
                pass


def _retry_after(answer: RejectConnection) -> float | None:
    """Seconds, as a gateway says it; others may write a date, and are not waited for."""
    for name, value in answer.headers:
        if name.lower() == b"retry-after" and value.isdigit():
            return float(value)
    return None


def _broken_off() -> ClosedError:
    return ClosedError(CloseCode.ABNORMAL, "it broke off without a close frame")


@asynccontextmanager
async def open_websocket(
    endpoint: Endpoint, ssl_context: ssl.SSLContext | None, limits: ClientLimits
) -> AsyncIterator[WebSocket]:
    """
    Open a WebSocket, and close it when the block is left.

    Raises:
        ConnectError: Nobody listens there, or nobody who speaks WebSocket.
    """
    websocket = WebSocket(await endpoint.open_stream(ssl_context), limits)
    try:
        await websocket.shake_hands(endpoint)
        yield websocket
    finally:
        await websocket.aclose()
