"""A session table and a simple model of it, under the same requests in any order."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentToken,
    ChannelMessage,
    Chat,
    Error,
    TokenUsage,
)
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    AppendEvent,
    Attach,
    BroadcastEvent,
    Caller,
    CleanupInactive,
    CreateChannel,
    CreateSession,
    DeleteSession,
    Detach,
    EmitEvent,
    EndTurn,
    JoinChannel,
    LeaveChannel,
    ListChannels,
    ListSessions,
    RenameSession,
    Request,
    SendToChannel,
    SetMetadata,
    SubmitChat,
)
from bamboo_gateway.session.session import ConnectionHandle, Principal
from tests.machines.listeners import Listeners
from tests.machines.session_model import MAX_CHANNELS, MAX_QUEUED, MAX_SESSIONS, Model
from tests.session.dump import dump
from tests.session.tables import EPOCH, new_table

ReplyT = TypeVar("ReplyT")

OWNERS = {"a1": "ann", "a2": "ann", "a3": "ann", "b1": "bob"}
"""Connections and who speaks through them."""

UNSENDABLE = "\ud800"

connections = st.sampled_from(list(OWNERS))
users = st.sampled_from(["ann", "bob"])
session_ids = st.sampled_from([f"s{number}" for number in range(6)])
channel_names = st.sampled_from(["news", "talk", "more"])
sendable = st.sampled_from([True, True, True, False])


class SessionTableMachine(RuleBasedStateMachine):
    """Every reply, every refusal and all that anybody hears is as the model has it."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.listeners = Listeners()
        self.table = new_table(
            log=LogLimits(max_events=4, max_bytes=2_000),
            max_sessions=MAX_SESSIONS,
            max_channels=MAX_CHANNELS,
            max_queued_chats=MAX_QUEUED,
        )
        self.runs = 0

    def ask(self, request: Request[ReplyT]) -> ReplyT:
        """Something that cannot be refused."""
        reply, effects = self.table.handle(request, self.model.now)
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

    # ── sessions ─────────────────────────────────────────────────────────────

    @rule(user=users, session=session_ids)
    def create(self, user: str, session: str) -> None:
        self.try_to(CreateSession(user, session), self.model.create(user, session))

    @rule(user=users, session=session_ids, name=st.none() | st.text("xy", max_size=2))
    def rename(self, user: str, session: str, name: str | None) -> None:
        refusal = self.model.find(user, session)
        if refusal is None:
            self.model.sessions[session].name = name
        self.try_to(RenameSession(Caller(Principal(user)), session, name), refusal)

    @rule(
        user=users,
        session=session_ids,
        key=st.sampled_from("kl"),
        value=st.none() | st.just(float("nan")) | st.integers(0, 9),
    )
    def set_metadata(self, user: str, session: str, key: str, value: float | None) -> None:
        refusal = self.model.find(user, session)
        if refusal is None and value is not None and math.isnan(value):
            refusal = ErrorCode.INVALID_ARGUMENTS
        if refusal is None:
            metadata = {**self.model.sessions[session].metadata, key: value}
            self.model.sessions[session].metadata = {k: v for k, v in metadata.items() if v is not None}
        self.try_to(SetMetadata(Caller(Principal(user)), session, {key: value}), refusal)

    @rule(user=users, session=session_ids)
    def delete(self, user: str, session: str) -> None:
        self.try_to(DeleteSession(Caller(Principal(user)), session), self.model.delete(user, session))

    @rule(max_age=st.integers(0, 9))
    def clean_up(self, max_age: int) -> None:
        assert self.ask(CleanupInactive(max_age)) == self.model.cleanup(max_age)

    @rule(seconds=st.integers(1, 5))
    def wait(self, seconds: int) -> None:
        self.model.now += seconds

    # ── connections ──────────────────────────────────────────────────────────

    @rule(
        connection=connections,
        session=st.none() | session_ids,
        new=session_ids,
        last_seq=st.none() | st.integers(0, 9),
        epoch=st.sampled_from([None, EPOCH, "older"]),
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
        user = OWNERS[connection]
        resumed = session is not None and self.model.find(user, session) is None
        refusal = self.model.attach(user, connection, session, new, exclusive=exclusive)
        request = Attach(
            Caller(Principal(user), connection),
            ConnectionHandle(connection, user, protocol=2),
            session,
            new_session_id=new,
            last_seq=last_seq,
            epoch=epoch,
            exclusive=exclusive,
        )
        self.listeners.gaps.clear()
        self.try_to(request, refusal)
        if refusal is None and last_seq is not None:
            length = len(self.model.sessions[session or new].entries) if resumed else 0
            is_foreign = resumed and (epoch == "older" or last_seq > length)
            assert len(self.listeners.gaps) == is_foreign

    @rule(connection=connections, session=st.none() | session_ids)
    def detach(self, connection: str, session: str | None) -> None:
        assert self.ask(Detach(connection, session)) is self.model.detach(connection, session)

    # ── turns ────────────────────────────────────────────────────────────────

    @rule(connection=connections, mismatched=st.sampled_from([False, False, False, True]))
    def chat(self, connection: str, *, mismatched: bool) -> None:
        watched = self.model.watched(connection)
        self.runs += 1
        run = f"r{self.runs}"
        is_elsewhere = mismatched and watched is not None
        refusal = ErrorCode.SESSION_MISMATCH if is_elsewhere else self.model.chat(connection, run)
        session = "another" if is_elsewhere else watched or "none"
        caller = Caller(Principal(OWNERS[connection]), connection)
        self.try_to(SubmitChat(caller, Chat("hi", session), run), refusal)

    def some_run(self, data: st.DataObject, session: str) -> str:
        """A turn that runs, waits, or is long over."""
        known = self.model.sessions.get(session)
        candidates = [*known.queue, *([known.running] * 3 if known.running else [])] if known else []
        return data.draw(st.sampled_from([*candidates, f"r{self.runs}", "r0"]))

    @rule(session=session_ids, data=st.data(), is_sendable=sendable)
    def emit(self, session: str, data: st.DataObject, *, is_sendable: bool) -> None:
        run = self.some_run(data, session)
        self.model.emit(session, run, sendable=is_sendable)
        text = "a" * 20 if is_sendable else UNSENDABLE
        self.ask(EmitEvent(session, run, AgentToken(session, text)))

    @rule(session=session_ids, data=st.data(), is_well=st.booleans())
    def end(self, session: str, data: st.DataObject, *, is_well: bool) -> None:
        run = self.some_run(data, session)
        if self.model.runs(session, run):
            self.listeners.agents.remove(run)
        self.model.end(session, run, "AgentComplete" if is_well else "Error")
        outcome = AgentComplete(session, TokenUsage()) if is_well else Error("AGENT_ERROR", "failed")
        self.ask(EndTurn(session, run, outcome))

    @rule(user=users, session=session_ids, data=st.data(), one=st.booleans())
    def abort(self, user: str, session: str, data: st.DataObject, *, one: bool) -> None:
        run = self.some_run(data, session) if one else None
        request = AbortTurn(Caller(Principal(user)), session, run)
        if refusal := self.model.find(user, session):
            self.try_to(request, refusal)
        else:
            assert self.ask(request) == self.model.abort(session, run)

    # ── an embedding program's events, and channels ──────────────────────────

    @rule(session=session_ids, is_sendable=sendable, run=st.none() | st.just("r1"))
    def append(self, session: str, run: str | None, *, is_sendable: bool) -> None:
        refusal = None if is_sendable else ErrorCode.INVALID_EVENT
        if session not in self.model.sessions:
            refusal = ErrorCode.SESSION_NOT_FOUND
        if refusal is None:
            self.model.append(session, "AgentToken", run)
        text = "b" if is_sendable else UNSENDABLE
        self.try_to(AppendEvent(session, AgentToken(session, text, run_id=run)), refusal)

    @rule(is_sendable=sendable)
    def broadcast(self, *, is_sendable: bool) -> None:
        self.model.broadcasts += is_sendable
        event = AgentToken("s", "all" if is_sendable else UNSENDABLE)
        self.try_to(BroadcastEvent(event), None if is_sendable else ErrorCode.INVALID_EVENT)

    @rule(name=channel_names)
    def create_channel(self, name: str) -> None:
        self.try_to(CreateChannel(OPERATOR, name), self.model.create_channel(name))

    @rule(user=users, session=session_ids, name=channel_names)
    def join(self, user: str, session: str, name: str) -> None:
        caller = Caller(Principal(user))
        self.try_to(JoinChannel(caller, session, name), self.model.join(user, session, name))

    @rule(user=users, session=session_ids, name=channel_names)
    def leave(self, user: str, session: str, name: str) -> None:
        caller = Caller(Principal(user))
        self.try_to(LeaveChannel(caller, session, name), self.model.leave(user, session, name))

    @precondition(lambda self: self.model.channels)
    @rule(session=st.none() | session_ids, name=channel_names, is_sendable=sendable)
    def send(self, session: str | None, name: str, *, is_sendable: bool) -> None:
        message = ChannelMessage(name, "hello" if is_sendable else UNSENDABLE, session_id=session)
        self.try_to(SendToChannel(message), self.model.send(session, name, sendable=is_sendable))

    # ── what always holds ────────────────────────────────────────────────────

    @invariant()
    def sessions_are_as_the_model_has_them(self) -> None:
        """Each field that a client is shown."""
        shown = {session.id: session for session in self.ask(ListSessions(OPERATOR, 99)).sessions}
        assert list(shown) == list(self.model.sessions)
        for session_id, session in self.model.sessions.items():
            seen = shown[session_id]
            assert (seen.user_id, seen.name, seen.metadata) == (session.owner, session.name, session.metadata)
            assert [each.id for each in seen.connections] == session.watchers
            assert (seen.run_id, seen.queued) == (session.running, len(session.queue))
            assert (seen.last_seq, set(seen.channels)) == (len(session.entries), session.channels)
            assert seen.last_activity.timestamp() == session.last_activity

    @invariant()
    def channels_are_as_the_model_has_them(self) -> None:
        """Their members and how much was said."""
        for channel in self.ask(ListChannels(OPERATOR)):
            members = [each for each in self.model.sessions.values() if channel.name in each.channels]
            assert (channel.members, channel.last_seq) == (len(members), self.model.channels[channel.name])

    @invariant()
    def an_agent_runs_for_each_running_turn(self) -> None:
        """No turn is begun without its agent, and no agent outlives its turn."""
        running = {session.running for session in self.model.sessions.values() if session.running}
        assert self.listeners.agents == running

    @invariant()
    def the_storage_knows_the_sessions(self) -> None:
        """Those that there are, as they are called now."""
        stored = self.listeners.stored
        assert stored.keys() == self.model.sessions.keys()
        for session_id, session in self.model.sessions.items():
            kept = stored[session_id]
            assert (kept.name, kept.metadata) == (session.name, session.metadata)

    @invariant()
    def everybody_hears_each_event_once_in_order_or_of_a_gap(self) -> None:
        """From where it began, to the end of every log that it follows, without a hole that was not told."""
        for connection, ears in self.listeners.ears.items():
            session_id = self.model.watched(connection)
            assert session_id == self.listeners.sessions[connection]
            session = self.model.sessions[session_id or ""]
            lengths = {"*": self.model.broadcasts, session_id: len(session.entries)}
            lengths |= {name: self.model.channels[name] for name in session.channels}
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
                    kept = ear.log.read(0, 10**9).entries
                    entries = [(type(entry.event).__name__, entry.event.run_id) for entry in kept]
                    assert entries == self.model.sessions[name].entries[-len(entries) or 99 :]


TestSessionTable = SessionTableMachine.TestCase
TestSessionTable.settings = settings(max_examples=100, stateful_step_count=50)
