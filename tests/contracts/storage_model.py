"""A storage as it is meant: plain dictionaries, and what each change does to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import attrs

from bamboo_gateway.protocol.messages import Chat
from bamboo_gateway.session.access import SharedAccess
from bamboo_gateway.session.effects import (
    Change,
    Deliver,
    DropChannel,
    DropOutcome,
    DropRun,
    DropSession,
    DropShare,
    SaveChannel,
    SaveMessage,
    SaveOutcome,
    SaveRun,
    SaveSession,
    SaveShare,
    Trim,
)
from bamboo_gateway.session.history import NumberedMessage
from bamboo_gateway.session.log import Entry, Log, LogLimits
from bamboo_gateway.session.outcomes import Outcome
from bamboo_gateway.session.session import Session

T = TypeVar("T")


@attrs.define
class LogModel:
    """A log."""

    last_seq: int = 0
    entries: list[Entry] = attrs.field(factory=list)


@attrs.define
class Owned:
    """What belongs to one session."""

    session: Session
    messages: dict[int, NumberedMessage] = attrs.field(factory=dict)
    runs: dict[str, Chat] = attrs.field(factory=dict)
    shares: dict[str, SharedAccess] = attrs.field(factory=dict)
    outcomes: dict[tuple[str, str, str], Outcome] = attrs.field(factory=dict)

    def conversation(self) -> list[NumberedMessage]:
        """Its messages, in order."""
        return [self.messages[number] for number in sorted(self.messages)]


@attrs.define
class StorageModel:
    """All that was committed and not forgotten."""

    sessions: dict[int, Owned] = attrs.field(factory=dict)
    channels: dict[int, SaveChannel] = attrs.field(factory=dict)
    logs: dict[int, LogModel] = attrs.field(factory=dict)
    last_number: int = 0
    lowest_channel: int = 0

    def commit(self, changes: Sequence[Change]) -> None:
        """Do what a storage does."""
        for change in changes:
            self._apply(change)

    def expire(self, before: int, max_log_bytes: int, outcomes_before: int) -> None:
        """Do what a storage does, where the times of entries grow without end over all logs."""
        for log in self.logs.values():
            log.entries = [entry for entry in log.entries if entry.ts >= before]
        while self.log_bytes() > max_log_bytes:
            oldest = min(
                (log for log in self.logs.values() if log.entries), key=lambda log: log.entries[0].ts
            )
            oldest.entries.pop(0)
        for owned in self.sessions.values():
            owned.outcomes = {
                place: outcome for place, outcome in owned.outcomes.items() if outcome.ts >= outcomes_before
            }

    def log_bytes(self) -> int:
        """The size of all logs together."""
        return sum(len(entry.body) for log in self.logs.values() for entry in log.entries)

    def log(self, number: int) -> LogModel:
        """The log of a session or channel; an empty one where there is none."""
        return self.logs.get(number, LogModel())

    def ordered(self) -> list[Owned]:
        """Every session, in the order of their numbers."""
        return [self.sessions[number] for number in sorted(self.sessions)]

    def _apply(self, change: Change) -> None:
        match change:
            case SaveChannel() | DropChannel():
                self._apply_to_channel(change)
            case SaveSession(session):
                self._save(session)
            case DropSession(session_id):
                for number in [it.session.number for it in self.ordered() if it.session.id == session_id]:
                    del self.sessions[number], self.logs[number]
            case Trim(log, first_seq):
                kept = self.log(log.number)
                kept.entries = [entry for entry in kept.entries if entry.seq >= first_seq]
            case Deliver(log, entry):
                self._deliver(log, entry)
            case _:
                if owned := self.sessions.get(change.owner):
                    _apply_to(owned, change)

    def _apply_to_channel(self, change: SaveChannel | DropChannel) -> None:
        number = change.number
        if isinstance(change, SaveChannel):
            self.channels[number] = change
            self.logs.setdefault(number, LogModel())
            self.lowest_channel = min(self.lowest_channel, number)
        elif self.channels.pop(number, None):
            del self.logs[number]

    def _save(self, session: Session) -> None:
        number = session.number
        if number not in self.sessions:
            self.sessions[number], self.logs[number] = Owned(session), LogModel()
        self.sessions[number].session = durable(session)
        self.last_number = max(self.last_number, number)

    def _deliver(self, log: Log, entry: Entry) -> None:
        if log.number == 0 and 0 not in self.channels:
            self._apply(SaveChannel(0, log.name, 0))
        grown = self.log(log.number)
        if entry.seq > grown.last_seq:
            grown.entries.append(entry)
            grown.last_seq = entry.seq


def _apply_to(
    owned: Owned,
    change: SaveShare | DropShare | SaveMessage | SaveRun | DropRun | SaveOutcome | DropOutcome,
) -> None:
    match change:
        case SaveShare(_, user_id, access):
            owned.shares[user_id] = access
        case DropShare(_, user_id):
            owned.shares.pop(user_id, None)
        case SaveMessage(_, message):
            owned.messages[message.number] = message
        case SaveRun(_, run_id, chat):
            owned.runs[run_id] = chat
        case DropRun(_, run_id):
            owned.runs.pop(run_id, None)
        case SaveOutcome(_, outcome):
            owned.outcomes.pop(outcome.key.place, None)
            owned.outcomes[outcome.key.place] = outcome
        case DropOutcome(_, key):
            owned.outcomes.pop(key.place, None)


def durable(session: Session) -> Session:
    """What a session is beyond the process that holds it: who watches and what runs is gone with that."""
    session = attrs.evolve(session, connections=(), state="idle", run_id=None, queued=0)
    return attrs.evolve(session, last_seq=0, epoch="", shares={})


def as_values(entries: Sequence[Entry]) -> list[tuple[int, int, type, bytes]]:
    """Entries, which are compared by identity, as values."""
    return [(entry.seq, entry.ts, entry.kind, entry.body) for entry in entries]


def newest(entries: Sequence[Entry], limits: LogLimits) -> Sequence[Entry]:
    """What a log of these limits keeps."""
    kept: list[Entry] = []
    for entry in reversed(entries[-limits.max_events :]):
        kept.insert(0, entry)
        if sum(len(each.body) for each in kept) > limits.max_bytes and len(kept) > 1:
            del kept[0]
            break
    return kept
