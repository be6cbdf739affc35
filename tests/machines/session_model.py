"""What a session table must do, said as simply as possible: lists and dictionaries, and no effects."""

from __future__ import annotations

import attrs

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import Json

MAX_SESSIONS = 3
MAX_CHANNELS = 2
MAX_QUEUED = 1


@attrs.define
class ModelSession:
    """One session."""

    owner: str
    last_activity: float
    name: str | None = None
    metadata: dict[str, Json] = attrs.field(factory=dict)
    watchers: list[str] = attrs.field(factory=list)
    channels: set[str] = attrs.field(factory=set)
    running: str | None = None
    queue: list[str] = attrs.field(factory=list)
    entries: list[tuple[str, str | None]] = attrs.field(factory=list)
    """Kind and turn of each entry of its log."""


class Model:
    """
    All sessions and channels.

    A method that changes something returns the code of the refusal, or None.
    """

    def __init__(self) -> None:
        self.now = 1_000.0
        self.sessions: dict[str, ModelSession] = {}
        self.channels: dict[str, int] = {}
        """How many messages each has had."""
        self.broadcasts = 0

    def watched(self, connection: str) -> str | None:
        """The session that a connection watches."""
        return next((each for each, session in self.sessions.items() if connection in session.watchers), None)

    def find(self, user: str, session: str) -> ErrorCode | None:
        """May *user* see it?"""
        known = session in self.sessions and self.sessions[session].owner == user
        return None if known else ErrorCode.SESSION_NOT_FOUND

    # ── sessions ─────────────────────────────────────────────────────────────

    def create(self, user: str, session: str) -> ErrorCode | None:
        """A session of *user*'s."""
        if session in self.sessions:
            return ErrorCode.SESSION_EXISTS
        if len(self.sessions) >= MAX_SESSIONS:
            return ErrorCode.LIMIT_EXCEEDED
        self.sessions[session] = ModelSession(user, self.now)
        return None

    def delete(self, user: str, session: str) -> ErrorCode | None:
        """No more of it."""
        refusal = self.find(user, session)
        if refusal is None:
            del self.sessions[session]
        return refusal

    def cleanup(self, max_age: float) -> list[str]:
        """Those that are of no use to anybody."""
        idle = [
            each
            for each, session in self.sessions.items()
            if not session.watchers and not session.running and session.last_activity <= self.now - max_age
        ]
        for each in idle:
            del self.sessions[each]
        return idle

    # ── connections ──────────────────────────────────────────────────────────

    def attach(
        self, user: str, connection: str, session: str | None, new: str, *, exclusive: bool
    ) -> ErrorCode | None:
        """*connection* watches *session*, or a new one."""
        if session is None or self.find(user, session):
            session = new
            if refusal := self.create(user, session):
                return refusal
        found = self.sessions[session]
        if self.watched(connection) != session:
            self.detach(connection, None)
            found.watchers.append(connection)
        if exclusive:
            found.watchers = [connection]
        found.last_activity = self.now
        return None

    def detach(self, connection: str, session: str | None) -> bool:
        """*connection* watches nothing any more, if it watched that."""
        watched = self.watched(connection)
        if watched is None or session not in (None, watched):
            return False
        self.sessions[watched].watchers.remove(connection)
        self.sessions[watched].last_activity = self.now
        return True

    # ── turns ────────────────────────────────────────────────────────────────

    def append(self, session: str, kind: str, run: str | None = None) -> None:
        """One entry more."""
        self.sessions[session].entries.append((kind, run))
        self.sessions[session].last_activity = self.now

    def chat(self, connection: str, run: str) -> ErrorCode | None:
        """A turn, now or later."""
        session = self.watched(connection)
        if session is None:
            return ErrorCode.NOT_CONNECTED
        found = self.sessions[session]
        if len(found.queue) >= MAX_QUEUED and found.running:
            return ErrorCode.QUEUE_FULL
        self.append(session, "UserMessage", run)
        found.queue.append(run)
        self._begin_next(session)
        return None

    def emit(self, session: str, run: str, *, sendable: bool) -> None:
        """A token, which counts only while the turn runs."""
        if self.runs(session, run):
            if sendable:
                self.append(session, "AgentToken", run)
            else:
                self.end(session, run, "Error")

    def end(self, session: str, run: str, kind: str) -> None:
        """The turn is over, and another begins."""
        if self.runs(session, run):
            self.append(session, kind, run)
            self.sessions[session].running = None
            self._begin_next(session)

    def abort(self, session: str, run: str | None) -> list[str]:
        """Some turns are no more."""
        found = self.sessions[session]
        aborted = [each for each in (found.running, *found.queue) if each and run in (None, each)]
        for each in [each for each in found.queue if each in aborted]:
            found.queue.remove(each)
            self.append(session, "Error", each)
        if found.running in aborted and found.running:
            self.end(session, found.running, "Error")
        return aborted

    def runs(self, session: str, run: str) -> bool:
        """Is this the turn that runs?"""
        return session in self.sessions and self.sessions[session].running == run

    def _begin_next(self, session: str) -> None:
        found = self.sessions[session]
        if found.running is None and found.queue:
            found.running = found.queue.pop(0)
            self.append(session, "AgentStart", found.running)

    # ── channels ─────────────────────────────────────────────────────────────

    def create_channel(self, name: str) -> ErrorCode | None:
        """A channel without members."""
        if name in self.channels:
            return ErrorCode.CHANNEL_EXISTS
        if len(self.channels) >= MAX_CHANNELS:
            return ErrorCode.LIMIT_EXCEEDED
        self.channels[name] = 0
        return None

    def join(self, user: str, session: str, name: str) -> ErrorCode | None:
        """One member more."""
        refusal = self.find(user, session) or self._known(name)
        if refusal is None:
            self.sessions[session].channels.add(name)
        return refusal

    def leave(self, user: str, session: str, name: str) -> ErrorCode | None:
        """One member less."""
        refusal = self.find(user, session) or self._member(session, name)
        if refusal is None:
            self.sessions[session].channels.remove(name)
        return refusal

    def send(self, session: str | None, name: str, *, sendable: bool) -> ErrorCode | None:
        """A message, of a member or from outside."""
        if session is not None and session not in self.sessions:
            return ErrorCode.SESSION_NOT_FOUND
        refusal = self._known(name) if session is None else self._member(session, name)
        if refusal or not sendable:
            return refusal or ErrorCode.INVALID_EVENT
        self.channels[name] += 1
        if session is not None:
            self.sessions[session].last_activity = self.now
        return None

    def _known(self, name: str) -> ErrorCode | None:
        return None if name in self.channels else ErrorCode.CHANNEL_NOT_FOUND

    def _member(self, session: str, name: str) -> ErrorCode | None:
        joined = name in self.sessions[session].channels
        return self._known(name) or (None if joined else ErrorCode.NOT_A_MEMBER)
