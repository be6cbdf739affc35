"""What the session table wants done: plain values, carried out by the tasks around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import attrs

from ..protocol.closing import Closing
from ..protocol.messages import Chat, Connected, GatewayEvent
from .history import HistoryMessage
from .log import Log
from .session import Session


@attrs.frozen
class SaveSession:
    """Remember this session, in place of what was known of it."""

    session: Session


@attrs.frozen
class DropSession:
    """Forget this session."""

    session_id: str


@attrs.frozen
class Deliver:
    """*log* has grown to *seq*: hand the new entries to who follows it."""

    log: Log
    seq: int


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


@attrs.frozen
class CancelTurn:
    """Stop the agent; the registry has closed the turn already."""

    run_id: str


Change: TypeAlias = SaveSession | DropSession
"""What a storage must make durable before anything else of its batch is seen."""

Effect: TypeAlias = (
    Change | Deliver | Send | Watch | Follow | Unfollow | Dismiss | Close | StartTurn | CancelTurn
)
