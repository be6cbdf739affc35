"""Whole clients that come, go, chat, stall and take over, against a model of sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from structlog.testing import capture_logs

from tests.machines.clients import arrivals, channels, chats
from tests.machines.clients.actor import Actor
from tests.machines.clients.arrivals import Wish
from tests.machines.clients.model import MAX_QUEUED, Run, SessionModel
from tests.machines.clients.stage import Stage
from tests.machines.clients.world import MAX_CONNECTIONS
from tests.plain_wire import DialectName

T = TypeVar("T")


def one_of_its(find: Callable[[Stage], Sequence[T]]) -> st.SearchStrategy[T]:
    """A strategy that looks at the stage as it is when it is drawn from."""
    return st.runner().flatmap(lambda machine: st.sampled_from(find(machine.stage)))


def on_stage(find: Callable[[Stage], Sequence[object]]) -> Callable[[Any], bool]:
    """A condition: there is one."""
    return lambda machine: bool(find(machine.stage))


def everybody(stage: Stage) -> Sequence[Actor]:
    """Every client."""
    return stage.actors


def a_crowd(stage: Stage) -> Sequence[Actor]:
    """Every client, where one may well be missed."""
    return stage.actors if len(stage.actors) > 2 else []


def idlers(stage: Stage) -> Sequence[Actor]:
    """Those who watch no session."""
    return [actor for actor in stage.actors if not actor.session]


def watchers(stage: Stage) -> Sequence[Actor]:
    """Those whose session has an id that somebody has been told."""
    return [actor for actor in stage.actors if actor.session and actor.session.id.value]


def readers(stage: Stage) -> Sequence[Actor]:
    """Those who watch a session, and read what they are sent."""
    return [actor for actor in watchers(stage) if actor.is_reading]


def repeaters(stage: Stage) -> Sequence[Actor]:
    """Those whose session has accepted a chat."""
    return [actor for actor in watchers(stage) if actor.session and actor.session.runs]


def commanders(stage: Stage) -> Sequence[Actor]:
    """Those whose session has seen a command carried out."""
    return [actor for actor in watchers(stage) if actor.session and actor.session.commands]


def stalled(stage: Stage) -> Sequence[Actor]:
    """Those who do not read."""
    return [actor for actor in stage.actors if not actor.is_reading]


def sessions(stage: Stage) -> Sequence[SessionModel]:
    """Those with an id that somebody has been told."""
    return [session for session in stage.sessions if session.id.value]


def idle(stage: Stage) -> Sequence[SessionModel]:
    """Those without a turn."""
    return [session for session in sessions(stage) if not session.run]


def held(stage: Stage) -> Sequence[SessionModel]:
    """Those with a turn that waits to be released."""
    return [session for session in sessions(stage) if session.run]


channel_names = st.sampled_from(["a", "b"])
scripts = st.text("tttlTHhx", max_size=5) | st.just("l" * 8)
unheld_scripts = st.text("ttTx", max_size=4)
dialects: st.SearchStrategy[DialectName] = st.sampled_from(["tagged", "serde"])
channel_cursors = st.dictionaries(st.sampled_from(["*", "a", "b"]), st.integers(0, 20))
protocols = st.sampled_from([1, 2, 2])
cursors = st.none() | st.integers(0, 30)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    """Some way to connect."""
    machine = draw(st.runner())
    known: list[SessionModel | None] = [*sessions(machine.stage)]
    return Wish(
        session=draw(st.sampled_from([*known, *known, None])),
        protocol=draw(protocols),
        exclusive=draw(st.sampled_from([False, False, True])),
        last_seq=draw(cursors),
        epoch=draw(st.sampled_from(["none", "true", "true", "foreign"])),
        channels=draw(channel_cursors),
        is_exact=draw(st.booleans()),
    )


class ClientsMachine(RuleBasedStateMachine):
    """Up to five clients and an embedder, and what they do to each other's sessions."""

    def __init__(self) -> None:
        super().__init__()
        self.resources = ExitStack()
        self.logs = self.resources.enter_context(capture_logs())
        self.stage = Stage()
        self.said = 0

    def teardown(self) -> None:
        """Stop the gateway; it has never failed."""
        with self.resources:
            self.stage.close()
        assert [entry for entry in self.logs if entry["log_level"] in ("error", "critical")] == []

    def run_of(self, script: str) -> Run:
        """A chat that has not been said before."""
        self.said += 1
        return Run(f"chat-{self.said}", script)

    @initialize(first=st.lists(st.tuples(dialects, st.booleans(), protocols), min_size=1, max_size=3))
    def begin(self, first: list[tuple[DialectName, bool, int]]) -> None:
        """Nothing happens on an empty stage, so it is not: some watch a session together."""
        for dialect, in_place, protocol in first:
            self.stage.open(dialect, in_place=in_place)
            together = next(iter(self.stage.sessions), None)
            arrivals.connect(self.stage, self.stage.actors[-1], Wish(together, protocol))

    # ── coming and going ─────────────────────────────────────────────────────

    @rule(dialect=dialects, in_place=st.booleans())
    def open(self, dialect: DialectName, in_place: bool) -> None:
        """A client opens a socket."""
        self.stage.open(dialect, in_place=in_place)

    @precondition(lambda machine: len(machine.stage.actors) < MAX_CONNECTIONS)
    @rule(dialect=dialects, in_place=st.booleans(), wish=wishes())
    def arrive(self, dialect: DialectName, in_place: bool, wish: Wish) -> None:
        """A client opens a socket and connects."""
        self.stage.open(dialect, in_place=in_place)
        arrivals.connect(self.stage, self.stage.actors[-1], wish)

    @precondition(on_stage(everybody))
    @rule(actor=one_of_its(everybody), wish=wishes())
    def connect(self, actor: Actor, wish: Wish) -> None:
        """A client connects, or moves."""
        arrivals.connect(self.stage, actor, wish)

    @precondition(on_stage(held))
    @precondition(on_stage(everybody))
    @rule(actor=one_of_its(everybody), session=one_of_its(held), data=st.data(), protocol=protocols)
    def connect_amid(self, actor: Actor, session: SessionModel, data: st.DataObject, protocol: int) -> None:
        """A client connects, or moves, while a turn goes on."""
        last_seq = data.draw(st.none() | st.integers(0, session.record.last_seq))
        wish = Wish(session, protocol, last_seq=last_seq, is_exact=data.draw(st.booleans()))
        arrivals.connect_amid(self.stage, actor, wish)

    @precondition(on_stage(a_crowd))
    @rule(actor=one_of_its(a_crowd), leave=st.sampled_from([Stage.leave, Stage.vanish, Stage.intrude]))
    def leave(self, actor: Actor, leave: Callable[[Stage, Actor], None]) -> None:
        """A client closes as one should, or is gone, or is shown the door for a wrong token."""
        leave(self.stage, actor)

    @precondition(on_stage(readers))
    @rule(actor=one_of_its(readers))
    def stop_reading(self, actor: Actor) -> None:
        """A client stalls."""
        actor.is_reading = False

    @precondition(on_stage(stalled))
    @rule(actor=one_of_its(stalled))
    def read_again(self, actor: Actor) -> None:
        """A client that had stalled catches up."""
        actor.is_reading = True
        self.stage.settle()

    @precondition(lambda machine: 0 < len(stalled(machine.stage)) < 3)
    @precondition(lambda machine: len([actor for actor in stalled(machine.stage) if actor.session]) < 2)
    @rule()
    def wait(self) -> None:
        """A minute passes, which is too long for some."""
        self.stage.wait()

    # ── chats ────────────────────────────────────────────────────────────────

    @precondition(on_stage(watchers))
    @rule(actor=one_of_its(watchers), script=scripts)
    def chat(self, actor: Actor, script: str) -> None:
        """A client chats."""
        chats.chat(self.stage, actor, [self.run_of(script)], actor.session)

    @precondition(on_stage(watchers))
    @rule(actor=one_of_its(watchers), several=st.lists(scripts, min_size=2, max_size=3))
    def chat_in_a_burst(self, actor: Actor, several: list[str]) -> None:
        """A client says some chats in one packet."""
        chats.chat(self.stage, actor, [self.run_of(script) for script in several], actor.session)

    @precondition(on_stage(repeaters))
    @rule(actor=one_of_its(repeaters), data=st.data(), is_other=st.booleans())
    def chat_again(self, actor: Actor, data: st.DataObject, is_other: bool) -> None:
        """A client says a chat again, or another with its id."""
        assert actor.session is not None
        run = data.draw(st.sampled_from(actor.session.runs))
        chats.repeat(self.stage, actor, run, is_other=is_other)

    @precondition(on_stage(commanders))
    @rule(actor=one_of_its(commanders), data=st.data(), is_other=st.booleans())
    def command_again(self, actor: Actor, data: st.DataObject, is_other: bool) -> None:
        """A client gives a command again, or another with its id."""
        assert actor.session is not None
        command = data.draw(st.sampled_from(actor.session.commands))
        self.stage.command_again(actor, command, is_other=is_other)

    @precondition(on_stage(idle))
    @rule(session=one_of_its(idle), several=st.lists(unheld_scripts, min_size=2, max_size=MAX_QUEUED + 1))
    def chat_together(self, session: SessionModel, several: list[str]) -> None:
        """Several clients chat in the same session at the same time."""
        chats.chat_together(self.stage, session, [self.run_of(script) for script in several])

    @precondition(on_stage(held))
    @rule(session=one_of_its(held))
    def release(self, session: SessionModel) -> None:
        """A turn goes on."""
        chats.release(self.stage, session)

    @precondition(on_stage(held))
    @rule(session=one_of_its(held))
    def abort(self, session: SessionModel) -> None:
        """A client, if there is one, aborts the turns of its session."""
        for actor in self.stage.watchers(session)[:1]:
            chats.abort(self.stage, actor)

    # ── sessions and channels ────────────────────────────────────────────────

    @precondition(lambda machine: machine.stage.sessions)
    @rule()
    def let_go(self) -> None:
        """What nobody needs leaves the memory, and comes back when it is asked for."""
        self.stage.let_go()

    @precondition(on_stage(sessions))
    @rule(session=one_of_its(sessions))
    def send_to(self, session: SessionModel) -> None:
        """The embedder sends something to a session."""
        self.stage.send_to(session)

    @precondition(lambda machine: len(sessions(machine.stage)) > 1 and on_stage(everybody)(machine))
    @rule(actor=one_of_its(everybody), session=one_of_its(sessions))
    def delete(self, actor: Actor, session: SessionModel) -> None:
        """A client deletes a session."""
        self.stage.delete(actor, session)

    @precondition(lambda machine: len(machine.stage.sessions) > 2)
    @rule()
    def clean_up(self) -> None:
        """The embedder deletes the sessions that nobody needs."""
        self.stage.clean_up()

    @rule()
    def broadcast(self) -> None:
        """The embedder sends something to everybody."""
        self.stage.broadcast()

    @precondition(on_stage(watchers))
    @rule(actor=one_of_its(watchers), channel=channel_names)
    def join(self, actor: Actor, channel: str) -> None:
        """A client lets its session join a channel."""
        channels.join(self.stage, actor, channel)

    @precondition(on_stage(watchers))
    @rule(actor=one_of_its(watchers), channel=channel_names)
    def leave_channel(self, actor: Actor, channel: str) -> None:
        """A client lets its session leave a channel."""
        channels.leave(self.stage, actor, channel)

    @precondition(on_stage(watchers))
    @rule(actor=one_of_its(watchers), channel=channel_names, is_chat=st.booleans())
    def send_to_channel(self, actor: Actor, channel: str, is_chat: bool) -> None:
        """A client sends to a channel, by a command or by a chat."""
        (channels.chat if is_chat else channels.send)(self.stage, actor, channel)

    # ── out of place ─────────────────────────────────────────────────────────

    @precondition(on_stage(everybody))
    @rule(actor=one_of_its(everybody), act=st.sampled_from([Stage.ping, Stage.babble]))
    def talk(self, actor: Actor, act: Callable[[Stage, Actor], None]) -> None:
        """A client pings, or says what is no message."""
        act(self.stage, actor)

    @precondition(on_stage(everybody))
    @rule(actor=one_of_its(everybody))
    def chat_elsewhere(self, actor: Actor) -> None:
        """A client chats in a session that is not its own."""
        chats.chat(self.stage, actor, [self.run_of("t")], None)

    @precondition(on_stage(idlers))
    @rule(actor=one_of_its(idlers), channel=channel_names)
    def command_in_vain(self, actor: Actor, channel: str) -> None:
        """A client without a session gives the commands that need one."""
        chats.abort(self.stage, actor)
        channels.join(self.stage, actor, channel)
        channels.leave(self.stage, actor, channel)
        channels.send(self.stage, actor, channel)


TestClients = ClientsMachine.TestCase
# More of them would take too long even at night.
TestClients.settings = settings(stateful_step_count=40, max_examples=min(settings().max_examples, 1000))
