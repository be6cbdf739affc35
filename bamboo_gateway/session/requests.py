"""What can be asked of the session registry: small imperative values, each with the type of its reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import attrs

from ..protocol.messages import AgentComplete, ChannelMessage, Chat, ChatAccepted, Error, Json, LoggedEvent
from .history import HistoryMessage
from .session import ConnectionHandle, Principal, Session

ReplyT = TypeVar("ReplyT")


class Request(Generic[ReplyT]):
    """Something to be applied by the registry, in one step; the reply is a *ReplyT*."""

    __slots__ = ()


@attrs.frozen
class Caller:
    """On whose behalf a request is made."""

    principal: Principal
    connection_id: str | None = None
    """Its session is meant where a request names none."""


OPERATOR = Caller(Principal("local", is_operator=True))
"""The embedding program itself."""


# ── sessions ─────────────────────────────────────────────────────────────────


@attrs.frozen
class CreateSession(Request[Session]):
    """Make a session that nobody watches yet."""

    user_id: str
    session_id: str
    """A fresh id."""
    name: str | None = None
    metadata: Mapping[str, Json] = attrs.field(factory=dict)


@attrs.frozen
class GetSession(Request[Session]):
    """Look at a session."""

    caller: Caller
    session_id: str | None = None


@attrs.frozen
class SessionPage:
    """Some sessions, oldest first."""

    sessions: Sequence[Session]
    next: int | None
    """Give it as `after` for the next page; None: this is the last."""


@attrs.frozen
class ListSessions(Request[SessionPage]):
    """List what the caller may see."""

    caller: Caller
    limit: int
    after: int = 0


@attrs.frozen
class RenameSession(Request[Session]):
    """Give a session a name; None takes it away."""

    caller: Caller
    session_id: str | None
    name: str | None


@attrs.frozen
class SetMetadata(Request[Session]):
    """Merge keys into a session's metadata; a null takes its key away (RFC 7396, one level)."""

    caller: Caller
    session_id: str | None
    metadata: Mapping[str, Json]


@attrs.frozen
class DeleteSession(Request[None]):
    """End a session: its turn is cancelled, its watchers are told."""

    caller: Caller
    session_id: str | None


@attrs.frozen
class HistoryPage:
    """Some messages of a conversation, oldest first."""

    messages: Sequence[HistoryMessage]
    first: int
    """The number of the first of them; give it as `before` for the page ahead of this one."""
    has_more: bool
    """Are there older ones?"""


@attrs.frozen
class GetHistory(Request[HistoryPage]):
    """Read the conversation, newest page first."""

    caller: Caller
    session_id: str | None
    limit: int
    before: int | None = None


@attrs.frozen
class CleanupInactive(Request[Sequence[str]]):
    """Delete the sessions that nobody watches, that run nothing and were last active *max_age* seconds ago."""

    max_age: float


# ── connections ──────────────────────────────────────────────────────────────


@attrs.frozen
class Attach(Request[Session]):
    """Let a connection watch a session, in place of the one that it watched."""

    caller: Caller
    connection: ConnectionHandle
    session_id: str | None
    new_session_id: str | None = None
    """Made where `session_id` is None or unknown to the caller; None: that is an error."""
    last_seq: int | None = None
    epoch: str | None = None
    channels: Mapping[str, int] = attrs.field(factory=dict)
    exclusive: bool = False


@attrs.frozen
class Detach(Request[bool]):
    """A connection no longer watches; the reply says whether it did."""

    connection_id: str
    session_id: str | None = None
    """Only if it is this one."""


# ── events and turns ─────────────────────────────────────────────────────────


@attrs.frozen
class AppendEvent(Request[int]):
    """Add an embedder's event to a session's log; the reply is its `seq`."""

    session_id: str
    event: LoggedEvent


@attrs.frozen
class BroadcastEvent(Request[int]):
    """Add an event to the broadcast log; the reply is its `seq` there."""

    event: LoggedEvent


@attrs.frozen
class EmitEvent(Request[None]):
    """Add an event of a running turn; of a turn that is over, nothing more is heard."""

    session_id: str
    run_id: str
    event: LoggedEvent


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
class AbortTurn(Request[Sequence[str]]):
    """Abort one turn, or all that run or wait; the reply names them."""

    caller: Caller
    session_id: str | None = None
    run_id: str | None = None


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


@attrs.frozen
class CreateChannel(Request[ChannelInfo]):
    """Make a channel that nobody has joined yet."""

    caller: Caller
    name: str


@attrs.frozen
class ListChannels(Request[Sequence[ChannelInfo]]):
    """List the channels, oldest first."""

    caller: Caller


@attrs.frozen
class JoinChannel(Request[ChannelInfo]):
    """Let a session's watchers follow a channel from now on."""

    caller: Caller
    session_id: str | None
    name: str


@attrs.frozen
class LeaveChannel(Request[ChannelInfo]):
    """End that."""

    caller: Caller
    session_id: str | None
    name: str


@attrs.frozen
class SendToChannel(Request[int]):
    """Add a message to a channel's log, from a session that has joined or from outside; the reply is its `seq` there."""

    message: ChannelMessage
