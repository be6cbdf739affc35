"""The commands on sessions: their arguments, their results, and how they are carried out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import attrs
from attrs.validators import ge, instance_of, le, max_len, min_len, optional

from ..idempotency import Operation
from ..principal import Principal
from ..protocol.messages import MAX_ID_LENGTH, ClientInfo, Json
from ..session import requests
from ..session.access import Access
from ..session.history import HistoryMessage
from ..session.live import milliseconds
from ..session.session import ConnectionHandle, Session
from .context import CommandContext

MAX_PAGE = 500
"""Sessions or messages in one answer."""

_id: list[Any] = [min_len(1), max_len(MAX_ID_LENGTH)]
_name = optional(_id)
_page = [ge(1), le(MAX_PAGE)]


@attrs.frozen
class SessionArgs:
    """Which session."""

    session_id: str | None = None
    """The connection's own, where left out."""


@attrs.frozen
class SessionInfo:
    """A session."""

    session_id: str
    user_id: str
    name: str | None
    created_at: int
    """Unix milliseconds."""
    last_activity: int
    """Unix milliseconds."""
    state: Literal["idle", "running"]
    run_id: str | None
    queued: int
    watchers: int
    channels: Sequence[str]
    metadata: dict[str, Json]
    last_seq: int
    epoch: str
    access: Literal["own", "chat", "read"]
    """What you may do with it: all, read it and chat in it, or read it."""
    shares: dict[str, Literal["chat", "read"]] | None
    """User id → what is granted to them; null where you do not own it."""
    temporary: bool
    """Does it go with its last watcher?"""


def describe(session: Session, principal: Principal) -> SessionInfo:
    """A session as *principal*, who may read it, is shown it."""
    access = session.access(principal) or Access.READ
    return SessionInfo(
        session_id=session.id,
        user_id=session.user_id,
        name=session.name,
        created_at=milliseconds(session.created_at.timestamp()),
        last_activity=milliseconds(session.last_activity.timestamp()),
        state=session.state,
        run_id=session.run_id,
        queued=session.queued,
        watchers=len(session.connections),
        channels=list(session.channels),
        metadata=dict(session.metadata),
        last_seq=session.last_seq,
        epoch=session.epoch,
        access=_ACCESS[access],
        shares=dict(session.shares) if access is Access.OWN else None,
        temporary=session.is_temporary,
    )


_ACCESS: Mapping[Access, Literal["own", "chat", "read"]] = {
    Access.OWN: "own",
    Access.CHAT: "chat",
    Access.READ: "read",
}


def _describing(context: CommandContext) -> Callable[[Session], SessionInfo]:
    return partial(describe, principal=context.caller.principal)


@attrs.frozen
class ListArgs:
    """Which page."""

    limit: int = attrs.field(default=50, validator=_page)
    after: int = attrs.field(default=0, validator=ge(0))
    """`next` of the page before, in the same order; 0: from the first on."""
    order: Literal["oldest", "newest"] = "oldest"
    """Which come first, by when they were made."""
    search: str = attrs.field(default="", validator=max_len(MAX_ID_LENGTH))
    """
    Only those in whose id, name or owner's id this text stands, in upper or lower case. No character of it
    means anything but itself.
    """


@attrs.frozen
class SessionList:
    """Sessions in the order that was asked for, without temporary ones (`connect.temporary`)."""

    sessions: Sequence[SessionInfo]
    next: int | None
    """`after` for the next page; null: this is the last."""


async def list_sessions(context: CommandContext, args: ListArgs) -> SessionList:
    """Answer `session.list`."""
    page = await context.services.catalog.list(
        context.caller, args.limit, args.after, newest_first=args.order == "newest", search=args.search
    )
    return SessionList([*map(_describing(context), page.sessions)], page.next)


async def get_session(context: CommandContext, args: SessionArgs) -> SessionInfo:
    """Answer `session.get`."""
    session_id = context.session(args.session_id)
    return _describing(context)(await context.ask(requests.GetSession(context.caller, session_id)))


@attrs.frozen
class CreateArgs:
    """What the session begins with."""

    name: str | None = attrs.field(default=None, validator=_name)
    metadata: dict[str, Json] | None = None


async def create_session(context: CommandContext, args: CreateArgs) -> Operation:
    """Answer `session.create`."""
    user_id, session_id = context.caller.principal.user_id, str(uuid.uuid4())
    metadata = args.metadata or {}
    request = requests.CreateSession(user_id, session_id, args.name, metadata, caller=context.caller)
    return Operation(request, _describing(context))


@attrs.frozen
class RenameArgs:
    """The new name."""

    name: str | None = attrs.field(validator=_name)
    """Null takes the name away."""
    session_id: str | None = None
    """The connection's own, where left out."""


async def rename_session(context: CommandContext, args: RenameArgs) -> Operation:
    """Answer `session.rename`."""
    session_id = context.session(args.session_id)
    return Operation(requests.RenameSession(context.caller, session_id, args.name), _describing(context))


@attrs.frozen
class MetadataArgs:
    """What to change."""

    metadata: dict[str, Json]
    """Keys to set; a null takes its key away."""
    session_id: str | None = None
    """The connection's own, where left out."""


async def set_metadata(context: CommandContext, args: MetadataArgs) -> Operation:
    """Answer `session.set_metadata`."""
    session_id = context.session(args.session_id)
    return Operation(requests.SetMetadata(context.caller, session_id, args.metadata), _describing(context))


@attrs.frozen
class ShareArgs:
    """With whom, and how far."""

    user_id: str = attrs.field(validator=_id)
    """To whom it is granted; they need not be connected."""
    access: Literal["read", "chat"] | None
    """To read it; to chat in it as well; null: no longer anything."""
    session_id: str | None = None
    """The connection's own, where left out."""


async def share_session(context: CommandContext, args: ShareArgs) -> Operation:
    """Answer `session.share`."""
    session_id = context.session(args.session_id)
    request = requests.ShareSession(context.caller, session_id, args.user_id, args.access)
    return Operation(request, _describing(context))


@attrs.frozen
class Deleted:
    """What is no more."""

    session_id: str


async def delete_session(context: CommandContext, args: SessionArgs) -> Operation:
    """Answer `session.delete`."""
    session_id = context.session(args.session_id)
    return Operation(requests.DeleteSession(context.caller, session_id), Deleted)


@attrs.frozen
class HistoryArgs:
    """Which session, and which page."""

    session_id: str | None = None
    """The connection's own, where left out."""
    limit: int = attrs.field(default=50, validator=_page)
    before: int | None = attrs.field(default=None, validator=optional([instance_of(int), ge(0)]))
    """`first` of the page after it; the newest page, where left out."""


@attrs.frozen
class QueuedChat:
    """A chat that waits for its turn."""

    run_id: str
    """The turn that will answer it."""
    content: str
    """What was said."""
    id: str | None
    """The id of the chat."""


@attrs.frozen
class HistoryList:
    """Messages of the conversation, oldest first."""

    messages: Sequence[HistoryMessage]
    first: int
    """The number of the first of them."""
    has_more: bool
    """Are there older ones?"""
    seq: int
    """
    The last event of the session's log that is in this answer, also in the message that is still `running`.
    Who connects first, and asks then, passes over the events up to it, and misses and doubles nothing.
    """
    queued: Sequence[QueuedChat]
    """Those that wait for their turn, in order: their `user_message` was before `seq`, too."""


async def get_history(context: CommandContext, args: HistoryArgs) -> HistoryList:
    """Answer `session.history`."""
    session_id = context.session(args.session_id)
    catalog = context.services.catalog
    page = await catalog.history(context.caller, session_id, args.limit, args.before)
    queued = [QueuedChat(run.run_id, run.chat.content, run.chat.id) for run in page.queued]
    return HistoryList(page.messages, page.first, page.has_more, page.seq, queued)


@attrs.frozen
class AbortArgs:
    """Which session, and which of its turns."""

    session_id: str | None = None
    """The connection's own, where left out."""
    run_id: str | None = None
    """All that run or wait, where left out."""


@attrs.frozen
class Aborted:
    """The turns that are no more."""

    aborted: Sequence[str]
    """Their `run_id`s."""


async def abort_turns(context: CommandContext, args: AbortArgs) -> Operation:
    """Answer `session.abort`."""
    session_id = context.session(args.session_id)
    return Operation(requests.AbortTurn(context.caller, session_id, args.run_id), Aborted)


@attrs.frozen
class Watcher:
    """One connection of a session."""

    connection_id: str
    user_id: str
    protocol: int
    client: ClientInfo | None
    connected_at: int
    """Unix milliseconds."""


@attrs.frozen
class PresenceList:
    """Who watches a session."""

    session_id: str
    watchers: Sequence[Watcher]


async def list_presence(context: CommandContext, args: SessionArgs) -> PresenceList:
    """Answer `presence.list`."""
    session_id = context.session(args.session_id)
    session = await context.ask(requests.GetSession(context.caller, session_id))
    return PresenceList(session.id, [_watcher(handle) for handle in session.connections])


def _watcher(handle: ConnectionHandle) -> Watcher:
    connected_at = milliseconds(handle.connected_at)
    return Watcher(handle.id, handle.user_id, handle.protocol, handle.client, connected_at)
