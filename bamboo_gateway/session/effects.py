"""What the session table wants done: plain values, carried out by the tasks around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from ..protocol.closing import Closing
from ..protocol.messages import Chat, Connected, GatewayEvent
from .access import SharedAccess
from .history import HistoryMessage, NumberedMessage
from .log import Entry, Log
from .outcomes import MessageKey, Outcome
from .session import Session

# ── what the storage has to make durable ─────────────────────────────────────
# `owner` is the `number` of a session.


@attrs.frozen
class SaveSession:
    """Remember this session, in place of what was known of it, but for its shares."""

    session: Session


@attrs.frozen
class DropSession:
    """Forget this session, and all that belongs to it."""

    session_id: str


@attrs.frozen
class SaveShare:
    """Remember that a session is shared with somebody, in place of what was known of them."""

    owner: int
    user_id: str
    access: SharedAccess


@attrs.frozen
class DropShare:
    """Forget that."""

    owner: int
    user_id: str


@attrs.frozen
class SaveMessage:
    """Remember a message of the conversation, in place of the one of its number."""

    owner: int
    message: NumberedMessage


@attrs.frozen
class SaveRun:
    """Remember a turn that has been promised: it runs, or waits behind those that were saved before it."""

    owner: int
    run_id: str
    chat: Chat


@attrs.frozen
class DropRun:
    """Forget a turn: it is over."""

    owner: int
    run_id: str


@attrs.frozen
class SaveOutcome:
    """Remember what became of a message, in place of what was known of it."""

    owner: int
    outcome: Outcome


@attrs.frozen
class DropOutcome:
    """Forget that."""

    owner: int
    key: MessageKey


@attrs.frozen
class SaveChannel:
    """Remember this channel, in place of what was known of it."""

    number: int
    """From 0 down; 0 is the channel of broadcasts."""
    name: str
    members: int
    """Sessions that have joined."""
    user_id: str | None = None
    """Whose it is; None: the gateway's."""


@attrs.frozen
class DropChannel:
    """Forget this channel and its log; its number is never given again."""

    number: int


@attrs.frozen
class Trim:
    """Forget the entries of *log* before *first_seq*; its numbers count on."""

    log: Log
    first_seq: int


@attrs.frozen
class Deliver:
    """*log* has grown by *entry*: keep it, then hand it to who follows the log."""

    log: Log
    entry: Entry


# ── what follows once it is ──────────────────────────────────────────────────


@attrs.frozen
class Send:
    """Say *event* to one connection; it is no log's entry."""

    connection_id: str
    event: GatewayEvent


@attrs.frozen
class Watch:
    """Let a connection follow these logs from these cursors on, and no other, after it was greeted."""

    connection_id: str
    greeting: Connected
    cursors: Sequence[tuple[Log, int]]
    is_exact: bool = False
    """Keep tokens as they were, where it catches up."""


@attrs.frozen
class Follow:
    """Let a connection follow one log more."""

    connection_id: str
    log: Log
    after: int


@attrs.frozen
class Unfollow:
    """Let a connection no longer follow *log*."""

    connection_id: str
    log: Log


@attrs.frozen
class Dismiss:
    """A connection watches nothing any more; it stays open."""

    connection_id: str


@attrs.frozen
class Close:
    """End a connection."""

    connection_id: str
    closing: Closing


@attrs.frozen
class StartTurn:
    """Let the agent answer *chat*."""

    session: Session
    run_id: str
    chat: Chat
    history: Sequence[HistoryMessage]
    """The conversation before this chat."""
    partial: HistoryMessage | None = None
    """The answer as far as it had come when the gateway ended; None: it is to begin."""


@attrs.frozen
class CancelTurn:
    """Stop the agent; the registry has closed the turn already."""

    run_id: str


Change: TypeAlias = (
    SaveSession
    | DropSession
    | SaveShare
    | DropShare
    | SaveMessage
    | SaveRun
    | DropRun
    | SaveOutcome
    | DropOutcome
    | SaveChannel
    | DropChannel
    | Trim
    | Deliver
)
"""What a storage must make durable before anything else of its batch is seen."""

Effect: TypeAlias = Change | Send | Watch | Follow | Unfollow | Dismiss | Close | StartTurn | CancelTurn
