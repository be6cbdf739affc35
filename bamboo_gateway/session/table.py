"""
All sessions and channels, and every change to them: requests in, reply and effects out.

The registry actor is the only caller in a gateway; nothing here awaits, looks at
a clock or draws a random number, so tests assert whole lists of effects.
"""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from .effects import Deliver, Effect
from .handlers import HANDLERS
from .handlers.state import TableState
from .limits import TableLimits
from .requests import UNDISTURBED, Attach, Request
from .stored import StoredState

__all__ = ["SessionTable", "TableLimits", "TableStatistics"]

ReplyT = TypeVar("ReplyT")


@attrs.frozen
class TableStatistics:
    """How much there is."""

    sessions: int
    resident: int
    """Those of them that are in memory."""
    watchers: int
    turns_running: int
    chats_queued: int
    channels: int
    events_appended: int
    log_bytes: int
    """Of all logs in memory."""
    resumes: int
    """Connections that came back and said where they stood."""
    resume_gaps: int
    """Cursors of theirs that could not be honoured, for they count in another epoch."""


class SessionTable:
    """
    The state of a gateway, changed by requests alone.

    Invariant: a request that raises has changed nothing; see also `TableState`.

    Args:
        limits: What bounds it.
        resume_turns: Does the agent go on with a turn that the end of an earlier gateway has interrupted?
    """

    def __init__(self, limits: TableLimits, *, resume_turns: bool = False) -> None:
        self._resume_turns = resume_turns
        self._appended = 0
        self._state = TableState(limits, StoredState(epoch=""), HANDLERS, resume_turns=resume_turns)

    @property
    def limits(self) -> TableLimits:
        """What bounds it now."""
        return self._state.limits

    def open(self, stored: StoredState) -> None:
        """Begin with what the storage has; called once, before anything is asked."""
        self._state = TableState(self.limits, stored, HANDLERS, resume_turns=self._resume_turns)

    def handle(self, request: Request[ReplyT], now: float) -> tuple[ReplyT, list[Effect]]:
        """
        Apply *request* at *now* (Unix seconds); its `subject` is in memory, if there is such a session.

        Raises:
            GatewayError: It was refused; nothing has changed.
        """
        effects: list[Effect] = []
        reply: ReplyT = self._state.apply(request, now, effects)
        grown = [effect.log for effect in effects if isinstance(effect, Deliver)]
        self._appended += len(grown)
        for log in dict.fromkeys(grown):
            effects += self._state.make_room(log)
        return reply, effects

    def holds(self, session_id: str) -> bool:
        """Is the session in memory?"""
        return session_id in self._state.sessions

    def may_go_on(self, request: Request[Any]) -> bool:
        """May *request* be applied although the storage fails?"""
        if isinstance(request, Attach):
            session = self._state.sessions.get(request.session_id)
            return session is not None and session.access(request.caller.principal) is not None
        return type(request) in UNDISTURBED

    def statistics(self) -> TableStatistics:
        """Count what there is."""
        running = [session for session in self._state.sessions if session.run]
        return TableStatistics(
            sessions=self._state.sessions.count,
            resident=len(self._state.sessions),
            watchers=len(self._state.attachments),
            turns_running=len(running),
            chats_queued=sum(len(session.queue) for session in self._state.sessions),
            channels=len(self._state.channels),
            events_appended=self._appended,
            log_bytes=self._state.shelf.size_bytes,
            resumes=self._state.attachments.resumes,
            resume_gaps=self._state.attachments.gaps,
        )

    def validate_state(self) -> None:
        """Check the invariants; for tests."""
        self._state.validate_state()
