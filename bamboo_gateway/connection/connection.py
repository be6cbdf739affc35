"""A connection as the rest of the gateway knows it: something to be spoken to, and to be ended."""

from __future__ import annotations

import uuid

import attrs
import trio

from ..errors import ERROR_CODES, ErrorCode
from ..protocol.closing import Closing
from ..protocol.messages import Connected, Error, GatewayEvent
from ..session.session import Principal
from .outbox import Outbox


class Connection:
    """
    One open socket.

    Invariant: `id` is never used twice; the first reason to close is the one
    that is told.
    """

    def __init__(self, outbox: Outbox) -> None:
        self.id = uuid.uuid4().hex
        self.outbox = outbox
        self.principal: Principal | None = None
        """Who speaks; None until `connect` was accepted."""
        self.session_id: str | None = None
        """The session that it was last greeted with; the registry alone knows whether it still watches it."""
        self._closing_send, self._closing = trio.open_memory_channel[Closing](1)

    def send(self, event: GatewayEvent) -> None:
        """
        Say *event* now: in place, or as soon as the client takes it. Never waits.

        Raises:
            InvalidMessageError: The event cannot be encoded.
        """
        self.outbox.push(self.outbox.voice.frames(event))
        self.outbox.flush()

    def refuse(self, code: ErrorCode, message: str, *, message_id: str | None = None) -> None:
        """Tell the client why something was refused."""
        retryable = ERROR_CODES[code].retryable or None
        self.send(Error(code, message, session_id=self.session_id, id=message_id, retryable=retryable))

    def greet(self, greeting: Connected) -> None:
        """The connection watches another session from here on; `push` only, to be flushed with what follows."""
        self.session_id = greeting.session_id
        self.outbox.voice = attrs.evolve(self.outbox.voice, protocol=greeting.protocol or 1)
        self.outbox.push(self.outbox.voice.frames(greeting))

    def close(self, closing: Closing) -> None:
        """End the connection, for the first reason that is given."""
        try:
            self._closing_send.send_nowait(closing)
        except trio.WouldBlock:
            pass

    def fail(self, code: ErrorCode, closing: Closing) -> None:
        """End the connection with an error that is delivered before the close frame."""
        self.refuse(code, closing.reason)
        self.close(closing)

    async def wait_closing(self) -> Closing:
        """Wait until something ends the connection."""
        return await self._closing.receive()
