"""A session while it is in memory: its log, its conversation, its turns and who watches."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import dropwhile

from ..errors import ErrorCode, GatewayError
from ..principal import Principal
from ..protocol.messages import AgentComplete, AgentStart, Error, Json, LoggedEvent, UserMessage
from .access import MAX_SHARES, Access, SharedAccess, access_of
from .effects import (
    CancelTurn,
    Change,
    Deliver,
    DropOutcome,
    DropRun,
    DropShare,
    Effect,
    SaveMessage,
    SaveOutcome,
    SaveRun,
    SaveShare,
    StartTurn,
    Trim,
)
from .history import History
from .log import Log
from .outcomes import Answer, MessageKey, Outcomes
from .session import ConnectionHandle, Session
from .stored import Run


def milliseconds(now: float) -> int:
    """Unix seconds as the wire has them."""
    return int(now * 1000)


class LiveSession:
    """
    The mutable state behind one `Session`.

    Invariant: chats wait only while a turn runs, or for the next gateway, because
    this one is about to stop; every event is in the log before anybody is told of it.
    """

    def __init__(self, session: Session, log: Log, history: History, outcomes: Outcomes) -> None:
        self.id = session.id
        self.user_id = session.user_id
        self.number = session.number
        self.name = session.name
        self.metadata: dict[str, Json] = dict(session.metadata)
        self.created_at = session.created_at
        self.last_activity = max(session.last_activity.timestamp(), log.newest_ts / 1000)
        self.log = log
        self.history = history
        self.outcomes = outcomes
        self.watchers: dict[str, ConnectionHandle] = {}
        self.channels: dict[str, int] = dict(session.channels)
        """Name → number."""
        self.shares: dict[str, SharedAccess] = dict(session.shares)
        self.run: Run | None = None
        self.queue: deque[Run] = deque()
        self.is_temporary = False
        """Does it go with its last watcher? No storage knows: one that a crash leaves behind stays."""

    @property
    def is_idle(self) -> bool:
        """A session that runs, is watched or owes an answer is never idle, however old."""
        return not (self.run or self.queue or self.watchers) and self.outcomes.are_settled

    def snapshot(self) -> Session:
        """The session as a value."""
        return Session(
            id=self.id,
            user_id=self.user_id,
            created_at=self.created_at,
            last_activity=datetime.datetime.fromtimestamp(self.last_activity, datetime.UTC),
            name=self.name,
            connections=tuple(self.watchers.values()),
            metadata=dict(self.metadata),
            state="running" if self.run else "idle",
            run_id=self.run.run_id if self.run else None,
            queued=len(self.queue),
            channels=dict(sorted(self.channels.items())),
            shares=dict(sorted(self.shares.items())),
            last_seq=self.log.last_seq,
            epoch=self.log.epoch,
            number=self.number,
            is_temporary=self.is_temporary,
        )

    # ── whose it is ──────────────────────────────────────────────────────────

    def access(self, principal: Principal) -> Access | None:
        """What *principal* may do with it; None: to them its id is unknown."""
        return access_of(principal, self.user_id, self.shares)

    def share(self, user_id: str, access: SharedAccess | None) -> Iterator[Change]:
        """
        Grant *user_id* so much and no more; None takes away what was granted.

        Raises:
            GatewayError: `INVALID_ARGUMENTS`: it is theirs; or `LIMIT_EXCEEDED`.
        """
        if user_id == self.user_id:
            raise GatewayError(
                ErrorCode.INVALID_ARGUMENTS,
                f"session {self.id!r} is {user_id!r:.80}'s own; share it with others",
            )
        if access == self.shares.get(user_id):
            return
        if access is None:
            del self.shares[user_id]
            yield DropShare(self.number, user_id)
            return
        if user_id not in self.shares and len(self.shares) >= MAX_SHARES:
            raise GatewayError(
                ErrorCode.LIMIT_EXCEEDED,
                f"session {self.id!r} is shared with {MAX_SHARES} already, its most; take it from one",
            )
        self.shares[user_id] = access
        yield SaveShare(self.number, user_id, access)

    # ── events ───────────────────────────────────────────────────────────────

    def append(self, event: LoggedEvent, now: float, run_id: str | None = None) -> Deliver:
        """
        Add *event*, of turn *run_id* or else of its own, to the log and to the conversation.

        Raises:
            InvalidMessageError: It cannot be encoded; nothing has changed.
        """
        run_id = run_id or event.run_id
        entry = self.log.append(event, milliseconds(now), run_id)
        self.last_activity = now
        self.history.record(event, run_id, entry.seq, len(entry.body), entry.ts)
        return Deliver(self.log, entry)

    def trim(self, first_seq: int) -> Iterator[Change]:
        """
        Have the storage cut the log to *first_seq*.

        What the running answer has of it is saved first: there is nowhere else
        to read it after a crash.
        """
        yield from self.checkpoint(first_seq)
        yield Trim(self.log, first_seq)

    def checkpoint(self, first_seq: int) -> Iterator[Change]:
        """Save what the running answer has of the log before *first_seq*, unless it was saved."""
        if running := self.history.save(first_seq):
            yield SaveMessage(self.number, running)

    # ── turns ────────────────────────────────────────────────────────────────

    def submit(self, run: Run, now: float) -> Iterator[Effect]:
        """Accept a chat: begin its turn, or let it wait."""
        chat = run.chat
        message = UserMessage(self.id, chat.content, id=chat.id, metadata=chat.metadata)
        yield self.append(message, now, run.run_id)
        yield SaveRun(self.number, run.run_id, chat)
        if self.run is None:
            yield from self._begin(run, now)
        else:
            self.queue.append(run)

    def end(self, outcome: AgentComplete | Error, now: float, *, go_on: bool) -> Iterator[Effect]:
        """Close the running turn with its last event; and, to *go_on*, begin the next."""
        if self.run is not None:
            yield self.append(outcome, now, self.run.run_id)
            yield SaveMessage(self.number, self.history.finish(outcome))
            yield DropRun(self.number, self.run.run_id)
            self.run = None
        if go_on and self.queue:
            yield from self._begin(self.queue.popleft(), now)

    def abort(self, run_id: str | None, now: float, *, go_on: bool) -> Iterator[Effect]:
        """Abort one turn, or all; those that wait go first, so that none of them begins; then as `end`."""
        for run in [run for run in self.queue if run_id in (None, run.run_id)]:
            self.queue.remove(run)
            yield self.append(self._aborted(), now, run.run_id)
            yield DropRun(self.number, run.run_id)
        if self.run is not None and run_id in (None, self.run.run_id):
            yield CancelTurn(self.run.run_id)
            yield from self.end(self._aborted(), now, go_on=go_on)

    def resume(self, runs: Sequence[Run], now: float, *, again: bool, go_on: bool) -> Iterator[Effect]:
        """
        Go on with the turns that the end of an earlier gateway has left.

        Args:
            runs: The first may have begun; the others waited, in this order.
            now: Unix seconds.
            again: Have the agent go on with the one that had begun; otherwise it is closed.
            go_on: May any begin? Otherwise that is left to the next gateway.
        """
        self.queue.extend(runs)
        if runs and self.history.knows(runs[0].run_id):
            self.run = self.queue.popleft()
            self._recall_answer(self.run)
            if not again:
                yield from self.end(self._interrupted(), now, go_on=go_on)
            elif go_on:
                before = tuple(self.history)[:-2]  # without the chat and the answer themselves
                partial = self.history.running
                yield StartTurn(self.snapshot(), self.run.run_id, self.run.chat, before, partial)
        elif runs and go_on:
            yield from self._begin(self.queue.popleft(), now)

    def _recall_answer(self, run: Run) -> None:
        """Put the answer together from what was saved of it and from the log, which has the rest."""
        said = [(entry, event) for entry in self.log if (event := entry.event).run_id == run.run_id]
        if self.history.running is None:
            # While it waited, an embedding program may have sent something in its name.
            said = list(dropwhile(lambda each: each[0].kind is not AgentStart, said)) or said
            self.history.answer(run.run_id, said[0][0].ts if said else milliseconds(self.last_activity))
        for entry, event in said:
            self.history.record(event, run.run_id, entry.seq, len(entry.body), entry.ts)

    def _begin(self, run: Run, now: float) -> Iterator[Effect]:
        before = tuple(self.history)
        self.run = run
        said = self.history.begin(run.run_id, run.chat.content, milliseconds(now))
        yield SaveMessage(self.number, said)
        yield self.append(AgentStart(self.id), now, run.run_id)
        yield StartTurn(self.snapshot(), run.run_id, run.chat, before)

    def _aborted(self) -> Error:
        return Error(ErrorCode.AGENT_ABORTED, "the turn was aborted", session_id=self.id)

    def _interrupted(self) -> Error:
        reason = "the gateway ended in the midst of this turn"
        return Error(ErrorCode.AGENT_INTERRUPTED, reason, session_id=self.id)

    # ── messages that carry an id ────────────────────────────────────────────

    def remember(
        self, key: MessageKey, answer: Answer, now: float, *, claimant: str | None = None
    ) -> Iterator[Effect]:
        """Keep what became of a message, for whoever says it again."""
        outcome, forgotten = self.outcomes.remember(key, answer, milliseconds(now), claimant=claimant)
        yield SaveOutcome(self.number, outcome)
        for each in forgotten:
            yield DropOutcome(self.number, each)
