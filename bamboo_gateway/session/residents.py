"""The sessions that are in memory; the others are in the storage alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from ..errors import ErrorCode, GatewayError
from .history import History
from .limits import SessionLimits
from .live import LiveSession
from .log import Log
from .metadata import merge
from .outcomes import Outcomes
from .requests import CreateSession
from .session import Session
from .shelf import LogShelf
from .stored import StoredSession


class Residents:
    """
    Every session in memory, by its id.

    Invariant: whatever a session holds is in the storage, too, or on its way
    there; so one that nobody needs may be let go of.
    """

    def __init__(
        self,
        limits: SessionLimits,
        shelf: LogShelf,
        max_sessions: int,
        epoch: str,
        count: int = 0,
        last_number: int = 0,
    ) -> None:
        self.count = count
        """Of all sessions, in memory or not."""
        self._limits = limits
        self._shelf = shelf
        self.max_sessions = max_sessions
        self._epoch = epoch
        self._last_number = last_number
        self._sessions: dict[str, LiveSession] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[LiveSession]:
        return iter(self._sessions.values())

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def get(self, session_id: str | None) -> LiveSession | None:
        """The session of this id, if it is in memory."""
        return None if session_id is None else self._sessions.get(session_id)

    def by_id(self) -> dict[str, LiveSession]:
        """All of them; for tests."""
        return dict(self._sessions)

    def found(self, request: CreateSession, now: float) -> LiveSession:
        """
        Found a session, as one founds a town; it is yet to be saved.

        Raises:
            GatewayError: `LIMIT_EXCEEDED`; or `INVALID_ARGUMENTS`: its metadata are no JSON.
        """
        if self.count >= self.max_sessions:
            raise GatewayError(ErrorCode.LIMIT_EXCEEDED, f"the gateway holds {self.count} sessions already")
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        metadata = merge({}, request.metadata)
        self.count += 1
        self._last_number += 1
        session = Session(
            request.session_id,
            request.user_id,
            moment,
            moment,
            request.name,
            metadata=metadata,
            number=self._last_number,
        )
        return self.restore(StoredSession(session))

    def restore(self, stored: StoredSession) -> LiveSession:
        """Take a session into memory; its turns are yet to be resumed."""
        session = stored.session
        log = Log(
            session.id,
            self._epoch,
            self._limits.log,
            number=session.number,
            last_seq=stored.log.last_seq,
            entries=stored.log.entries,
        )
        live = LiveSession(
            session,
            log,
            History(self._limits.history_bytes, stored.messages),
            Outcomes(self._limits.outcomes, stored.outcomes),
        )
        self._sessions[session.id] = live
        self._shelf.add(log)
        return live

    def find_idle(self, since: float) -> Sequence[LiveSession]:
        """Those that nobody watches, run nothing and were last active at *since* (Unix seconds) or before."""
        return [each for each in self._sessions.values() if each.is_idle and each.last_activity <= since]

    def release(self, session: LiveSession) -> None:
        """Let a session go; the storage has it."""
        del self._sessions[session.id]
        self._shelf.remove(session.log)

    def delete(self, session: LiveSession) -> None:
        """A session is no more."""
        self.release(session)
        self.count -= 1
