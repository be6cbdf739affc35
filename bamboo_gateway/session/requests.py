"""
What can be asked of the session registry: small imperative values, each with the type of its reply.

What an embedding program may put into one is checked when the value is made: a
slip surfaces where it was made, and not in the registry, which it would end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs
from attrs.validators import and_, ge, instance_of, max_len, min_len, optional

from ..principal import LOCAL, Principal
from ..protocol.messages import (
    MAX_ID_LENGTH,
    AgentComplete,
    ChannelMessage,
    Chat,
    ChatAccepted,
    Error,
    Json,
    LoggedEvent,
)
from .access import SHARED, SharedAccess
from .history import HistoryMessage
from .limits import TableLimits
from .outcomes import Answer, MessageKey
from .session import ConnectionHandle, Session
from .stored import Run, StoredSession

ReplyT = TypeVar("ReplyT")


class Request(Generic[ReplyT]):
    """Something to be applied by the registry, in one step; the reply is a *ReplyT*."""

    __slots__ = ()

    @property
    def subject(self) -> str | None:
        """The id of the session that has to be in memory, if there is one, before this can be applied."""
        return None


class SessionRequest(Request[ReplyT]):
    """A request on the session that its `session_id` names."""

    __slots__ = ()

    @property
    def subject(self) -> str | None:
        """That session."""
        named: str | None = getattr(self, "session_id")  # noqa: B009 -- each subclass has the field
        return named


@attrs.frozen
class Caller:
    """On whose behalf a request is made."""

    principal: Principal
    connection_id: str | None = None
    """Its session is meant where a request names none."""


OPERATOR = Caller(LOCAL)
"""The embedding program itself."""


def _text(_: object, field: attrs.Attribute[Any], value: object) -> None:
    """Every text comes back in some frame, where a lone surrogate could not be sent."""
    if not isinstance(value, str):
        raise TypeError(f"{field.name} must be a str, not {type(value).__name__}")
    value.encode()


def _message(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, ChannelMessage):
        raise TypeError(f"{field.name} must be a ChannelMessage, not {type(value).__name__}")
    _text(value, attrs.fields(ChannelMessage).channel, value.channel)
    _optional_text(value, attrs.fields(ChannelMessage).session_id, value.session_id)


_optional_text = optional(_text)
_name = and_(_text, min_len(1), max_len(MAX_ID_LENGTH))
_mapping = instance_of(Mapping)  # type: ignore[type-abstract]  # any kind of mapping is welcome
_count = and_(instance_of(int), ge(0))
_seconds: Any = [instance_of((int, float)), ge(0)]
_page = and_(instance_of(int), ge(1))


def _grant(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if value is not None and value not in SHARED:
        raise ValueError(f"{field.name} must be one of {', '.join(SHARED)} or None, not {value!r:.80}")


# ── sessions ─────────────────────────────────────────────────────────────────


@attrs.frozen
class CreateSession(Request[Session]):
    """Make a session that nobody watches yet."""

    user_id: str = attrs.field(validator=_text)
    session_id: str = attrs.field(validator=_text)
    """A fresh id."""
    name: str | None = attrs.field(default=None, validator=_optional_text)
    metadata: Mapping[str, Json] = attrs.field(factory=dict, validator=_mapping)
    caller: Caller = attrs.field(default=OPERATOR, kw_only=True)
    """Who makes it, and is held to a quota; the embedding program makes as many as it likes, for anybody."""


@attrs.frozen
class GetSession(SessionRequest[Session]):
    """Look at a session."""

    caller: Caller
    session_id: str | None = attrs.field(default=None, validator=_optional_text)


@attrs.frozen
class SessionPage:
    """Some sessions, in the order that was asked for."""

    sessions: Sequence[Session]
    next: int | None
    """Give it as `after` for the next page; None: this is the last."""


@attrs.frozen
class RefreshSessions(Request[Sequence[Session]]):
    """
    Sessions as they are now, where they are in memory; as they were stored, where they are not.

    What the caller may no longer read is left out, and what is temporary.
    """

    caller: Caller
    sessions: Sequence[Session]


@attrs.frozen
class RenameSession(SessionRequest[Session]):
    """Give a session a name; None takes it away."""

    caller: Caller
    session_id: str | None = attrs.field(validator=_optional_text)
    name: str | None = attrs.field(validator=_optional_text)


@attrs.frozen
class SetMetadata(SessionRequest[Session]):
    """Merge keys into a session's metadata; a null takes its key away (RFC 7396, one level)."""

    caller: Caller
    session_id: str | None = attrs.field(validator=_optional_text)
    metadata: Mapping[str, Json] = attrs.field(validator=_mapping)


@attrs.frozen
class ShareSession(SessionRequest[Session]):
    """Let somebody else read a session, or chat in it; or no longer: their connections are sent away then."""

    caller: Caller
    session_id: str | None = attrs.field(validator=_optional_text)
    user_id: str = attrs.field(validator=_name)
    """To whom it is granted; not who owns it."""
    access: SharedAccess | None = attrs.field(validator=_grant)
    """No more than this; None: nothing."""


@attrs.frozen
class DeleteSession(SessionRequest[str]):
    """End a session: its turn is cancelled, its watchers are told. The reply is its id."""

    caller: Caller
    session_id: str | None = attrs.field(validator=_optional_text)


@attrs.frozen
class HistoryPage:
    """Some messages of a conversation, oldest first."""

    messages: Sequence[HistoryMessage]
    first: int
    """The number of the first of them; give it as `before` for the page ahead of this one."""
    has_more: bool
    """Are there older ones?"""
    seq: int
    """The last event of the session's log that is in the messages, also in the answer that is being given."""
    queued: Sequence[Run] = ()
    """Chats that wait for their turn, in order: they are no messages yet."""


@attrs.frozen
class HistoryTail:
    """That part of a page of a conversation which is in memory."""

    session_id: str
    messages: Sequence[HistoryMessage]
    first: int
    """The number of the first message of the whole page."""
    end: int
    """The storage has the messages from `first` up to and without this one."""
    seq: int
    queued: Sequence[Run] = ()
    """As in `HistoryPage`."""


@attrs.frozen
class GetHistory(SessionRequest[HistoryTail]):
    """Read the conversation, newest page first."""

    caller: Caller
    session_id: str | None = attrs.field(validator=_optional_text)
    limit: int = attrs.field(validator=_page)
    before: int | None = attrs.field(default=None, validator=optional(_count))


@attrs.frozen
class DeleteInactive(SessionRequest[bool]):
    """Delete a session that nobody watches, runs nothing and was last active *max_age* seconds ago."""

    session_id: str
    max_age: float = attrs.field(validator=_seconds)


@attrs.frozen
class RestoreSession(Request[None]):
    """Take in what the storage has of a session; None: there is no such session."""

    session_id: str
    stored: StoredSession | None


@attrs.frozen
class Flush(Request[None]):
    """Nothing: the reply comes when all that was asked before is durable."""


@attrs.frozen
class Drain(Request[None]):
    """Begin no turn, and refuse clients what is new (`STOPPING`): the gateway is about to stop."""

    retry_after: float
    """Seconds after which they may say it again."""


@attrs.frozen
class Admit(Request[None]):
    """Let a client have done what changes no session, unless the gateway is about to stop."""


@attrs.frozen
class Tidy(Request[None]):
    """Let go of what is too old, and of sessions that nobody has needed for *max_idle* seconds."""

    max_idle: float


# ── connections ──────────────────────────────────────────────────────────────


@attrs.frozen
class Attach(SessionRequest[Session]):
    """Let a connection watch a session, in place of the one that it watched."""

    caller: Caller
    connection: ConnectionHandle = attrs.field(validator=instance_of(ConnectionHandle))
    session_id: str | None = attrs.field(validator=_optional_text)
    new_session_id: str | None = None
    """Made where `session_id` is None or unknown to the caller; None: that is an error."""
    last_seq: int | None = None
    epoch: str | None = None
    channels: Mapping[str, int] = attrs.field(factory=dict)
    exclusive: bool = False
    is_exact: bool = False
    """Replay tokens as they were."""
    is_temporary: bool = False
    """One that is made goes with its last watcher."""


@attrs.frozen
class Detach(Request[bool]):
    """A connection no longer watches; the reply says whether it did."""

    connection_id: str
    session_id: str | None = attrs.field(default=None, validator=_optional_text)
    """Only if it is this one."""


# ── events and turns ─────────────────────────────────────────────────────────


@attrs.frozen
class AppendEvent(SessionRequest[int]):
    """Add an embedder's event to a session's log; the reply is its `seq`."""

    session_id: str = attrs.field(validator=_text)
    event: LoggedEvent


@attrs.frozen
class BroadcastEvent(Request[int]):
    """Add an event to the broadcast log; the reply is its `seq` there."""

    event: LoggedEvent


@attrs.frozen
class EmitEvents(Request[None]):
    """Add events of a running turn, in order; of a turn that is over, nothing more is heard."""

    session_id: str
    run_id: str
    events: Sequence[LoggedEvent]


@attrs.frozen
class SubmitChat(Request[ChatAccepted]):
    """Give a chat to the agent of the caller's session: now, or when the turns before it are over."""

    caller: Caller
    chat: Chat
    run_id: str
    """A fresh id for the turn."""


@attrs.frozen
class EndTurn(Request[None]):
    """A turn is over; the next one begins."""

    session_id: str
    run_id: str
    outcome: AgentComplete | Error


@attrs.frozen
class AbortTurn(SessionRequest[Sequence[str]]):
    """Abort one turn, or all that run or wait; the reply names them."""

    caller: Caller
    session_id: str | None = attrs.field(default=None, validator=_optional_text)
    run_id: str | None = attrs.field(default=None, validator=_optional_text)


# ── channels ─────────────────────────────────────────────────────────────────


@attrs.frozen
class ChannelInfo:
    """A channel inside the gateway."""

    name: str
    members: int
    """Sessions that have joined."""
    joined: bool
    """Is the caller's session one of them?"""
    last_seq: int
    owned: bool = False
    """May the caller delete it?"""


@attrs.frozen
class CreateChannel(Request[ChannelInfo]):
    """Make a channel that nobody has joined yet: the caller's; that of an operator is the gateway's."""

    caller: Caller
    name: str = attrs.field(validator=_name)


@attrs.frozen
class DeleteChannel(Request[str]):
    """End a channel: its members leave, and its log is no more. The reply is its name."""

    caller: Caller
    name: str = attrs.field(validator=_name)


@attrs.frozen
class ListChannels(Request[Sequence[ChannelInfo]]):
    """List the channels, oldest first."""

    caller: Caller


@attrs.frozen
class JoinChannel(SessionRequest[ChannelInfo]):
    """Let a session's watchers follow a channel from now on."""

    caller: Caller
    session_id: str | None
    name: str


@attrs.frozen
class LeaveChannel(SessionRequest[ChannelInfo]):
    """End that."""

    caller: Caller
    session_id: str | None
    name: str


@attrs.frozen
class GetMember(SessionRequest[Session]):
    """Look at a session that has joined a channel."""

    caller: Caller
    session_id: str | None
    name: str


@attrs.frozen
class SendToChannel(Request[int]):
    """Add a message from a member or from outside to a channel's log; the reply is its `seq` there."""

    message: ChannelMessage = attrs.field(validator=_message)

    @property
    def subject(self) -> str | None:
        """The sender's session."""
        return self.message.session_id


# ── messages that carry an id ────────────────────────────────────────────────


@attrs.frozen
class Known:
    """What became of a message that was heard before."""

    answer: Answer | None
    """None: it is still being carried out for another connection, and the answer is sent when it is."""


@attrs.frozen
class Performed:
    """What came of a message that is new."""

    answer: Answer
    session_id: str | None
    """The session that remembers it; None: there is none."""


@attrs.frozen
class Perform(Request[ReplyT]):
    """Apply a request of a client that gave its message no id: each time is the first."""

    request: Request[ReplyT]

    @property
    def subject(self) -> str | None:
        """That of the request within."""
        return self.request.subject


@attrs.frozen
class PerformOnce(Request[Performed | Known]):
    """
    Apply a request and remember what came of it, in one step; unless that was done before.

    A refusal is not remembered: nothing was done.
    """

    caller: Caller
    key: MessageKey
    request: Request[Any]
    describe: Callable[[Any], Answer]
    """Makes the answer of the reply; has no effect."""
    interrupted: Answer | None = None
    """Set where something has to follow, as with `Claim`; `Settle` tells of its end."""

    @property
    def subject(self) -> str | None:
        """That of the request within."""
        return self.request.subject


@attrs.frozen
class Claimed:
    """The message is new, and whoever claimed it shall carry it out."""

    session_id: str | None
    """The session that remembers it, to be told what became of it; None: there is none."""


@attrs.frozen
class Claim(Request[Claimed | Known]):
    """Carry out a message outside of the registry, unless that was done before; `Settle` tells of its end."""

    caller: Caller
    key: MessageKey
    interrupted: Answer
    """What a repeat is told, should the gateway end before the message is settled."""


@attrs.frozen
class Abandon(Request[None]):
    """The caller does not carry out what it has claimed, or may have: it does not know."""

    caller: Caller
    key: MessageKey
    answer: Answer
    """For whoever has said the same meanwhile."""
    is_new: bool
    """Nothing of it was done, so it may be said again; otherwise `answer` is what a repeat is told."""


@attrs.frozen
class Settle(SessionRequest[None]):
    """What became of a message that was claimed; or of a performed one, in place of what was remembered."""

    caller: Caller
    session_id: str
    key: MessageKey
    answer: Answer


# ── limits ───────────────────────────────────────────────────────────────────


@attrs.frozen
class ReplaceLimits(Request[None]):
    """
    Hold what comes from now on to other limits; what is there already stays.

    Those of each session and of all logs are left as they are: they take a new start.
    """

    limits: TableLimits


# ── while the storage fails ──────────────────────────────────────────────────

UNDISTURBED: frozenset[type] = frozenset(
    {
        GetSession,
        GetHistory,
        GetMember,
        RefreshSessions,
        ListChannels,
        Attach,
        Detach,
        Admit,
        Drain,
        ReplaceLimits,
    }
)
"""What may go on with what is in memory: it promises nothing that would have to be kept."""

INTERNAL: frozenset[type] = frozenset({EmitEvents, EndTurn, RestoreSession, Settle, Abandon})
"""What nobody could ask again: it is applied, and waits for the storage with all that follows from it."""


# ── while the gateway is about to stop ───────────────────────────────────────

WINDING_UP: frozenset[type] = frozenset({AbortTurn})
"""What clients may still change: it brings the end nearer."""
