"""Storage in memory: sessions live as long as this object, and may outlive the gateway that uses it."""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import attrs

from ..session.access import SharedAccess
from ..session.effects import (
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
from ..session.history import NumberedMessage
from ..session.log import Entry, LogLimits
from ..session.outcomes import Outcome
from ..session.search import Search
from ..session.session import Session
from ..session.stored import Run, StoredChannel, StoredLog, StoredSession, StoredState


@attrs.define
class _Log:
    last_seq: int = 0
    entries: deque[Entry] = attrs.field(factory=deque)

    def stored(self) -> StoredLog:
        return StoredLog(self.last_seq, list(self.entries))


@attrs.define
class _Belongings:
    """What belongs to one session beside its log."""

    messages: dict[int, NumberedMessage] = attrs.field(factory=dict)
    runs: dict[str, Run] = attrs.field(factory=dict)
    shares: dict[str, SharedAccess] = attrs.field(factory=dict)
    outcomes: dict[tuple[str, str, str], Outcome] = attrs.field(factory=dict)


class MemoryStorage:
    """
    The default of an embedded gateway: nothing survives the process.

    Entries and messages are the same objects as in the session table: to keep
    them here, too, costs a reference each.
    """

    is_instant = True
    """Without a disk there is nothing to wait for."""

    def __init__(self) -> None:
        self._epoch = uuid.uuid4().hex
        self._sessions: dict[str, Session] = {}
        self._temporary: set[str] = set()
        self._numbers: dict[int, str] = {}
        self._belongings: dict[int, _Belongings] = {}
        self._channels: dict[int, SaveChannel] = {}
        self._logs: dict[int, _Log] = {}
        self._last_number = 0
        self._lowest_channel = 0

    async def open(self, log_limits: LogLimits) -> StoredState:
        """Begin, or go on where another gateway has ended."""
        return StoredState(
            self._epoch,
            sessions=Counter(session.user_id for session in self._sessions.values()),
            last_number=self._last_number,
            lowest_channel=self._lowest_channel,
            channels=[
                StoredChannel(
                    each.number, each.name, each.members, each.user_id, self._log(each.number).stored()
                )
                for _, each in sorted(self._channels.items(), reverse=True)
            ],
            unfinished=[
                self._numbers[number] for number, own in sorted(self._belongings.items()) if own.runs
            ],
            temporary=sorted(self._temporary, key=lambda each: self._sessions[each].number),
        )

    async def commit(self, changes: Sequence[Change]) -> None:
        """Apply *changes*; without a disk there is nothing to wait for."""
        for change in changes:
            _APPLY[type(change)](self, change)

    async def load(self, session_id: str, log_limits: LogLimits, history_bytes: int) -> StoredSession | None:
        """All of a session: there is nothing to be saved by less."""
        session = self._sessions.get(session_id)
        if session is None:
            return None
        own, log = self._belongings[session.number], self._log(session.number)
        return StoredSession(
            self._current(session),
            log.stored(),
            [message for _, message in sorted(own.messages.items())],
            list(own.runs.values()),
            list(own.outcomes.values()),
        )

    async def list(
        self, user_id: str | None, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> Sequence[Session]:
        """A page of those that there are."""
        is_behind = after.__gt__ if newest_first and after > 0 else after.__lt__
        numbers = filter(is_behind, sorted(self._numbers, reverse=newest_first))
        wanted = Search(search)
        found = (
            session
            for session in map(self._sessions.__getitem__, map(self._numbers.__getitem__, numbers))
            if (user_id is None or self._is_for(user_id, session))
            and wanted.finds(session.id, session.name, session.user_id)
        )
        return [self._current(session) for session in islice(found, limit)]

    async def read_messages(self, session_id: str, first: int, end: int) -> Sequence[NumberedMessage]:
        """Messages by their numbers."""
        session = self._sessions.get(session_id)
        own = self._belongings[session.number].messages if session else {}
        return [own[number] for number in sorted(own) if first <= number < end]

    async def find_inactive(self, since: float, limit: int) -> Sequence[str]:
        """Those that have done nothing since."""
        old = [each for each in self._sessions.values() if each.last_activity.timestamp() <= since]
        old.sort(key=lambda each: (each.last_activity, each.number))
        return [each.id for each in old[:limit]]

    async def expire(self, before: int, max_log_bytes: int, outcomes_before: int) -> None:
        """Forget what is too old, and the oldest of what is too much."""
        for log in self._logs.values():
            while log.entries and log.entries[0].ts < before:
                log.entries.popleft()
        for own in self._belongings.values():
            own.outcomes = {k: each for k, each in own.outcomes.items() if each.ts >= outcomes_before}
        excess = sum(len(entry.body) for log in self._logs.values() for entry in log.entries) - max_log_bytes
        if excess > 0:
            self._drop_oldest(excess)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _drop_oldest(self, excess: int) -> None:
        oldest = sorted((entry.ts, number) for number, log in self._logs.items() for entry in log.entries)
        for _, number in oldest:
            if excess <= 0:
                return
            excess -= len(self._logs[number].entries.popleft().body)

    def _is_for(self, user_id: str, session: Session) -> bool:
        return session.user_id == user_id or user_id in self._belongings[session.number].shares

    def _current(self, session: Session) -> Session:
        """The log and the shares go on while their session is not saved."""
        shares = dict(self._belongings[session.number].shares)
        return attrs.evolve(session, last_seq=self._log(session.number).last_seq, shares=shares)

    def _log(self, number: int) -> _Log:
        return self._logs.setdefault(number, _Log())

    def _save_session(self, change: SaveSession) -> None:
        # Who watches and what runs is gone with the process that held it.
        session = attrs.evolve(change.session, connections=(), state="idle", run_id=None, queued=0)
        session = attrs.evolve(session, epoch=self._epoch, is_temporary=False)
        if change.session.is_temporary:
            self._temporary.add(session.id)
        self._sessions[session.id] = session
        self._numbers[session.number] = session.id
        self._belongings.setdefault(session.number, _Belongings())
        self._log(session.number)
        self._last_number = max(self._last_number, session.number)

    def _drop_session(self, change: DropSession) -> None:
        if session := self._sessions.pop(change.session_id, None):
            self._temporary.discard(session.id)
            del self._numbers[session.number], self._belongings[session.number]
            self._logs.pop(session.number, None)

    def _save_share(self, change: SaveShare) -> None:
        if own := self._belongings.get(change.owner):
            own.shares[change.user_id] = change.access

    def _drop_share(self, change: DropShare) -> None:
        if own := self._belongings.get(change.owner):
            own.shares.pop(change.user_id, None)

    def _save_message(self, change: SaveMessage) -> None:
        if own := self._belongings.get(change.owner):
            own.messages[change.message.number] = change.message

    def _save_run(self, change: SaveRun) -> None:
        if own := self._belongings.get(change.owner):
            own.runs[change.run_id] = Run(change.run_id, change.chat)

    def _drop_run(self, change: DropRun) -> None:
        if own := self._belongings.get(change.owner):
            own.runs.pop(change.run_id, None)

    def _save_outcome(self, change: SaveOutcome) -> None:
        if own := self._belongings.get(change.owner):
            place = change.outcome.key.place
            own.outcomes.pop(place, None)
            own.outcomes[place] = change.outcome

    def _drop_outcome(self, change: DropOutcome) -> None:
        if own := self._belongings.get(change.owner):
            own.outcomes.pop(change.key.place, None)

    def _save_channel(self, change: SaveChannel) -> None:
        self._channels[change.number] = change
        self._log(change.number)
        self._lowest_channel = min(self._lowest_channel, change.number)

    def _drop_channel(self, change: DropChannel) -> None:
        if self._channels.pop(change.number, None):
            del self._logs[change.number]

    def _trim(self, change: Trim) -> None:
        log = self._logs.get(change.log.number)
        entries = log.entries if log else ()
        while entries and entries[0].seq < change.first_seq:
            entries.popleft()

    def _deliver(self, change: Deliver) -> None:
        log = self._logs.get(change.log.number)
        if log is None and change.log.number == 0:
            # The channel of broadcasts need not be made.
            self._save_channel(SaveChannel(0, change.log.name, 0))
            log = self._log(0)
        if log is not None and change.entry.seq > log.last_seq:
            log.entries.append(change.entry)
            log.last_seq = change.entry.seq


_APPLY: Mapping[type, Callable[[MemoryStorage, Any], None]] = {
    SaveSession: MemoryStorage._save_session,
    DropSession: MemoryStorage._drop_session,
    SaveShare: MemoryStorage._save_share,
    DropShare: MemoryStorage._drop_share,
    SaveMessage: MemoryStorage._save_message,
    SaveRun: MemoryStorage._save_run,
    DropRun: MemoryStorage._drop_run,
    SaveOutcome: MemoryStorage._save_outcome,
    DropOutcome: MemoryStorage._drop_outcome,
    SaveChannel: MemoryStorage._save_channel,
    DropChannel: MemoryStorage._drop_channel,
    Trim: MemoryStorage._trim,
    Deliver: MemoryStorage._deliver,
}
