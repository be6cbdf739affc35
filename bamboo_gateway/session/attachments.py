"""Who watches which session: connections come, move on, make room for a newer one, and leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from ..errors import ErrorCode
from ..protocol import versions
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import Connected, Error, Gap, Presence, SessionEnded
from .audience import may_be_sent, may_follow
from .effects import Close, Dismiss, Effect, SaveSession, Send, Watch
from .live import LiveSession
from .log import Log
from .requests import Attach
from .session import ConnectionHandle

MAX_PRESENCE_WATCHERS = 64
"""Above it nobody is told who comes and goes: n arrivals cost n² frames. `presence.list` still knows."""


class Attachments:
    """
    The session that each connection watches.

    Invariant: a connection watches at most one session, and is one of that
    session's `watchers`.
    """

    def __init__(self) -> None:
        self._watched: dict[str, LiveSession] = {}
        self.resumes = 0
        """Connections that came back and said where they stood."""
        self.gaps = 0
        """Those of their cursors that count in another epoch, or beyond the end."""

    def __len__(self) -> int:
        return len(self._watched)

    def watched(self, connection_id: str | None) -> LiveSession | None:
        """The session that a connection watches."""
        return None if connection_id is None else self._watched.get(connection_id)

    def attach(
        self, request: Attach, session: LiveSession, greeting: Connected, others: Iterable[Log], now: float
    ) -> Iterator[Effect]:
        """
        Let the connection of *request* watch *session*, and whatever it watched before no more.

        Args:
            request: Its `session_id` has been resolved.
            session: To this.
            greeting: The first that the connection hears of it.
            others: The logs besides its own that the connection may follow.
            now: Unix seconds.
        """
        connection = request.connection
        is_new = self._watched.get(connection.id) is not session
        if is_new:
            yield from self.leave(connection.id, now)
        if request.exclusive:
            yield from self._supersede(session, connection.id)
        watching = list(_watch(request, greeting, session.log, others))
        self.resumes += greeting.resumed and request.last_seq is not None
        self.gaps += len(watching) - 1
        yield from watching
        session.watchers[connection.id] = connection
        session.last_activity = now
        self._watched[connection.id] = session
        yield SaveSession(session.snapshot())
        if is_new:
            yield from _presence(session, connection, "joined")

    def leave(self, connection_id: str, now: float) -> Iterator[Effect]:
        """The connection no longer watches what it watched, if anything."""
        session = self._watched.pop(connection_id, None)
        if session is not None:
            connection = session.watchers.pop(connection_id)
            session.last_activity = now
            yield SaveSession(session.snapshot())
            yield from _presence(session, connection, "left")

    def end(self, session: LiveSession, reason: str) -> Iterator[Effect]:
        """*session* is no more; its connections stay open and may watch another."""
        for connection_id in session.watchers:
            del self._watched[connection_id]
            yield Send(connection_id, SessionEnded(session.id, reason))
            yield Dismiss(connection_id)
        session.watchers.clear()

    def expel(self, session: LiveSession, user_id: str, reason: str, now: float) -> Iterator[Effect]:
        """A user's connections no longer watch *session*; they stay open and may watch another."""
        for connection_id in [each.id for each in session.watchers.values() if each.user_id == user_id]:
            yield from self.leave(connection_id, now)
            yield Send(connection_id, SessionEnded(session.id, reason))
            yield Dismiss(connection_id)

    def validate_state(self, sessions: Mapping[str, LiveSession]) -> None:
        """Check the invariant against all *sessions*; for tests."""
        for connection_id, session in self._watched.items():
            assert sessions[session.id] is session
            assert session.watchers[connection_id].id == connection_id
        assert sum(len(session.watchers) for session in sessions.values()) == len(self._watched)

    def _supersede(self, session: LiveSession, survivor: str) -> Iterator[Effect]:
        reason = "a newer connection took the session for itself"
        for connection_id in [each for each in session.watchers if each != survivor]:
            del session.watchers[connection_id], self._watched[connection_id]
            yield Send(connection_id, Error(ErrorCode.SUPERSEDED, reason, session_id=session.id))
            yield Dismiss(connection_id)
            yield Close(connection_id, Closing(CloseCode.SUPERSEDED, reason))


def _watch(request: Attach, greeting: Connected, log: Log, others: Iterable[Log]) -> Iterator[Effect]:
    """A cursor into another log says nothing of a new session's; protocol 1 hears of channels only live."""
    connection = request.connection
    last_seq = request.last_seq if greeting.resumed else None
    channels = request.channels if connection.protocol >= versions.LATEST else {}
    wanted = [(other, channels.get(other.name)) for other in others]
    if may_follow(log, connection):
        wanted.insert(0, (log, last_seq))
    resumed = [_resume(each, after, request.epoch) for each, after in wanted]
    yield Watch(connection.id, greeting, [cursor for cursor, _ in resumed], request.is_exact)
    yield from (Send(connection.id, gap) for _, gap in resumed if gap)


def _resume(log: Log, last_seq: int | None, epoch: str | None) -> tuple[tuple[Log, int], Gap | None]:
    """
    Where a connection begins to read *log*, and what it must be told that it misses.

    Without a cursor it begins now, which is at the end of what is committed: of
    what is not yet, nobody may be told. A cursor that counts in a foreign epoch,
    or beyond the end, cannot be honoured: everything there counts as unseen.
    What has been cut off the log shows when it is read.
    """
    if last_seq is None:
        return (log, log.visible_seq), None
    if epoch in (None, log.epoch) and last_seq <= log.visible_seq:
        return (log, last_seq), None
    return (log, log.first_seq - 1), log.gap(last_seq + 1)


def _presence(
    session: LiveSession, connection: ConnectionHandle, event: Literal["joined", "left"]
) -> Iterator[Effect]:
    """Tell who watches *session* that *connection* came or went."""
    if len(session.watchers) > MAX_PRESENCE_WATCHERS:
        return
    presence = Presence(
        session_id=session.id,
        event=event,
        connection_id=connection.id,
        user_id=connection.user_id,
        watchers=len(session.watchers),
        client=connection.client,
    )
    for other in session.watchers.values():
        is_other = other.id != connection.id
        if is_other and other.protocol >= versions.LATEST and may_be_sent(presence, other):
            yield Send(other.id, presence)
