"""A connection as the rest of the gateway knows it: something to be spoken to, and to be ended."""

from __future__ import annotations

import uuid

import trio

from ..errors import ERROR_CODES, ErrorCode
from ..principal import Principal
from ..protocol import versions
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import Connected, Error, GatewayEvent
from ..session.session import ConnectionHandle
from .admission import Entrant
from .outbox import Outbox

STOPPING = Closing(CloseCode.GOING_AWAY, "the gateway stops")
"""What clients are told when a cancel comes from outside: nothing else cancels a connection."""

FULL = Closing(CloseCode.TRY_AGAIN_LATER, "the gateway is full")
"""What clients beyond `max_connections` are told."""

FAILED = Closing(CloseCode.INTERNAL_ERROR, "the gateway failed on this connection")
"""What a client is told of a bug; the log knows more."""


class Connection:
    """
    One open socket.

    Invariant: `id` is never used twice; the first reason to close is the one
    that is told.
    """

    def __init__(self, outbox: Outbox, entrant: Entrant | None = None, address: str = "") -> None:
        self.id = uuid.uuid4().hex
        self.outbox = outbox
        self.entrant = entrant or Entrant(address)
        """Its place among those who have yet to say who they are."""
        self.address = address
        """Whence it came: an IP address, or `unix`; empty: unknown."""
        self.number = 0
        """Its place among all that were in the pool, from 1; 0: it was not yet."""
        self.handle: ConnectionHandle | None = None
        """As the registry knows it, since a `connect` of it was accepted."""
        self.principal: Principal | None = None
        """Who speaks; None until `connect` was accepted."""
        self.session_id: str | None = None
        """The session that it was last greeted with; the registry alone knows whether it still watches it."""
        self.closing: Closing | None = None
        """Why it ends, once it does."""
        self._closing = trio.Event()

    def send(self, event: GatewayEvent) -> None:
        """
        Say *event* now: in place, or as soon as the client takes it. Never waits.

        Raises:
            InvalidMessageError: The event cannot be encoded.
        """
        self.outbox.push(self.outbox.voice.frames(event))
        self.outbox.flush()

    def refuse(
        self,
        code: ErrorCode,
        message: str,
        *,
        message_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Tell the client why something was refused, and after how many seconds it may be granted."""
        error = Error(
            code,
            message,
            session_id=self.session_id,
            id=message_id,
            retryable=ERROR_CODES[code].retryable or None,
            retry_after=retry_after,
        )
        self.send(error)

    def greet(self, greeting: Connected, *, is_exact: bool) -> None:
        """Let it watch another session from here on; `push` only, to be flushed with what follows."""
        self.session_id = greeting.session_id
        self.outbox.is_exact = is_exact
        self.outbox.speak(protocol=greeting.protocol or versions.SEED)
        self.outbox.push(self.outbox.voice.frames(greeting))

    def close(self, closing: Closing) -> None:
        """End the connection, for the first reason that is given."""
        self.closing = self.closing or closing
        self._closing.set()

    def fail(self, code: ErrorCode, closing: Closing, *, retry_after: float | None = None) -> None:
        """End the connection with an error that is delivered before the close frame."""
        self.refuse(code, closing.reason, retry_after=retry_after)
        self.close(closing)

    async def wait_closing(self) -> None:
        """Wait until something ends the connection."""
        await self._closing.wait()
