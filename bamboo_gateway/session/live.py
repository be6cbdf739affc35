"""A session while the gateway holds it: its log, its conversation, its turns and who watches."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Iterator

import attrs

from ..errors import ErrorCode
from ..protocol.messages import AgentComplete, AgentStart, Chat, Error, Json, LoggedEvent, UserMessage
from .effects import CancelTurn, Deliver, Effect, StartTurn
from .history import History
from .log import Log
from .session import ConnectionHandle, Session


def milliseconds(now: float) -> int:
    """Unix seconds as the wire has them."""
    return int(now * 1000)


@attrs.frozen
class Run:
    """A turn: the chat that asks, and the id of its answer."""

    run_id: str
    chat: Chat


class LiveSession:
    """
    The mutable state behind one `Session`.

    Invariant: chats wait only while a turn runs; every event is in the log
    before anybody is told of it.
    """

    def __init__(self, session: Session, number: int, log: Log, history: History) -> None:
        self.id = session.id
        self.user_id = session.user_id
        self.number = number
        """Grows with every session: the order in which they are listed."""
        self.name = session.name
        self.metadata: dict[str, Json] = dict(session.metadata)
        self.created_at = session.created_at
        self.last_activity = session.last_activity.timestamp()
        self.log = log
        self.history = history
        self.watchers: dict[str, ConnectionHandle] = {}
        self.channels: set[str] = set()
        self.run: Run | None = None
        self.queue: deque[Run] = deque()

    @property
    def is_idle(self) -> bool:
        """A session that runs or is watched is never idle, however old."""
        return self.run is None and not self.watchers

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
            channels=tuple(sorted(self.channels)),
            last_seq=self.log.last_seq,
            epoch=self.log.epoch,
        )

    def append(self, event: LoggedEvent, now: float) -> Deliver:
        """
        Add *event* to the log and to the conversation.

        Raises:
            InvalidMessageError: It cannot be encoded; nothing has changed.
        """
        entry = self.log.append(event, milliseconds(now))
        self.history.record(entry.event, len(entry.body))
        self.last_activity = now
        return Deliver(self.log, entry.seq)

    def submit(self, run: Run, now: float) -> Iterator[Effect]:
        """Accept a chat: begin its turn, or let it wait."""
        chat = run.chat
        message = UserMessage(self.id, chat.content, id=chat.id, metadata=chat.metadata, run_id=run.run_id)
        yield self.append(message, now)
        if self.run is None:
            yield from self._begin(run, now)
        else:
            self.queue.append(run)

    def end(self, outcome: AgentComplete | Error, now: float) -> Iterator[Effect]:
        """Close the running turn with its last event, and begin the next."""
        if self.run is not None:
            yield self.append(attrs.evolve(outcome, run_id=self.run.run_id), now)
            self.run = None
        if self.queue:
            yield from self._begin(self.queue.popleft(), now)

    def abort(self, run_id: str | None, now: float) -> Iterator[Effect]:
        """Abort one turn, or all; those that wait go first, so that none of them begins."""
        for run in [run for run in self.queue if run_id in (None, run.run_id)]:
            self.queue.remove(run)
            yield self.append(attrs.evolve(self._aborted(), run_id=run.run_id), now)
        if self.run is not None and run_id in (None, self.run.run_id):
            yield CancelTurn(self.run.run_id)
            yield from self.end(self._aborted(), now)

    def _begin(self, run: Run, now: float) -> Iterator[Effect]:
        before = tuple(self.history)
        self.run = run
        self.history.begin(run.run_id, run.chat.content, milliseconds(now))
        yield self.append(AgentStart(self.id, run_id=run.run_id), now)
        yield StartTurn(self.snapshot(), run.run_id, run.chat, before)

    def _aborted(self) -> Error:
        return Error(ErrorCode.AGENT_ABORTED, "the turn was aborted", session_id=self.id)
