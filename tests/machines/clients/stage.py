"""All clients and sessions together: each act is foretold by the model, done to the gateway, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import trio

from bamboo_gateway.protocol import AgentToken
from bamboo_gateway.session.requests import Tidy
from tests.machines.clients.actor import Actor
from tests.machines.clients.model import LOG_EVENTS, Command, SessionModel
from tests.machines.clients.record import Record
from tests.machines.clients.world import MAX_CONNECTIONS, World
from tests.plain_wire import DialectName

MAX_WAITING_BYTES = 95_000
"""Held for one client that does not read: a chunk of the logs (64 KiB and an event), and some answers."""


class Stage:
    """
    The model of a gateway, beside the gateway.

    Invariant: after each act, every client that reads has seen all that it must
    see, and the gateway counts what the model counts.
    """

    def __init__(self) -> None:
        self.world = World()
        self.actors: list[Actor] = []
        self.sessions: list[SessionModel] = []
        self.broadcasts = Record("*", LOG_EVENTS)
        self.channels = {name: Record(name, LOG_EVENTS) for name in ("a", "b")}
        self._is_settled = False
        self._ended_events = 0
        self._commands = 0

    # ── looking ──────────────────────────────────────────────────────────────

    def watchers(self, session: SessionModel) -> list[Actor]:
        """Who watches *session*."""
        return [actor for actor in self.actors if actor.session is session]

    def logs_of(self, session: SessionModel) -> list[Record]:
        """What watchers of *session* follow."""
        return [session.record, self.broadcasts, *(self.channels[name] for name in session.channels)]

    def settle(self) -> None:
        """Let everybody do what they can, and compare."""
        self.world.settle()
        while self._listen():
            self.world.settle()
        for actor in self.actors:
            if actor.is_reading and not actor.is_over:
                actor.view.check_complete()
        for session in self.sessions:
            session.check()
        self._compare_counts()
        self._is_settled = True

    def _listen(self) -> bool:
        """Let all read who do; was there anything?"""
        self._is_settled = False
        readers = [actor for actor in self.actors if actor.is_reading and not actor.is_over]
        return bool(sum(actor.listen() for actor in readers))

    def _compare_counts(self) -> None:
        self.world.gateway._table.validate_state()  # nobody but a test has any business there
        counts = self.world.gateway.statistics()
        logs = [self.broadcasts, *self.channels.values(), *(session.record for session in self.sessions)]
        assert counts.connections.open == len(self.actors)
        assert counts.registry.inbox == 0
        stalled = sum(not actor.is_reading for actor in self.actors)
        assert counts.connections.waiting_bytes <= stalled * MAX_WAITING_BYTES
        assert counts.registry.table.sessions == len(self.sessions)
        assert counts.registry.table.watchers == sum(actor.session is not None for actor in self.actors)
        assert counts.registry.table.chats_queued == sum(len(session.queue) for session in self.sessions)
        assert counts.turns.running == sum(session.run is not None for session in self.sessions)
        assert counts.registry.table.events_appended == self._ended_events + sum(log.last_seq for log in logs)

    # ── coming and going ─────────────────────────────────────────────────────

    def open(self, dialect: DialectName, *, in_place: bool) -> None:
        """A client opens a socket; it is told at once that there is no seat, if there is none."""
        is_refused = self.is_full
        actor = Actor(self.world.dial(in_place=in_place), dialect)
        if is_refused:
            self.expect_no_seat(actor)
        actor.ask_for_upgrade()
        self.actors.append(actor)
        if is_refused:
            self.finish(actor, 1013)
        else:
            self.settle()

    @property
    def is_full(self) -> bool:
        """Has everybody who may be let in at once been let in?"""
        return sum(actor.is_connected for actor in self.actors) == MAX_CONNECTIONS

    def expect_no_seat(self, actor: Actor) -> None:
        """A client is going to be told that."""
        actor.view.expect("error", code="CAPACITY_EXCEEDED", retryable=True)

    def detach(self, actor: Actor) -> None:
        """A client no longer watches what it watched, of which the others are told."""
        session, actor.session = actor.session, None
        if session is not None:
            self.announce(actor, session, "left")

    def announce(self, actor: Actor, session: SessionModel, event: str) -> None:
        """Who watches *session* is told that *actor* has joined or left."""
        watchers = self.watchers(session)
        for other in watchers:
            if other is not actor and other.protocol > 1:
                other.view.expect(
                    "presence",
                    session_id=session.id,
                    connection_id=actor.connection_id,
                    event=event,
                    watchers=len(watchers),
                )

    def vanish(self, actor: Actor) -> None:
        """A client closes its socket without a word."""
        actor.vanish()
        self.actors.remove(actor)
        self.detach(actor)
        self.settle()

    def leave(self, actor: Actor) -> None:
        """A client says goodbye."""
        actor.say_goodbye()
        self.finish(actor, 1000)
        self.settle()

    def finish(self, actor: Actor, *codes: int | None) -> None:
        """The gateway hangs up: a client reads to the end, which names one of *codes*, and hangs up, too."""
        self._is_settled = False
        self.detach(actor)
        actor.is_reading = True
        self.world.settle()
        while actor.listen():
            self.world.settle()
        code = actor.closed[0] if actor.closed else None
        assert (actor.is_over, code in codes) == (True, True), code
        # What was said before a close frame has come before it.
        assert code is None or not actor.view.expected
        actor.vanish()
        self.actors.remove(actor)

    # ── sessions ─────────────────────────────────────────────────────────────

    def found(self) -> SessionModel:
        """A session comes to be."""
        self.sessions.append(SessionModel())
        return self.sessions[-1]

    def delete(self, actor: Actor, session: SessionModel) -> None:
        """A client deletes a session, its own or another."""
        if actor.is_connected:
            self.end(session)
        self.command(actor, "session.delete", {"session_id": session.id.value}, ok=True)

    def clean_up(self) -> None:
        """The embedder deletes what is idle."""
        idle = [each for each in self.sessions if not self.watchers(each) and each.run is None]
        for session in idle:
            self.end(session)
        ended = self.world.call(self.world.gateway.sessions.cleanup_inactive, 0.0)
        assert len(ended) == len(idle)
        self.settle()

    def end(self, session: SessionModel) -> None:
        """A session is no more."""
        for actor in self.watchers(session):
            if actor.protocol > 1:
                actor.view.expect("session_ended", spans=(), session_id=session.id)
            else:
                actor.view.expect("error", spans=(), session_id=session.id, code="SESSION_ENDED")
            actor.session = None
        self.sessions.remove(session)
        self._ended_events += session.record.last_seq

    def let_go(self) -> None:
        """Sessions that nobody needs at the moment leave the memory; nobody notices."""
        registry = self.world.gateway._registry  # as what tidies up by the clock does
        self.world.call(registry.ask, Tidy(0.0))
        needed = [each for each in self.sessions if self.watchers(each) or each.run]
        assert self.world.gateway.statistics().registry.table.resident == len(needed)
        self.settle()

    def send_to(self, session: SessionModel) -> None:
        """The embedder sends a token to a session."""
        event = AgentToken(session.id.value, session.tell())
        assert self.world.call(self.world.gateway.send_to, session.id.value, event) == session.record.last_seq
        self.settle()

    def broadcast(self) -> None:
        """The embedder sends a token to everybody."""
        self.broadcasts.grow()
        event = AgentToken("everybody", f"* {self.broadcasts.last_seq}")
        assert self.world.call(self.world.gateway.broadcast, event) == self.broadcasts.last_seq
        self.settle()

    # ── everything else ──────────────────────────────────────────────────────

    def command(self, actor: Actor, name: str, args: Mapping[str, object], *, ok: bool) -> None:
        """A client gives a command, under an id that it has never used."""
        self._commands += 1
        command = Command(f"command {self._commands}", name, args)
        if ok and actor.session is not None:
            actor.session.commands.append(command)
        self._command(actor, command, ok=ok)

    def command_again(self, actor: Actor, command: Command, *, is_other: bool) -> None:
        """A client gives a command that its session has seen carried out, or another with the id of that."""
        if is_other:
            command = Command(command.id, "session.rename", {"name": "never heard of"})
        self._command(actor, command, ok=not is_other)

    def _command(self, actor: Actor, command: Command, *, ok: bool) -> None:
        command_id, name = command.id, command.name
        if not actor.is_connected:
            actor.view.expect("error", code="NOT_CONNECTED", id=command_id)
        elif actor.protocol > 1:
            actor.view.expect("command_result", name=name, id=command_id, ok=ok)
        else:
            actor.view.expect("agent_tool_start", tool=name, tool_call_id=command_id)
            actor.view.expect("agent_tool_complete", tool=name, tool_call_id=command_id, ok=ok)
        actor.say(("command", {"name": name, "args": command.args, "id": command_id}))
        self.settle()

    def ping(self, actor: Actor) -> None:
        """A client pings."""
        if actor.is_connected:
            actor.view.expect("pong", timestamp=7)
        else:
            actor.view.expect("error", code="NOT_CONNECTED")
        actor.say(("ping", {"timestamp": 7}))
        self.settle()

    def babble(self, actor: Actor) -> None:
        """A client says nothing in particular."""
        actor.view.expect("error", code="INVALID_MESSAGE")
        actor.say_text("bamboo")
        self.settle()

    def intrude(self, actor: Actor) -> None:
        """A client shows a wrong token."""
        actor.view.expect("error", code="UNAUTHORIZED")
        actor.say(("connect", {"auth": "guess"}))
        self.finish(actor, 4001)
        self.settle()

    def wait(self) -> None:
        """A minute passes: clients that do not read, or have not connected, are let go."""
        doomed: dict[Actor, Sequence[int | None]] = {}
        for actor in self.actors:
            if not actor.is_connected:
                actor.view.expect("error", code="CONNECT_TIMEOUT")
                doomed[actor] = (4002,) if actor.is_reading else (4002, None)
            elif not actor.is_reading:
                doomed[actor] = (4004, 4005, None)
                self.detach(actor)
        for _ in range(13):
            self.world.call(trio.sleep, 5.0)
            self._listen()
        for actor, codes in doomed.items():
            self.finish(actor, *codes)
        self.settle()

    def close(self) -> None:
        """The gateway stops, and says so to everybody; after a failure, it only stops."""
        try:
            if self._is_settled:
                self._stop_serving()
        finally:
            for actor in self.actors:
                actor.vanish()
            self.world.close()

    def _stop_serving(self) -> None:
        for actor in self.actors:
            actor.session = None  # nobody is told any more who leaves
            if actor.protocol > 1:
                actor.view.expect("shutdown")
        self.world.stop_serving()
        for actor in [actor for actor in self.actors if actor.is_reading]:
            self.finish(actor, 1001)
