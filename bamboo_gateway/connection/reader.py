"""The task that reads what a client sends and has it answered, one message after the other."""

from __future__ import annotations

import math
import time
import uuid

import attrs
import trio
from structlog.contextvars import bind_contextvars
from trio_websocket import ConnectionClosed, WebSocketConnection

from ..errors import ErrorCode, GatewayError, InvalidMessageError
from ..idempotency import Once
from ..principal import Credentials, Family, Principal, Scope
from ..protocol import codec, versions
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import (
    ChannelMessage,
    Chat,
    ChatAccepted,
    ClientMessage,
    Command,
    CommandResult,
    Connect,
    Error,
    GatewayEvent,
)
from ..router import Response, ToAgent, ToChannel
from ..session.outcomes import Answer, MessageKey
from ..session.requests import Attach, Caller, SubmitChat
from ..session.session import ConnectionHandle
from .connection import FAILED, FULL, STOPPING, Connection
from .host import Host
from .message_rate import TokenBucket
from .revocation import end_if_over


async def run_reader(reader: Reader, websocket: WebSocketConnection, connect_deadline: float) -> None:
    """
    Read until the client closes; end the connection if no `connect` was accepted by *connect_deadline*.

    That is by trio's clock. Reads no further while the client does not take its answers.
    """
    connection = reader.connection
    try:
        with trio.move_on_at(connect_deadline) as scope:
            while connection.closing is None:
                await reader.receive(await websocket.get_message())
                # It was for `connect`; from here on the heartbeat watches. To set it takes 5 µs, so once.
                if connection.session_id is not None and scope.deadline != math.inf:
                    scope.deadline = math.inf
                if connection.outbox.is_full:  # or else a trip to the scheduler for nothing: 4 µs
                    await connection.outbox.wait_room()
        if scope.cancelled_caught:
            reason = f"no connect was accepted within {reader.host.config.connect_timeout:g} seconds"
            connection.fail(ErrorCode.CONNECT_TIMEOUT, Closing(CloseCode.CONNECT_TIMEOUT, reason))
    except ConnectionClosed as closed:
        _end(connection, closed)


def _end(connection: Connection, closed: ConnectionClosed) -> None:
    """End as trio-websocket saw it end; a code that is not in the table counts as its nearest kin."""
    reason = closed.reason
    if reason is None:
        connection.close(FAILED)  # its task is over, and never learned why: that tells the nursery
    elif reason.code == CloseCode.ABNORMAL:
        connection.close(Closing(CloseCode.ABNORMAL, "the socket is gone"))
    elif reason.code == CloseCode.MESSAGE_TOO_BIG and (reason.reason or "").startswith(_EXCEEDED):
        connection.fail(ErrorCode.MESSAGE_TOO_BIG, _TOO_BIG)
    else:
        code = CloseCode(reason.code) if reason.code in list(CloseCode) else CloseCode.NORMAL
        connection.close(Closing(code, reason.reason or ""))


_EXCEEDED = "Exceeded maximum message size"
"""trio-websocket's own words: a client may close with that code, too, and is owed no error then."""

_TOO_BIG = Closing(CloseCode.MESSAGE_TOO_BIG, "the message is larger than this gateway takes")


_LASTING = frozenset({Scope.CHAT, Scope.SESSIONS_WRITE, Scope.CHANNELS})
"""Who has none of them has no use for a session of its own, but to ask in."""


@attrs.define
class Reader:
    """
    What becomes of a client's messages.

    Invariant: it touches no session; it asks the router and the registry.
    """

    connection: Connection
    host: Host
    _is_first: bool = attrs.field(default=True, init=False)
    _bucket: TokenBucket = attrs.field(factory=TokenBucket, init=False)

    async def receive(self, text: str | bytes) -> None:
        """Handle one message; whatever is wrong with it is told to the client and to nobody else."""
        connection, host = self.connection, self.host
        wait = host.rates.take(self._bucket, connection.principal, trio.current_time(), host.config)
        if not isinstance(text, str):
            self._refuse_binary(wait)
            return
        if self._is_too_big(text):
            self.connection.fail(ErrorCode.MESSAGE_TOO_BIG, _TOO_BIG)
            return
        if wait:
            self._refuse_for_now(wait, self._find_id(text))
            return
        if self._is_first:
            self._learn_dialect(text)
        try:
            message = codec.decode(text, self.connection.outbox.voice.dialect)
        except InvalidMessageError as error:
            self.connection.refuse(ErrorCode.INVALID_MESSAGE, str(error))
            return
        try:
            await self._handle(message)
        except GatewayError as error:
            self.connection.refuse(
                error.code, error.message, message_id=_id_of(message), retry_after=error.retry_after
            )
        except trio.BrokenResourceError:
            self.connection.close(STOPPING)  # the registry has stopped, and with it the gateway

    def _refuse_binary(self, wait: float) -> None:
        if wait:
            self._refuse_for_now(wait, None)
        else:
            self.connection.refuse(
                ErrorCode.INVALID_MESSAGE, "binary frame: messages are JSON in text frames"
            )

    def _refuse_for_now(self, wait: float, message_id: str | None) -> None:
        self.connection.refuse(
            ErrorCode.RATE_LIMITED,
            "too many messages in too short a time; this one was not looked at",
            message_id=message_id,
            retry_after=math.ceil(wait * 1000) / 1000,
        )

    def _find_id(self, text: str) -> str | None:
        """By its id alone does the client know which of its messages was refused."""
        try:
            return _id_of(codec.decode(text, self.connection.outbox.voice.dialect))
        except InvalidMessageError:
            return None

    def _is_too_big(self, text: str) -> bool:
        """trio-websocket bounds characters; the limits are in bytes, of which a character has up to four."""
        known = self.connection.principal is not None
        config = self.host.config
        limit = config.max_message_bytes if known else config.max_unauthenticated_message_bytes
        if not limit:
            return False
        return len(text) > limit or (len(text) * 4 > limit and len(text.encode()) > limit)

    def _learn_dialect(self, text: str) -> None:
        """The first frame that speaks either dialect decides; until then errors are tagged."""
        dialect = codec.detect_dialect(text)
        if dialect is not None:
            self._is_first = False
            self.connection.outbox.speak(dialect=dialect)

    async def _handle(self, message: ClientMessage) -> None:
        if isinstance(message, Connect):
            await self._connect(message)
            return
        if self.connection.principal is None:
            raise GatewayError(ErrorCode.NOT_CONNECTED, "the first message must be connect")
        caller = Caller(self.connection.principal, self.connection.id)
        match await self.host.router.route(caller, message):
            case Response(event):
                self._answer(event)
            case ToAgent(chat):
                await self.host.registry.ask(SubmitChat(caller, chat, run_id=str(uuid.uuid4())))
            case ToChannel(sent):
                assert isinstance(message, Chat), "commands are answered"
                self._answer(await self._send_to_channel(caller, message, sent))

    async def _send_to_channel(self, caller: Caller, chat: Chat, sent: ChannelMessage) -> Answer | None:
        def refuse(error: GatewayError) -> Error:
            return Error(error.code, error.message, session_id=chat.session_id, id=chat.id)

        accepted = ChatAccepted(chat.session_id, id=chat.id, channel=sent.channel)
        once = Once(self.host.registry, caller, MessageKey.of(chat), refuse)
        return await once.perform(self.host.channels.sending(sent, lambda _: accepted))

    def _answer(self, event: GatewayEvent | None) -> None:
        """Name a session, as all events of protocol 1 do: the connection's own, if none was meant."""
        if event is None:
            return
        if isinstance(event, CommandResult) and event.session_id is None:
            event = attrs.evolve(event, session_id=self.connection.session_id)
        self.connection.send(event)

    async def _connect(self, message: Connect) -> None:
        connection = self.connection
        before = connection.principal
        principal = await self._identify(message)
        if principal is None:
            return
        connection.principal = principal
        if end_if_over(self.host, connection, time.time()):
            return  # since it was let in, which a handshake may have done
        attach = self._attach(message, principal)
        try:
            await self.host.registry.ask(attach)
        except GatewayError:
            # It watches what it watched before, and so it has to be who it was before.
            connection.principal = before or principal
            raise
        connection.handle = attach.connection
        bind_contextvars(session=connection.session_id)  # of what this task logs from here on

    async def _identify(self, message: Connect) -> Principal | None:
        """Tell who it is; None: nobody who may come in, and the connection ends."""
        connection = self.connection
        # Who has proved who they are need not do it again to move to another session.
        if connection.principal is not None and message.auth is None:
            return connection.principal
        try:
            principal = await self.host.gatekeeper.admit(Credentials(message.auth, connection.address))
        except GatewayError as error:
            code = CloseCode.TRY_AGAIN_LATER if error.retryable else CloseCode.UNAUTHORIZED
            connection.fail(error.code, Closing(code, error.message), retry_after=error.retry_after)
            return None
        if not self.host.pool.seat(connection, principal, self.host.config):
            connection.fail(ErrorCode.CAPACITY_EXCEEDED, FULL)
            return None
        return principal

    def _attach(self, message: Connect, principal: Principal) -> Attach:
        handle = ConnectionHandle(
            self.connection.id,
            principal.user_id,
            protocol=versions.negotiate(message.protocol),
            client=message.client,
            connected_at=time.time(),
            hears=frozenset(filter(principal.hears, Family)),
        )
        return Attach(
            Caller(principal, self.connection.id),
            handle,
            message.session_id,
            new_session_id=str(uuid.uuid4()),
            last_seq=message.last_seq,
            epoch=message.epoch,
            channels=message.channels or {},
            exclusive=bool(message.exclusive),
            is_exact=message.replay == "exact",
            is_temporary=bool(message.temporary) or not principal.may(_LASTING),
        )


def _id_of(message: ClientMessage) -> str | None:
    return message.id if isinstance(message, (Chat, Command)) else None
