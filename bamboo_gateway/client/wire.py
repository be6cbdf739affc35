"""Messages over a WebSocket, and the greeting with which each connection begins."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import attrs
import trio

from ..errors import InvalidMessageError
from ..protocol.closing import CloseCode
from ..protocol.codec import decode_event, encode
from ..protocol.messages import ClientMessage, Connect, Connected, Error, GatewayEvent, Shutdown
from .endpoint import Endpoint
from .errors import ClosedError, ConnectError, RefusedError
from .limits import ClientLimits
from .websocket import WebSocket, open_websocket


class Wire:
    """One connection, as messages."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._retry_after: float | None = None
        self._jitter: float | None = None

    async def send(self, message: ClientMessage) -> None:
        """
        Send one message. Cancelled in the midst of it, the connection is of no more use.

        Raises:
            ClosedError: The connection is over; `receive` knows better why.
            InvalidMessageError: The message holds what no message can.
        """
        await self._websocket.send(encode(message).decode())

    async def receive(self) -> tuple[GatewayEvent, int]:
        """
        Wait for one event; return it and the size of its text. Cancelled, none is lost.

        Raises:
            ClosedError: The connection is over; it knows what the gateway said about coming back.
        """
        try:
            text = await self._websocket.receive()
        except ClosedError as error:
            raise ClosedError(
                error.code, error.reason, retry_after=self._retry_after, jitter=self._jitter
            ) from None
        try:
            event = decode_event(text)
        except InvalidMessageError as error:
            said = f"the peer sent what is no event: {error}"
            raise ClosedError(CloseCode.PROTOCOL_ERROR, said) from None
        match event:
            case Shutdown(retry_after=seconds, jitter=jitter):
                self._retry_after, self._jitter = seconds, jitter
            case Error(seq=None, id=None, retry_after=float(seconds)):
                self._retry_after = seconds
            case _:
                pass
        return event, len(text)

    async def greet(self, hello: Connect) -> Connected:
        """
        Say *hello*, and wait for the answer.

        Raises:
            RefusedError: The gateway does not want this client.
            ConnectError: It speaks another protocol.
            ClosedError: The connection ended before the answer.
        """
        with suppress(ClosedError):  # what the peer said of it is yet to be received
            await self.send(hello)
        while True:
            event, _ = await self.receive()
            match event:
                case Connected(protocol=protocol):
                    if protocol != hello.protocol:
                        raise ConnectError(
                            f"the gateway speaks protocol {protocol or 1}, this client {hello.protocol}"
                        )
                    return event
                case Error(code=code, message=message, retryable=retryable, retry_after=retry_after):
                    raise RefusedError(code, message, retryable=bool(retryable), retry_after=retry_after)
                case _:
                    pass


@attrs.frozen
class Door:
    """Where a gateway is, and how to get in."""

    endpoint: Endpoint
    ssl_context: ssl.SSLContext | None
    limits: ClientLimits

    @asynccontextmanager
    async def open(
        self, hello: Connect, max_seconds: float = math.inf
    ) -> AsyncIterator[tuple[Wire, Connected]]:
        """
        Connect and say *hello*, within `connect_timeout` and *max_seconds*; close when the block is left.

        Raises:
            ConnectError: There is no gateway that could be reached in time.
            RefusedError: The gateway does not want this client.
            ClosedError: The connection ended before the gateway's answer.
        """
        seconds = min(self.limits.connect_timeout, max_seconds)
        async with AsyncExitStack() as stack:
            with _deadline(seconds, self.endpoint.url):
                opening = open_websocket(self.endpoint, self.ssl_context, self.limits)
                wire = Wire(await stack.enter_async_context(opening))
                connected = await wire.greet(hello)
            yield wire, connected


@contextmanager
def _deadline(seconds: float, url: str) -> Iterator[None]:
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError:
        raise ConnectError(f"no answer from {url} within {seconds:g} seconds") from None
