"""What a storage gives back: plain values, from which the session table goes on where it had come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ..protocol.messages import Chat
from .history import NumberedMessage
from .log import Entry
from .outcomes import Outcome
from .session import Session


@attrs.frozen
class StoredLog:
    """A log as it was committed."""

    last_seq: int = 0
    """The greatest that was ever committed, whatever has been cut off since."""
    entries: Sequence[Entry] = ()
    """Consecutive, up to `last_seq`."""


@attrs.frozen
class Run:
    """A turn: the chat that asks, and the id of its answer."""

    run_id: str
    chat: Chat


@attrs.frozen
class StoredSession:
    """All that is needed of a session to go on with it."""

    session: Session
    log: StoredLog = StoredLog()
    messages: Sequence[NumberedMessage] = ()
    """The newest of its conversation, oldest first; the last may be an answer that is still running."""
    runs: Sequence[Run] = ()
    """Turns that are not over, in order: the first may have begun, as `messages` tell; the others waited."""
    outcomes: Sequence[Outcome] = ()
    """What became of messages that carry an id, oldest first."""


@attrs.frozen
class StoredChannel:
    """A channel inside the gateway."""

    number: int
    name: str
    members: int
    user_id: str | None = None
    """Whose it is; None: the gateway's, or older than owners are."""
    log: StoredLog = StoredLog()


@attrs.frozen
class StoredState:
    """What a gateway needs to know of its storage before it can begin."""

    epoch: str
    """Changes whenever what was committed could have been lost."""
    sessions: Mapping[str, int] = attrs.field(factory=dict)
    """User id → how many are theirs."""
    last_number: int = 0
    """The greatest `Session.number` that was ever given."""
    lowest_channel: int = 0
    """The lowest number that a channel was ever given."""
    channels: Sequence[StoredChannel] = ()
    """All of them, in the order in which they were made; the one of broadcasts (0), once it was used."""
    unfinished: Sequence[str] = ()
    """The ids of the sessions that have runs."""
    temporary: Sequence[str] = ()
    """The ids of those that should have gone with their last watcher, and went on with the storage alone."""
