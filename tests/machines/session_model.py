"""What a session table must do, said as simply as possible: lists and dictionaries, and no effects."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import attrs

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.principal import Quotas
from bamboo_gateway.protocol.messages import Json
from bamboo_gateway.session.access import SharedAccess

Need: TypeAlias = Literal["read", "chat", "own"]

MAX_SESSIONS = 3
MAX_CHANNELS = 2
MAX_QUEUED = 1
USUAL = Quotas(max_sessions=2, max_channels=1, max_queued_chats=2)
"""What each principal is held to."""

BOBS = Quotas(max_sessions=1, max_queued_chats=1)
"""What Bob is held to in place of that, where it is not None."""
MAX_OUTCOMES = 3
MAX_OUTCOME_AGE = 10.0


@attrs.frozen
class ModelEntry:
    """One entry of a log."""

    kind: str
    run: str | None
    text: str
    """What it says: a chat's content, a token, the code of an error."""


@attrs.define
class ModelMessage:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    run: str
    content: str
    status: str = "complete"


@attrs.define
class ModelOutcome:
    """What became of a message that carries an id."""

    kind: str
    id: str
    says: Any
    ts: float
    answer: Any
    is_open: bool = False
    user: str = ""
    """Whose message it is; empty: the owner's."""

    @property
    def place(self) -> tuple[str, str, str]:
        """What tells it from all others of its session."""
        return self.kind, self.id, self.user


@attrs.define
class ModelSession:
    """One session."""

    owner: str
    last_activity: float
    name: str | None = None
    metadata: dict[str, Json] = attrs.field(factory=dict)
    watchers: list[str] = attrs.field(factory=list)
    channels: set[str] = attrs.field(factory=set)
    shares: dict[str, SharedAccess] = attrs.field(factory=dict)
    running: str | None = None
    queue: list[tuple[str, str]] = attrs.field(factory=list)
    """Turns that wait, and what they were asked."""
    entries: list[ModelEntry] = attrs.field(factory=list)
    """All that there have ever been."""
    conversation: list[ModelMessage] = attrs.field(factory=list)
    outcomes: list[ModelOutcome] = attrs.field(factory=list)
    is_dormant: bool = False
    """It is in the storage alone."""
    is_left: bool = False
    """The turn that runs is the next gateway's to go on with."""

    @property
    def is_idle(self) -> bool:
        """Does nobody need it?"""
        is_busy = self.watchers or self.running or self.queue
        return not is_busy and not any(each.is_open for each in self.outcomes)


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
        self.makers: dict[str, str | None] = {}
        """Whose each channel is; None: the gateway's."""
        self.broadcasts = 0
        self.is_draining = False
        """The gateway is about to stop."""

    def watched(self, connection: str) -> str | None:
        """The session that a connection watches."""
        return next((each for each, session in self.sessions.items() if connection in session.watchers), None)

    def find(self, user: str, session: str, needed: Need = "read") -> ErrorCode | None:
        """May *user* do so much with it?"""
        found = self.sessions.get(session)
        granted = None
        if found is not None:
            granted = "own" if found.owner == user else found.shares.get(user)
        if granted is None:
            return ErrorCode.SESSION_NOT_FOUND
        order = ["read", "chat", "own"]
        return None if order.index(granted) >= order.index(needed) else ErrorCode.FORBIDDEN

    def speaker(self, user: str, session: str) -> str:
        """Whose messages with an id those of *user* are: the owner's, or a guest's own."""
        return "" if self.sessions[session].owner == user else user

    def share(
        self, user: str, session: str, guest: str, access: SharedAccess | None, theirs: list[str]
    ) -> ErrorCode | None:
        """*guest*, whose connections are *theirs*, may do so much with it."""
        if refusal := self.find(user, session, "own"):
            return refusal
        found = self.sessions[session]
        if guest == found.owner:
            return ErrorCode.INVALID_ARGUMENTS
        if access is not None:
            found.shares[guest] = access
        elif found.shares.pop(guest, None):
            if set(theirs) & set(found.watchers):
                found.last_activity = self.now
            found.watchers = [each for each in found.watchers if each not in theirs]
        return None

    # ── memory and storage ───────────────────────────────────────────────────

    def tidy(self, max_idle: float) -> None:
        """Who is of no use for the moment leaves the memory."""
        for session in self.sessions.values():
            if session.is_idle and session.last_activity <= self.now - max_idle:
                session.is_dormant = True

    def crash(self) -> None:
        """The process is gone, with all who watched."""
        self.is_draining = False
        for session in self.sessions.values():
            session.is_dormant = True
            session.watchers.clear()
            for outcome in session.outcomes:
                outcome.is_open = False

    def wake(self, session: str, *, resume: bool) -> None:
        """It comes back into memory; a turn that runs then was interrupted, what only waited begins."""
        found = self.sessions[session]
        found.is_dormant = False
        found.is_left = found.running is not None and self.is_draining
        if found.running and not resume:
            self.end(session, found.running, "interrupted")
        self._begin_next(session)

    # ── sessions ─────────────────────────────────────────────────────────────

    def create(self, user: str, session: str, *, by_program: bool = False) -> ErrorCode | None:
        """A session of *user*'s."""
        if session in self.sessions:
            return ErrorCode.SESSION_EXISTS
        if len(self.sessions) >= MAX_SESSIONS:
            return ErrorCode.LIMIT_EXCEEDED
        theirs = [each for each in self.sessions.values() if each.owner == user]
        if len(theirs) >= (1 if user == "bob" else 2) and not by_program:
            return ErrorCode.LIMIT_EXCEEDED
        self.sessions[session] = ModelSession(user, self.now)
        return None

    def delete(self, user: str, session: str) -> ErrorCode | None:
        """No more of it."""
        refusal = self.find(user, session, "own")
        if refusal is None:
            del self.sessions[session]
        return refusal

    def cleanup(self, max_age: float) -> list[str]:
        """Those that are of no use to anybody."""
        idle = [
            each
            for each, session in self.sessions.items()
            if session.is_idle and session.last_activity <= self.now - max_age
        ]
        for each in idle:
            del self.sessions[each]
        return idle

    # ── connections ──────────────────────────────────────────────────────────

    def attach(
        self, user: str, connection: str, session: str | None, new: str, *, exclusive: bool
    ) -> ErrorCode | None:
        """*connection* watches *session*, or a new one."""
        if self.is_draining:
            return ErrorCode.STOPPING
        if session is None or self.find(user, session):
            session = new
            refusal = self.create(user, session)
        else:
            refusal = self.find(user, session, "own") if exclusive else None
        if refusal:
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

    def append(self, session: str, kind: str, run: str | None = None, text: str = "") -> None:
        """One entry more."""
        found = self.sessions[session]
        found.entries.append(ModelEntry(kind, run, text))
        found.last_activity = self.now
        if kind == "AgentToken" and run is not None and run == found.running:
            found.conversation[-1].content += text

    def may_chat(self, user: str, connection: str) -> ErrorCode | None:
        """May *user* speak through *connection*?"""
        session = self.watched(connection)
        if session is None:
            return ErrorCode.NOT_CONNECTED
        return self.find(user, session, "chat")

    def chat(self, user: str, session: str, run: str, content: str) -> ErrorCode | None:
        """A turn, now or later, that *user* asks for and the owner pays; what is known already is none."""
        if self.is_draining:
            return ErrorCode.STOPPING
        found = self.sessions[session]
        if len(found.queue) >= MAX_QUEUED and found.running:
            return ErrorCode.QUEUE_FULL
        of_owner = [each for each in self.sessions.values() if each.owner == found.owner]
        quota = 1 if user == found.owner == "bob" else 2
        # Where its turns were interrupted, they count as soon as they are known of.
        busy = [each for each in of_owner if not each.is_dormant]
        if sum(len(each.queue) + bool(each.running) for each in busy) >= quota:
            return ErrorCode.QUEUE_FULL
        self.append(session, "UserMessage", run, content)
        found.queue.append((run, content))
        self._begin_next(session)
        return None

    def emit(self, session: str, run: str, text: str, *, sendable: bool) -> None:
        """A token, which counts only while the turn runs."""
        if self.runs(session, run):
            if sendable:
                self.append(session, "AgentToken", run, text)
            else:
                self.end(session, run, "failed")

    def end(self, session: str, run: str, status: str, code: str = ErrorCode.AGENT_ERROR) -> None:
        """The turn is over, and another begins."""
        if self.runs(session, run):
            code = ErrorCode.AGENT_INTERRUPTED if status == "interrupted" else code
            is_well = status == "complete"
            self.append(session, "AgentComplete" if is_well else "Error", run, "" if is_well else code)
            self.sessions[session].running = None
            self.sessions[session].is_left = False
            self.sessions[session].conversation[-1].status = status
            self._begin_next(session)

    def abort(self, session: str, run: str | None) -> list[str]:
        """Some turns are no more."""
        found = self.sessions[session]
        known = [found.running, *(each for each, _ in found.queue)]
        aborted = [each for each in known if each and run in (None, each)]
        for each in [each for each in found.queue if each[0] in aborted]:
            found.queue.remove(each)
            self.append(session, "Error", each[0], ErrorCode.AGENT_ABORTED)
        if found.running in aborted and found.running:
            self.end(session, found.running, "failed", ErrorCode.AGENT_ABORTED)
        return aborted

    def runs(self, session: str, run: str) -> bool:
        """Is this the turn that runs?"""
        return session in self.sessions and self.sessions[session].running == run

    def _begin_next(self, session: str) -> None:
        found = self.sessions[session]
        if found.running is None and found.queue and not self.is_draining:
            found.running, content = found.queue.pop(0)
            found.conversation.append(ModelMessage("user", found.running, content))
            found.conversation.append(ModelMessage("assistant", found.running, "", "running"))
            self.append(session, "AgentStart", found.running)

    # ── messages that carry an id ────────────────────────────────────────────

    def recall(
        self, session: str, user: str, kind: str, message_id: str, says: Any
    ) -> ModelOutcome | ErrorCode | None:
        """What is known of a message: nothing, what became of it, or that its id was another's."""
        for outcome in self.sessions[session].outcomes:
            is_fresh = outcome.is_open or outcome.ts > self.now - MAX_OUTCOME_AGE
            if outcome.place == (kind, message_id, self.speaker(user, session)) and is_fresh:
                return outcome if outcome.says == says else ErrorCode.ID_REUSED
        return None

    def expire_outcomes(self) -> float:
        """Those that are too old are gone; returns when the oldest that is left can have been."""
        oldest = self.now - MAX_OUTCOME_AGE
        for session in self.sessions.values():
            session.outcomes = [each for each in session.outcomes if each.ts >= oldest]
        return oldest

    def remember(self, session: str, outcome: ModelOutcome) -> None:
        """The newest; the oldest go for it, unless they are being carried out."""
        found = self.sessions[session]
        kept = [each for each in found.outcomes if each.place != outcome.place]
        found.outcomes = [*kept, outcome]
        for each in kept:
            is_old = each.ts <= self.now - MAX_OUTCOME_AGE
            if not each.is_open and (is_old or len(found.outcomes) > MAX_OUTCOMES):
                found.outcomes.remove(each)

    # ── channels ─────────────────────────────────────────────────────────────

    def create_channel(self, user: str | None, name: str) -> ErrorCode | None:
        """A channel without members, of *user* or (None) of the gateway."""
        if name in self.channels:
            return ErrorCode.CHANNEL_EXISTS
        if len(self.channels) >= MAX_CHANNELS:
            return ErrorCode.LIMIT_EXCEEDED
        if user is not None and list(self.makers.values()).count(user) >= 1:
            return ErrorCode.LIMIT_EXCEEDED
        self.channels[name], self.makers[name] = 0, user
        return None

    def delete_channel(self, user: str | None, name: str) -> ErrorCode | None:
        """No more of it, and no members."""
        if refusal := self._known(name):
            return refusal
        if user not in (None, self.makers[name]):
            return ErrorCode.FORBIDDEN
        del self.channels[name], self.makers[name]
        for session in self.sessions.values():
            session.channels.discard(name)
        return None

    def join(self, user: str, session: str, name: str) -> ErrorCode | None:
        """One member more."""
        refusal = self.find(user, session, "chat") or self._known(name)
        if refusal is None:
            self.sessions[session].channels.add(name)
        return refusal

    def leave(self, user: str, session: str, name: str) -> ErrorCode | None:
        """One member less."""
        refusal = self.find(user, session, "chat") or self._member(session, name)
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
