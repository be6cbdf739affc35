"""
A session table, its storage and a simple model of both, under the same requests in any order.

At any moment sessions leave the memory and come back, and at any moment the
whole table is thrown away ("kill -9") and another one opened from what was
committed: it goes on as if nothing had happened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import attrs
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.principal import Family, Principal
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentToken,
    ChannelMessage,
    Chat,
    ChatAccepted,
    Command,
    CommandResult,
    Error,
    LoggedEvent,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.session.access import SharedAccess
from bamboo_gateway.session.effects import Effect, StartTurn
from bamboo_gateway.session.history import HistoryMessage
from bamboo_gateway.session.log import Entry, LogLimits
from bamboo_gateway.session.outcomes import MessageKey, OutcomeLimits
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    AppendEvent,
    Attach,
    BroadcastEvent,
    Caller,
    Claim,
    Claimed,
    CreateChannel,
    CreateSession,
    DeleteChannel,
    DeleteInactive,
    DeleteSession,
    Detach,
    Drain,
    EmitEvents,
    EndTurn,
    GetHistory,
    JoinChannel,
    Known,
    LeaveChannel,
    ListChannels,
    Performed,
    PerformOnce,
    RefreshSessions,
    RenameSession,
    Request,
    RestoreSession,
    SendToChannel,
    SetMetadata,
    Settle,
    ShareSession,
    SubmitChat,
    Tidy,
)
from bamboo_gateway.session.session import ConnectionHandle, Session
from bamboo_gateway.session.stored import StoredSession
from bamboo_gateway.session.table import SessionTable
from tests.machines.drive import drive
from tests.machines.listeners import Listeners
from tests.machines.session_model import (
    BOBS,
    MAX_CHANNELS,
    MAX_OUTCOME_AGE,
    MAX_OUTCOMES,
    MAX_QUEUED,
    MAX_SESSIONS,
    USUAL,
    Model,
    ModelEntry,
    ModelMessage,
    ModelOutcome,
    ModelSession,
)
from tests.session.dump import dump
from tests.session.tables import new_table

ReplyT = TypeVar("ReplyT")

OWNERS = {"a1": "ann", "a2": "ann", "a3": "ann", "b1": "bob", "b2": "bob"}
"""Connections and who speaks through them."""

PRINCIPALS = {"ann": Principal("ann"), "bob": Principal("bob", quotas=BOBS)}

HEARS = {name: frozenset(Family) for name in OWNERS} | {
    "a3": frozenset({Family.SESSION}),
    "b2": frozenset({Family.CHANNEL, Family.BROADCAST}),
}
"""What they may be sent."""

UNSENDABLE = "\ud800"

EVERYTHING = 10**9
"""More of anything than there is."""

connections = st.sampled_from(list(OWNERS))
users = st.sampled_from(["ann", "bob"])
session_ids = st.sampled_from([f"s{number}" for number in range(6)])
channel_names = st.sampled_from(["news", "talk", "more"])
sendable = st.sampled_from([True, True, True, False])
message_ids = st.sampled_from(["m1", "m2", "m3", "m4"])

log_limits = st.builds(
    LogLimits,
    max_events=st.integers(1, 6) | st.just(40),
    max_bytes=st.sampled_from([200, 800, 100_000]),
    max_age=st.sampled_from([None, 3.0]),
)


class SessionTableMachine(RuleBasedStateMachine):
    """Every reply, every refusal, all that anybody hears and all that is stored is as the model has it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.listeners = Listeners()
        self.storage = self.listeners.storage
        self.runs = 0
        self.words = 0
        self.open: list[tuple[str, str, MessageKey, list[str]]] = []
        """Commands that are being carried out: session, user, message, and who has said it again."""

    @initialize(
        log=log_limits,
        total=st.sampled_from([1_000, EVERYTHING]),
        history_bytes=st.sampled_from([2_500, EVERYTHING]),
        resume=st.booleans(),
    )
    def begin(self, log: LogLimits, total: int, history_bytes: int, *, resume: bool) -> None:
        """The limits hold for a whole run, over all restarts."""
        self.log_limits, self.total, self.history_bytes, self.resume = log, total, history_bytes, resume
        self.open_table()

    def open_table(self) -> None:
        """What a gateway does when it starts."""
        table = new_table(
            log=self.log_limits,
            history_bytes=self.history_bytes,
            outcomes=OutcomeLimits(MAX_OUTCOME_AGE, MAX_OUTCOMES, EVERYTHING),
            total_log_bytes=self.total,
            max_sessions=MAX_SESSIONS,
            max_channels=MAX_CHANNELS,
            max_queued_chats=MAX_QUEUED,
            quotas=USUAL,
        )
        state = drive(self.storage.open(self.log_limits))
        self.table = SessionTable(table.limits, resume_turns=self.resume)
        self.table.open(state)
        self.epoch = state.epoch
        unfinished = [
            each for each, session in self.model.sessions.items() if session.running or session.queue
        ]
        assert list(state.unfinished) == unfinished

    # ── asking ───────────────────────────────────────────────────────────────

    def handle(self, request: Request[ReplyT]) -> tuple[ReplyT, list[Effect]]:
        """The reply and the effects, which nobody has carried out."""
        subject = request.subject
        assert subject is None or self.table.holds(subject) or self.stored(subject) is None, "wake it"
        return self.table.handle(request, self.model.now)

    def ask(self, request: Request[ReplyT]) -> ReplyT:
        """Something that cannot be refused."""
        reply, effects = self.handle(request)
        self.listeners.carry_out(effects)
        self.table.validate_state()
        return reply

    def try_to(self, request: Request[Any], refusal: ErrorCode | None) -> None:
        """Something that is done, or refused without a trace."""
        if refusal is None:
            self.ask(request)
            return
        before = dump(self.table)
        with pytest.raises(GatewayError) as caught:
            self.ask(request)
        assert caught.value.code is refusal
        assert dump(self.table) == before

    def stored(self, session: str) -> StoredSession | None:
        """What the storage has of it."""
        return drive(self.storage.load(session, self.log_limits, self.history_bytes))

    def wake(self, session: str | None) -> None:
        """Bring a session into memory, as the registry does before anything is asked of it."""
        if session is None or self.table.holds(session):
            return
        stored = self.stored(session)
        assert (stored is not None) == (session in self.model.sessions)
        known = self.model.sessions.get(session)
        was_running = known.running if known else None
        if stored and known:
            known.last_activity = recalled_activity(stored, known)
            self.model.wake(session, resume=self.resume)
        self.ask(RestoreSession(session, stored))
        if known and was_running and self.resume and not known.is_left:
            self.check_resumed(self.listeners.agents[was_running], known)

    def check_resumed(self, turn: StartTurn, session: ModelSession) -> None:
        """The agent is given all that it had said, and the conversation before that."""
        assert turn.partial is not None
        assert [seen(turn.partial)] == session.conversation[-1:]
        self.check_context(turn.history, session.conversation[:-2])

    def check_context(self, given: Sequence[HistoryMessage], conversation: list[ModelMessage]) -> None:
        """The newest part of the conversation; all of it, where there is room."""
        assert [seen(message) for message in given] == conversation[len(conversation) - len(given) :]
        assert len(given) == len(conversation) or self.history_bytes < EVERYTHING

    # ── memory and storage ───────────────────────────────────────────────────

    @rule(max_idle=st.integers(0, 5))
    def tidy(self, max_idle: int) -> None:
        self.model.tidy(max_idle)
        self.ask(Tidy(max_idle))

    @precondition(lambda self: not self.open)
    @rule(max_log_bytes=st.sampled_from([0, 500, EVERYTHING]))
    def expire(self, max_log_bytes: int) -> None:
        """The storage keeps its own bounds, whatever the memory does."""
        self.tidy(99)
        before = (self.model.now - (self.log_limits.max_age or 99)) * 1000
        outcomes_before = self.model.expire_outcomes() * 1000
        drive(self.storage.expire(int(before), max_log_bytes, int(outcomes_before)))

    @rule(session=session_ids)
    def need(self, session: str) -> None:
        self.wake(session)

    @rule(data=st.data(), lost=st.integers(0, 3))
    def kill(self, data: st.DataObject, lost: int) -> None:
        """What was asked last was not committed, and so told to nobody: it never was."""
        running = [
            (each, session.running) for each, session in self.model.sessions.items() if session.running
        ]
        for session, run in running:
            for _ in range(lost if self.table.holds(session) else 0):
                self.handle(EmitEvents(session, run, [AgentToken(session, "never said")]))
        if running and lost and self.table.holds(running[0][0]):
            self.handle(EndTurn(*running[0], AgentComplete(running[0][0], TokenUsage())))
        self.model.crash()
        self.listeners.crash()
        self.open.clear()
        self.open_table()
        awake = data.draw(st.booleans())
        for session in [each for each, _ in running if awake]:
            self.wake(session)

    @precondition(lambda self: not self.model.is_draining)
    @rule()
    def drain(self) -> None:
        """From here on nothing begins, until the next gateway: the process is killed, sooner or later."""
        self.model.is_draining = True
        self.ask(Drain(1.0))

    # ── sessions ─────────────────────────────────────────────────────────────

    @rule(user=users, session=session_ids, by_program=st.booleans())
    def create(self, user: str, session: str, *, by_program: bool) -> None:
        self.wake(session)
        refusal = self.model.create(user, session, by_program=by_program)
        caller = OPERATOR if by_program else Caller(PRINCIPALS[user])
        self.try_to(CreateSession(user, session, caller=caller), refusal)

    @rule(user=users, session=session_ids, name=st.none() | st.text("xy", max_size=2))
    def rename(self, user: str, session: str, name: str | None) -> None:
        self.wake(session)
        refusal = self.model.find(user, session, "own")
        if refusal is None:
            self.model.sessions[session].name = name
        self.try_to(RenameSession(Caller(PRINCIPALS[user]), session, name), refusal)

    @rule(
        user=users,
        session=session_ids,
        key=st.sampled_from("kl"),
        value=st.none() | st.just(float("nan")) | st.integers(0, 9),
    )
    def set_metadata(self, user: str, session: str, key: str, value: float | None) -> None:
        self.wake(session)
        refusal = self.model.find(user, session, "own")
        if refusal is None and value is not None and math.isnan(value):
            refusal = ErrorCode.INVALID_ARGUMENTS
        if refusal is None:
            metadata = {**self.model.sessions[session].metadata, key: value}
            self.model.sessions[session].metadata = {k: v for k, v in metadata.items() if v is not None}
        self.try_to(SetMetadata(Caller(PRINCIPALS[user]), session, {key: value}), refusal)

    @precondition(lambda self: self.model.sessions)
    @rule(data=st.data(), access=st.sampled_from(["read", "chat"]), comes=st.booleans())
    def invite(self, data: st.DataObject, access: SharedAccess, *, comes: bool) -> None:
        """A session is shared with who does not own it, and they may come at once."""
        session = data.draw(st.sampled_from(list(self.model.sessions)))
        owner = self.model.sessions[session].owner
        guest, connection = ("bob", "b1") if owner == "ann" else ("ann", "a1")
        self.share(owner, session, guest, access)
        if comes:
            self.attach(connection, session, "s9", None, None, exclusive=False)

    @precondition(lambda self: any(each.shares for each in self.model.sessions.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """No longer; whoever watches by it is sent away."""
        shared = [each for each, session in self.model.sessions.items() if session.shares]
        session = data.draw(st.sampled_from(shared))
        guest = data.draw(st.sampled_from(list(self.model.sessions[session].shares)))
        self.share(self.model.sessions[session].owner, session, guest, None)

    @rule(
        user=users,
        session=session_ids,
        guest=users,
        access=st.sampled_from(["read", "chat", None]),
    )
    def share(self, user: str, session: str, guest: str, access: SharedAccess | None) -> None:
        self.wake(session)
        theirs = [connection for connection, owner in OWNERS.items() if owner == guest]
        refusal = self.model.share(user, session, guest, access, theirs)
        self.try_to(ShareSession(Caller(PRINCIPALS[user]), session, guest, access), refusal)

    @rule(user=users, session=session_ids)
    def delete(self, user: str, session: str) -> None:
        self.wake(session)
        refusal = self.model.delete(user, session)
        if refusal is None:
            self.open = [each for each in self.open if each[0] != session]
        self.try_to(DeleteSession(Caller(PRINCIPALS[user]), session), refusal)

    @rule(max_age=st.integers(0, 9))
    def clean_up(self, max_age: int) -> None:
        found = drive(self.storage.find_inactive(self.model.now - max_age, 99))
        for session in found:
            self.wake(session)
        deleted = self.model.cleanup(max_age)
        assert [each for each in self.listed(found) if self.ask(DeleteInactive(each, max_age))] == deleted

    def listed(self, sessions: Sequence[str]) -> list[str]:
        """In the order in which they were made."""
        return [each.id for each in drive(self.storage.list(None, 0, 99)) if each.id in sessions]

    @rule(seconds=st.integers(1, 5))
    def wait(self, seconds: int) -> None:
        self.model.now += seconds

    # ── connections ──────────────────────────────────────────────────────────

    @rule(
        connection=connections,
        session=st.none() | session_ids,
        new=session_ids,
        last_seq=st.none() | st.integers(0, 9),
        epoch=st.sampled_from([None, "this", "older"]),
        exclusive=st.booleans(),
    )
    def attach(
        self,
        connection: str,
        session: str | None,
        new: str,
        last_seq: int | None,
        epoch: str | None,
        *,
        exclusive: bool,
    ) -> None:
        if new in self.model.sessions:
            return  # a new session's id is fresh
        self.wake(session)
        user = OWNERS[connection]
        resumed = session is not None and self.model.find(user, session) is None
        refusal = self.model.attach(user, connection, session, new, exclusive=exclusive)
        request = Attach(
            Caller(PRINCIPALS[user], connection),
            ConnectionHandle(connection, user, protocol=2, hears=HEARS[connection]),
            session,
            new_session_id=new,
            last_seq=last_seq,
            epoch=self.epoch if epoch == "this" else epoch,
            exclusive=exclusive,
        )
        self.listeners.gaps.clear()
        self.try_to(request, refusal)
        if refusal is None and last_seq is not None:
            length = len(self.model.sessions[session or new].entries) if resumed else 0
            is_foreign = resumed and (epoch == "older" or last_seq > length)
            is_told = is_foreign and Family.SESSION in HEARS[connection]
            assert len(self.listeners.gaps) == is_told

    @rule(connection=connections, session=st.none() | session_ids)
    def detach(self, connection: str, session: str | None) -> None:
        assert self.ask(Detach(connection, session)) is self.model.detach(connection, session)

    # ── turns ────────────────────────────────────────────────────────────────

    @rule(connection=connections, mismatched=st.sampled_from([False, False, False, True]))
    def chat(self, connection: str, *, mismatched: bool) -> None:
        watched = self.model.watched(connection)
        run, content = self.new_run(), self.new_word()
        refusal = self.model.may_chat(OWNERS[connection], connection)
        if refusal is None and mismatched:
            refusal = ErrorCode.SESSION_MISMATCH
        elif refusal is None and watched is not None:
            refusal = self.model.chat(OWNERS[connection], watched, run, content)
        session = "another" if mismatched else watched or "none"
        self.try_to(SubmitChat(self.speaker(connection), Chat(content, session), run), refusal)

    def speaker(self, connection: str) -> Caller:
        """Who speaks through a connection."""
        return Caller(PRINCIPALS[OWNERS[connection]], connection)

    def new_run(self) -> str:
        """A fresh id."""
        self.runs += 1
        return f"r{self.runs}"

    def new_word(self) -> str:
        """Something that nobody has said."""
        self.words += 1
        return f"{self.words} "

    def some_run(self, data: st.DataObject, session: str) -> str:
        """A turn that runs, waits, or is long over."""
        known = self.model.sessions.get(session)
        waiting = [run for run, _ in known.queue] if known else []
        running = [known.running] * 3 if known and known.running else []
        return data.draw(st.sampled_from([*waiting, *running, f"r{self.runs}", "r0"]))

    @rule(session=session_ids, data=st.data(), is_sendable=sendable, count=st.integers(1, 4))
    def emit(self, session: str, data: st.DataObject, count: int, *, is_sendable: bool) -> None:
        """Some tokens, committed together."""
        if session not in self.model.sessions or not self.table.holds(session):
            return  # an agent runs only where its session is in memory
        run = self.some_run(data, session)
        effects: list[Effect] = []
        for _ in range(count):
            text = self.new_word()
            self.model.emit(session, run, text, sendable=is_sendable)
            token = AgentToken(session, text if is_sendable else UNSENDABLE)
            effects += self.handle(EmitEvents(session, run, [token]))[1]
        self.listeners.carry_out(effects)

    @rule(session=session_ids, data=st.data(), is_well=st.booleans())
    def end(self, session: str, data: st.DataObject, *, is_well: bool) -> None:
        if session not in self.model.sessions or not self.table.holds(session):
            return
        run = self.some_run(data, session)
        if self.model.runs(session, run):
            self.listeners.agents.pop(run, None)
        self.model.end(session, run, "complete" if is_well else "failed")
        outcome = AgentComplete(session, TokenUsage()) if is_well else Error(ErrorCode.AGENT_ERROR, "failed")
        self.ask(EndTurn(session, run, outcome))

    @rule(user=users, session=session_ids, data=st.data(), one=st.booleans())
    def abort(self, user: str, session: str, data: st.DataObject, *, one: bool) -> None:
        self.wake(session)
        run = self.some_run(data, session) if one else None
        request = AbortTurn(Caller(PRINCIPALS[user]), session, run)
        if refusal := self.model.find(user, session, "chat"):
            self.try_to(request, refusal)
        else:
            assert self.ask(request) == self.model.abort(session, run)

    # ── messages that carry an id ────────────────────────────────────────────

    @rule(connection=connections, message_id=message_ids, content=st.sampled_from(["one", "two"]))
    def chat_with_id(self, connection: str, message_id: str, content: str) -> None:
        session = self.model.watched(connection)
        if session is None:
            return
        chat = Chat(content, session, id=message_id)
        request = SubmitChat(self.speaker(connection), chat, self.new_run())
        if refusal := self.model.may_chat(OWNERS[connection], connection):
            self.try_to(request, refusal)
            return
        known = self.model.recall(session, OWNERS[connection], "chat", message_id, content)
        self.listeners.answers.clear()
        if isinstance(known, ModelOutcome):
            assert self.ask(request) == known.answer
            assert self.listeners.answers == [(connection, known.answer)]
            return
        waiting = len(self.model.sessions[session].queue) + (self.model.sessions[session].running is not None)
        refusal = known or self.model.chat(OWNERS[connection], session, request.run_id, content)
        if refusal is None:
            answer = ChatAccepted(session, request.run_id, queued=waiting, id=message_id)
            self.remember(session, connection, "chat", message_id, content, answer)
        self.try_to(request, refusal)

    @rule(connection=connections, message_id=message_ids, name=st.sampled_from(["one", "two"]))
    def command(self, connection: str, message_id: str, name: str) -> None:
        """A change that is made once, however often it is asked for."""
        session = self.model.watched(connection)
        key = MessageKey.of(Command("rename", name, id=message_id))
        assert key is not None
        answer = CommandResult("rename", ok=True, id=message_id, result=self.new_word())
        caller = self.speaker(connection)
        request = PerformOnce(caller, key, RenameSession(caller, None, name), lambda _: answer)
        if session is None:
            self.try_to(request, self.stopping or ErrorCode.NOT_CONNECTED)
            return
        known = self.model.recall(session, OWNERS[connection], "command", message_id, name) or self.stopping
        if isinstance(known, ModelOutcome):
            self.expect_known(connection, session, key, known, self.ask(request))
        elif known is not None:
            self.try_to(request, known)
        elif refusal := self.model.find(OWNERS[connection], session, "own"):
            self.try_to(request, refusal)
        else:
            self.model.sessions[session].name = name
            self.remember(session, connection, "command", message_id, name, answer)
            assert self.ask(request) == Performed(answer, session)

    @rule(connection=connections, message_id=message_ids, name=st.sampled_from(["one", "two"]))
    def claim(self, connection: str, message_id: str, name: str) -> None:
        """Something that is carried out elsewhere, once."""
        session = self.model.watched(connection)
        key = MessageKey.of(Command("rename", name, id=message_id))
        assert key is not None
        interrupted = CommandResult("rename", ok=False, id=message_id, session_id=session)
        request = Claim(self.speaker(connection), key, interrupted)
        if session is None and self.stopping:
            self.try_to(request, self.stopping)
            return
        if session is None:
            assert self.ask(request) == Claimed(None)
            return
        known = self.model.recall(session, OWNERS[connection], "command", message_id, name) or self.stopping
        if isinstance(known, ModelOutcome):
            self.expect_known(connection, session, key, known, self.ask(request))
        elif known is not None:
            self.try_to(request, known)
        else:
            self.remember(session, connection, "command", message_id, name, interrupted, is_open=True)
            assert self.ask(request) == Claimed(session)
            self.open.append((session, OWNERS[connection], key, []))

    def remember(
        self, session: str, connection: str, kind: str, message_id: str, says: str, answer: Any, **fields: Any
    ) -> None:
        """What became of a message that came through a connection."""
        user = self.model.speaker(OWNERS[connection], session)
        outcome = ModelOutcome(kind, message_id, says, self.model.now, answer, user=user, **fields)
        self.model.remember(session, outcome)

    @property
    def stopping(self) -> ErrorCode | None:
        """Why nothing new is done, if it is not."""
        return ErrorCode.STOPPING if self.model.is_draining else None

    def expect_known(
        self, connection: str, session: str, key: MessageKey, known: ModelOutcome, reply: object
    ) -> None:
        """A repeat is told what came of it; or later, by `Send`, while that is not known."""
        if known.is_open:
            assert reply == Known(None)
            of_theirs = (session, OWNERS[connection], key)
            [waiting] = [each[3] for each in self.open if each[:3] == of_theirs]
            if connection not in waiting:
                waiting.append(connection)
        else:
            assert reply == Known(known.answer)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        session, user, key, waiting = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        answer = CommandResult("rename", ok=True, id=key.id, session_id=session, result=self.new_word())
        [known] = [
            each
            for each in self.model.sessions[session].outcomes
            if each.place == (key.kind, key.id, self.model.speaker(user, session))
        ]
        self.model.remember(session, attrs.evolve(known, ts=self.model.now, answer=answer, is_open=False))
        self.listeners.answers.clear()
        self.ask(Settle(Caller(PRINCIPALS[user]), session, key, answer))
        assert self.listeners.answers == [(each, answer) for each in waiting]

    # ── an embedding program's events, and channels ──────────────────────────

    @rule(session=session_ids, is_sendable=sendable, data=st.data())
    def append(self, session: str, data: st.DataObject, *, is_sendable: bool) -> None:
        self.wake(session)
        refusal = None if is_sendable else ErrorCode.INVALID_EVENT
        if session not in self.model.sessions:
            refusal = ErrorCode.SESSION_NOT_FOUND
        run = self.some_run(data, session) if data.draw(st.booleans()) else None
        text = self.new_word()
        if refusal is None:
            self.model.append(session, "AgentToken", run, text)
        token = AgentToken(session, text if is_sendable else UNSENDABLE, run_id=run)
        self.try_to(AppendEvent(session, token), refusal)

    @rule(session=session_ids, data=st.data())
    def append_an_end(self, session: str, data: st.DataObject) -> None:
        """Whatever a program claims, a turn ends by itself."""
        self.wake(session)
        if session in self.model.sessions:
            run = self.some_run(data, session)
            self.model.append(session, "Error", run, "CLAIMED")
            self.ask(AppendEvent(session, Error("CLAIMED", "it is over", session_id=session, run_id=run)))

    @rule(is_sendable=sendable)
    def broadcast(self, *, is_sendable: bool) -> None:
        self.model.broadcasts += is_sendable
        event = AgentToken("s", "all" if is_sendable else UNSENDABLE)
        self.try_to(BroadcastEvent(event), None if is_sendable else ErrorCode.INVALID_EVENT)

    @rule(user=st.none() | users, name=channel_names)
    def create_channel(self, user: str | None, name: str) -> None:
        caller = Caller(PRINCIPALS[user]) if user else OPERATOR
        self.try_to(CreateChannel(caller, name), self.model.create_channel(user, name))

    @rule(user=st.none() | users, name=channel_names)
    def delete_channel(self, user: str | None, name: str) -> None:
        caller = Caller(PRINCIPALS[user]) if user else OPERATOR
        self.try_to(DeleteChannel(caller, name), self.model.delete_channel(user, name))

    @precondition(lambda self: self.model.sessions and self.model.channels)
    @rule(data=st.data())
    def remake_channel(self, data: st.DataObject) -> None:
        """Another one of that name: who was a member, and may sleep by then, is none of this one."""
        session = data.draw(st.sampled_from(list(self.model.sessions)))
        name = data.draw(st.sampled_from(list(self.model.channels)))
        self.join(self.model.sessions[session].owner, session, name)
        for connection in list(self.model.sessions[session].watchers):
            self.detach(connection, None)
        self.tidy(0)
        self.delete_channel(None, name)
        self.create_channel(None, name)

    @rule(user=users, session=session_ids, name=channel_names)
    def join(self, user: str, session: str, name: str) -> None:
        self.wake(session)
        caller = Caller(PRINCIPALS[user])
        self.try_to(JoinChannel(caller, session, name), self.model.join(user, session, name))

    @rule(user=users, session=session_ids, name=channel_names)
    def leave(self, user: str, session: str, name: str) -> None:
        self.wake(session)
        caller = Caller(PRINCIPALS[user])
        self.try_to(LeaveChannel(caller, session, name), self.model.leave(user, session, name))

    @precondition(lambda self: self.model.channels)
    @rule(session=st.none() | session_ids, name=channel_names, is_sendable=sendable)
    def send(self, session: str | None, name: str, *, is_sendable: bool) -> None:
        self.wake(session)
        message = ChannelMessage(name, "hello" if is_sendable else UNSENDABLE, session_id=session)
        self.try_to(SendToChannel(message), self.model.send(session, name, sendable=is_sendable))

    # ── what always holds ────────────────────────────────────────────────────

    @invariant()
    def sessions_are_as_the_model_has_them(self) -> None:
        """Each field that a client is shown, whether they are in memory or in the storage alone."""
        listed = drive(self.storage.list(None, 0, 99))
        assert [each.id for each in listed] == list(self.model.sessions)
        shown: Sequence[Session] = self.ask(RefreshSessions(OPERATOR, listed))
        for seen, session in zip(shown, self.model.sessions.values(), strict=True):
            assert (seen.user_id, seen.name, seen.metadata) == (session.owner, session.name, session.metadata)
            assert seen.shares == session.shares
            assert [each.id for each in seen.connections] == session.watchers
            assert (seen.last_seq, set(seen.channels)) == (len(session.entries), session.channels)
            assert self.table.holds(seen.id) != session.is_dormant
            if not session.is_dormant:
                assert (seen.run_id, seen.queued) == (session.running, len(session.queue))
                assert seen.last_activity.timestamp() == session.last_activity

    @invariant()
    def each_is_shown_what_is_theirs_or_shared_with_them(self) -> None:
        """Those that they may read, and no other."""
        for user in ("ann", "bob"):
            listed = drive(self.storage.list(user, 0, 99))
            shown = self.ask(RefreshSessions(Caller(PRINCIPALS[user]), listed))
            assert [each.id for each in shown] == [
                each for each in self.model.sessions if self.model.find(user, each) is None
            ]

    @invariant()
    def channels_are_as_the_model_has_them(self) -> None:
        """Their members and how much was said."""
        channels = self.ask(ListChannels(OPERATOR))
        assert [channel.name for channel in channels] == list(self.model.channels)
        for user in ("ann", "bob"):
            seen = self.ask(ListChannels(Caller(PRINCIPALS[user])))
            assert [each.owned for each in seen] == [maker == user for maker in self.model.makers.values()]
        for channel in channels:
            members = [each for each in self.model.sessions.values() if channel.name in each.channels]
            assert (channel.members, channel.last_seq) == (len(members), self.model.channels[channel.name])

    @invariant()
    def an_agent_runs_for_each_running_turn(self) -> None:
        """No turn is begun without its agent, and no agent outlives its turn."""
        awake = [session for session in self.model.sessions.values() if not session.is_dormant]
        running = {session.running for session in awake if session.running and not session.is_left}
        assert set(self.listeners.agents) == running

    @invariant()
    def everybody_hears_each_event_once_in_order_or_of_a_gap(self) -> None:
        """From where it began, to the end of every log that it follows, without a hole that was not told."""
        for connection, ears in self.listeners.ears.items():
            session_id = self.model.watched(connection)
            assert session_id == self.listeners.sessions[connection]
            session = self.model.sessions[session_id or ""]
            lengths = {"*": self.model.broadcasts, session_id: len(session.entries)}
            lengths |= {name: self.model.channels[name] for name in session.channels}
            lengths = {name: each for name, each in lengths.items() if hears(connection, name, session_id)}
            assert ears.keys() == lengths.keys()
            for name, ear in ears.items():
                assert ear.heard == sorted(ear.heard)
                assert sorted(ear.heard + ear.lost) == list(range(ear.after + 1, lengths[name] + 1))

    @invariant()
    def logs_hold_what_the_model_says(self) -> None:
        """The entries that are left are the newest of those that there have been."""
        for ears in self.listeners.ears.values():
            for name, ear in ears.items():
                if name in self.model.sessions:
                    check_newest(ear.log.read(0, EVERYTHING).entries, self.model.sessions[name].entries)

    @invariant()
    def the_storage_has_what_the_model_says(self) -> None:
        """Entries, turns that are not over, and outcomes, whether the session is in memory or not."""
        for session_id, session in self.model.sessions.items():
            stored = self.stored(session_id)
            assert stored is not None
            assert stored.log.last_seq == len(session.entries)
            check_newest(stored.log.entries, session.entries)
            assert len(stored.log.entries) <= self.log_limits.max_events + self.log_limits.slack + 4
            running = [session.running] if session.running else []
            assert [run.run_id for run in stored.runs] == running + [run for run, _ in session.queue]
            remembered = [(each.key.place, each.answer) for each in stored.outcomes]
            assert remembered == [(each.place, each.answer) for each in session.outcomes]

    @invariant()
    def conversations_are_whole(self) -> None:
        """Every message that there has been, from the storage and the memory together."""
        for session_id, session in self.model.sessions.items():
            if not session.is_dormant:
                tail = self.ask(GetHistory(OPERATOR, session_id, 99))
                older = drive(self.storage.read_messages(session_id, tail.first, tail.end))
                messages = [*(each.message for each in older), *tail.messages]
                assert [seen(message) for message in messages] == session.conversation


def hears(connection: str, log: str | None, session: str | None) -> bool:
    """May a connection that watches *session* be sent what is in a log?"""
    family = {session: Family.SESSION, "*": Family.BROADCAST}.get(log, Family.CHANNEL)
    return family in HEARS[connection]


def recalled_activity(stored: StoredSession, session: ModelSession) -> float:
    """No session is taken for older than it was when it was saved, nor than the newest event that is left."""
    saved = stored.session.last_activity.timestamp()
    newest = stored.log.entries[-1].ts / 1000 if stored.log.entries else 0
    assert saved <= session.last_activity
    return max(saved, newest)


def check_newest(entries: Sequence[Entry], expected: list[ModelEntry]) -> None:
    """*entries* are the last of those expected."""
    first = len(expected) - len(entries)
    assert [entry.seq for entry in entries] == list(range(first + 1, len(expected) + 1))
    assert [
        ModelEntry(entry.kind.__name__, event.run_id, text_of(event))
        for entry, event in ((entry, entry.event) for entry in entries)
    ] == expected[first:]


def text_of(event: LoggedEvent) -> str:
    """What the model knows of an event's content."""
    match event:
        case UserMessage(content=text) | AgentToken(token=text) | Error(code=text):
            return text
        case _:
            return ""


def seen(message: HistoryMessage) -> ModelMessage:
    """A message as the model has it."""
    return ModelMessage(message.role, message.run_id, message.content, message.status)


TestSessionTable = SessionTableMachine.TestCase
TestSessionTable.settings = settings(max_examples=100, stateful_step_count=50)
