"""A gateway as a program uses it: requests that are answered, and a stream of events."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Literal

import trio

from ..protocol.codec import encode
from ..protocol.messages import (
    Chat,
    ChatAccepted,
    ClientInfo,
    Command,
    CommandResult,
    Connect,
    Connected,
    Json,
)
from ..protocol.versions import LATEST
from .endpoint import Endpoint
from .errors import NoReplyError, RefusedError
from .events import ClientEvent
from .limits import ClientLimits
from .link import ClientStatistics, Link
from .nursery import open_background_nursery
from .reconnect import Reconnect
from .requests import AnswerT
from .wire import Door


class Client:
    """
    A connected client; `connect` makes it. Iterate over it for the events of its session.

    When the connection breaks it comes back by itself and goes on where it was:
    `Disconnected` and then `Connected` stand in the stream, every other event
    comes as if nothing had happened, and requests wait for their answer. If
    events were lost meanwhile, a `Gap` says which.

    Any number of tasks may use it at once; each event goes to one of those that
    iterate. What nobody reads stays in a bounded buffer. When that is full, the
    client stops reading: answers wait behind the events, and in the end the
    gateway lets go of it (4005). So who sends requests should iterate as well.
    """

    def __init__(self, link: Link, limits: ClientLimits) -> None:
        self._link = link
        self._limits = limits

    @property
    def connected(self) -> Connected:
        """What the gateway answered to `connect`, the last time."""
        assert self._link.connected is not None, "`connect` waits for it"
        return self._link.connected

    @property
    def session_id(self) -> str:
        """The session that this client speaks in: another one, if the gateway has lost it meanwhile."""
        return self.connected.session_id

    def statistics(self) -> ClientStatistics:
        """Count what has come and what waits."""
        return self._link.statistics()

    async def chat(
        self, content: str, *, chat_id: str | None = None, metadata: dict[str, Json] | None = None
    ) -> ChatAccepted:
        """
        Send a chat; return when the gateway has taken it. What the agent says to it comes as events.

        It is sent again after a lost connection, with the same id, as long as this
        call waits. Cancellation takes nothing back. *chat_id* is the chat's key in
        those events, by default a new one; whoever asks once more names the same.

        Raises:
            RefusedError: The gateway did not take it.
            NoReplyError: No word came within the reply timeout.
            ClosedError: The connection is over, and will not come back.
            InvalidMessageError: *metadata* is no JSON.
        """
        chat = Chat(content, self.session_id, id=chat_id or uuid.uuid4().hex, metadata=metadata)
        return await self._ask(chat, ChatAccepted)

    async def command(
        self, name: str, args: Json = None, *, command_id: str | None = None, session_id: str | None = None
    ) -> Json:
        """
        Run a command, for this session or for *session_id*; return its result.

        It is sent again as a chat is. Cancellation takes nothing back. Whoever asks
        once more, after a refusal that is `retryable` or no reply, names the same
        *command_id*, so that nothing runs twice.

        Raises:
            RefusedError: The command failed; `code` says how.
            NoReplyError: No word came within the reply timeout.
            ClosedError: The connection is over, and will not come back.
            InvalidMessageError: *args* are no JSON.
        """
        command = Command(name, args, id=command_id or uuid.uuid4().hex, session_id=session_id)
        answer = await self._ask(command, CommandResult)
        if answer.error is not None:
            error = answer.error
            raise RefusedError(
                error.code, error.message, retryable=bool(error.retryable), retry_after=error.retry_after
            )
        return answer.result

    def __aiter__(self) -> Client:
        return self

    async def __anext__(self) -> ClientEvent:
        """
        Wait for the next event. Cancelled, none is lost.

        Raises:
            ClosedError: The connection is over and will not come back, and all that came has been read.
        """
        return await self._link.events.get()

    async def _ask(self, request: Chat | Command, kind: type[AnswerT]) -> AnswerT:
        encode(request)  # what cannot be sent is this caller's error, and nobody else's
        seconds = self._limits.reply_timeout
        with self._link.requests.expect(request, kind) as expected, trio.move_on_after(seconds):
            return await expected.wait()
        waiting = len(self._link.events)
        unread = f"; {waiting} events wait to be read before it" if waiting else ""
        raise NoReplyError(f"the gateway gave no answer within {seconds:g} seconds{unread}")


@asynccontextmanager
async def connect(  # noqa: PLR0913 – each is one thing that a caller may want, by its name
    url: str,
    *,
    token: str | None = None,
    session_id: str | None = None,
    exclusive: bool = False,
    temporary: bool = False,
    replay: Literal["exact", "merged"] | None = None,
    client: ClientInfo | None = None,
    ssl_context: SSLContext | None = None,
    limits: ClientLimits = ClientLimits(),  # noqa: B008 – it is frozen
    reconnect: Reconnect | None = Reconnect(),  # noqa: B008 – it is frozen
) -> AsyncIterator[Client]:
    """
    Connect to the gateway at *url*; the connection closes when the block is left.

    Args:
        url: `ws://HOST:PORT`, or `wss:`.
        token: What the gateway asks for, if it does.
        session_id: The session to come back to; unknown, a new one opens (see `connected.resumed`).
        exclusive: Close all other connections of the session: now, and not whenever this one comes back.
        temporary: A session that opens for this goes with the connection: for who only asks something.
        replay: `exact`: have what was missed in the pieces in which it was said, and not joined.
        client: What to say of oneself.
        ssl_context: How to check a `wss:` gateway; by default, by the authorities that the system trusts.
        limits: How long to wait, and how much to hold.
        reconnect: When to try again after a lost connection; None: not at all. The first one is tried once.

    Raises:
        ConnectError: There is no gateway that could be reached in time.
        RefusedError: The gateway does not want this client; `UNAUTHORIZED`, say.
        ClosedError: The connection ended before the gateway's answer.
        InvalidMessageError: A text holds what no message can.
    """
    hello = Connect(
        session_id,
        token,
        protocol=LATEST,
        exclusive=exclusive or None,
        temporary=temporary or None,
        replay=replay,
        client=client,
    )
    link = Link(Door(Endpoint.parse(url), ssl_context, limits), hello, reconnect)
    async with open_background_nursery() as nursery:
        await nursery.start(link.run)
        yield Client(link, limits)
