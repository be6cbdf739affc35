"""The sessions that are in memory; the others are in the storage alone."""

from __future__ import annotations

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

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

    Args:
        limits: What bounds each of them.
        shelf: Where their logs are.
        max_sessions: All that there may be.
        epoch: Of their logs.
        counts: User id → sessions of theirs, in memory or not.
        last_number: The greatest that one was ever given.
    """

    def __init__(
        self,
        limits: SessionLimits,
        shelf: LogShelf,
        max_sessions: int,
        epoch: str,
        counts: Mapping[str, int] | None = None,
        last_number: int = 0,
    ) -> None:
        self.max_sessions = max_sessions
        """Of all, in memory or not."""
        self._counts = Counter(counts)
        self.count = self._counts.total()
        """Of all sessions, in memory or not."""
        self._limits = limits
        self._shelf = shelf
        self._epoch = epoch
        self._last_number = last_number
        self._sessions: dict[str, LiveSession] = {}
        self._of_user: defaultdict[str, dict[str, LiveSession]] = defaultdict(dict)

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

    def count_chats(self, user_id: str) -> int:
        """Chats that run or wait in all sessions of a user: such a session does not leave the memory."""
        owned = self._of_user.get(user_id, {})
        return sum(len(session.queue) + (session.run is not None) for session in owned.values())

    def check_room(self, user_id: str, quota: int | None) -> None:
        """
        See that there is room for one more.

        Args:
            user_id: Whose.
            quota: Sessions that they may have; None: any number.

        Raises:
            GatewayError: `LIMIT_EXCEEDED`.
        """
        if self.count >= self.max_sessions:
            raise GatewayError(ErrorCode.LIMIT_EXCEEDED, f"the gateway holds {self.count} sessions already")
        if quota is not None and (owned := self._counts[user_id]) >= quota:
            raise GatewayError(
                ErrorCode.LIMIT_EXCEEDED,
                f"{user_id!r:.80} may have {quota} sessions, and has {owned}; "
                "delete one (session.delete), or have the operator raise max_sessions_per_principal, or the "
                "quota of your token",
            )

    def found(self, request: CreateSession, now: float) -> LiveSession:
        """
        Found a session, as one founds a town; it is yet to be saved.

        Raises:
            GatewayError: `INVALID_ARGUMENTS`: its metadata are no JSON.
        """
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        metadata = merge({}, request.metadata)
        self.count += 1
        self._counts[request.user_id] += 1
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
        self._of_user[session.user_id][session.id] = live
        self._shelf.add(log)
        return live

    def find_idle(self, since: float) -> Sequence[LiveSession]:
        """Those that nobody watches, run nothing and were last active at *since* (Unix seconds) or before."""
        return [each for each in self._sessions.values() if each.is_idle and each.last_activity <= since]

    def release(self, session: LiveSession) -> None:
        """Let a session go; the storage has it."""
        del self._sessions[session.id]
        owned = self._of_user[session.user_id]
        del owned[session.id]
        if not owned:
            del self._of_user[session.user_id]
        self._shelf.remove(session.log)

    def delete(self, session: LiveSession) -> None:
        """A session is no more."""
        self.release(session)
        self.count -= 1
        self._counts[session.user_id] -= 1
        if not self._counts[session.user_id]:
            del self._counts[session.user_id]

    def validate_state(self) -> None:
        """Check that what is counted is there; for tests."""
        assert self.count == self._counts.total() >= len(self._sessions)
        assert all(count > 0 for count in self._counts.values())
        owned = Counter(session.user_id for session in self)
        assert {user_id: len(sessions) for user_id, sessions in self._of_user.items()} == owned
        assert all(self._counts[user_id] >= count for user_id, count in owned.items())
