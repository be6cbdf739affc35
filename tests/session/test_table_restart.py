"""The session table: what leaves the memory, or outlives the process, comes back as it was."""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given, strategies as st

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import AgentToken, ChannelMessage
from bamboo_gateway.session.effects import Change, Deliver, Effect, SaveMessage, SaveSession, StartTurn, Trim
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.requests import (
    OPERATOR,
    AppendEvent,
    BroadcastEvent,
    CreateChannel,
    CreateSession,
    Detach,
    EmitEvents,
    EndTurn,
    GetHistory,
    JoinChannel,
    ListChannels,
    Request,
    RestoreSession,
    SendToChannel,
    Tidy,
)
from bamboo_gateway.session.table import SessionTable
from bamboo_gateway.storage.memory import MemoryStorage
from tests.machines.drive import drive
from tests.session.tables import (
    DONE,
    NOW,
    ask,
    attach,
    chat,
    new_table,
    snapshot,
    stored,
    told,
)


class Gateway:
    """A table and its storage; the one can be lost, the other not."""

    def __init__(self, *, resume_turns: bool = False, **limits: Any) -> None:
        self.storage = MemoryStorage()
        self._resume_turns = resume_turns
        self._limits = new_table(**limits).limits
        self.start()

    def start(self) -> None:
        """Begin with what the storage has."""
        self.table = SessionTable(self._limits, resume_turns=self._resume_turns)
        self.table.open(drive(self.storage.open(self._limits.session.log)))

    def ask(self, request: Request[Any]) -> list[Effect]:
        """Apply a request, commit what follows, and show it."""
        _, effects = self.table.handle(request, NOW)
        drive(self.storage.commit([effect for effect in effects if isinstance(effect, Change)]))
        for effect in effects:
            if isinstance(effect, Deliver):
                effect.log.show(effect.entry.seq)
        self.table.validate_state()
        return effects

    def restore(self) -> list[Effect]:
        """Bring session s1 into memory."""
        limits = self._limits.session
        stored = drive(self.storage.load("s1", limits.log, limits.history_bytes))
        return self.ask(RestoreSession("s1", stored))

    def conversation(self) -> list[tuple[str, str]]:
        """Who said what, from the storage and the memory."""
        tail, _ = self.table.handle(GetHistory(OPERATOR, "s1", 10**6), NOW)
        older = drive(self.storage.read_messages("s1", tail.first, tail.end))
        messages = [*(each.message for each in older), *tail.messages]
        return [(message.status, message.content) for message in messages]

    def answer(self, words: list[str]) -> None:
        """Turn r1 goes on."""
        for word in words:
            self.ask(EmitEvents("s1", "r1", [AgentToken("s1", word)]))

    def crash(self, unsaid: list[str]) -> list[Effect]:
        """The process ends before *unsaid* is committed; the next one brings the session into memory."""
        for word in unsaid:
            self.table.handle(EmitEvents("s1", "r1", [AgentToken("s1", word)]), NOW)
        self.start()
        return self.restore()


@st.composite
def interrupted(draw: st.DrawFn, *, resume: bool) -> tuple[Gateway, list[tuple[str, str]]]:
    """A turn r1 that has just begun, behind some that are over, and the conversation up to it."""
    log = draw(st.builds(LogLimits, st.integers(1, 6), st.sampled_from([200, 700, 10**6])))
    history_bytes = draw(st.sampled_from([700, 2_000, 10**6]))
    gateway = Gateway(resume_turns=resume, log=log, history_bytes=history_bytes)
    gateway.ask(attach())
    conversation: list[tuple[str, str]] = []
    for number in range(draw(st.integers(0, 3))):
        gateway.ask(chat(str(number), f"b{number}"))
        gateway.ask(EndTurn("s1", f"b{number}", DONE))
        conversation += [("complete", str(number)), ("complete", "")]
    gateway.ask(chat("go", "r1"))
    return gateway, [*conversation, ("complete", "go")]


words = st.lists(st.text("xy", min_size=1, max_size=3), max_size=12)


@given(interrupted=interrupted(resume=False), said=words, unsaid=words, is_tidied=st.booleans())
def test_the_partial_answer_of_an_interrupted_turn_stays(
    interrupted: tuple[Gateway, list[tuple[str, str]]], said: list[str], unsaid: list[str], *, is_tidied: bool
) -> None:
    """All that was committed of it, and no more, however little the log holds; and it is closed once."""
    gateway, conversation = interrupted
    gateway.answer(said)
    if is_tidied:
        gateway.ask(Tidy(0))
    length = snapshot(gateway.table).last_seq
    for effects in (gateway.crash(unsaid), gateway.crash([])):
        assert not [effect for effect in effects if isinstance(effect, StartTurn)]
        assert gateway.conversation() == [*conversation, ("interrupted", "".join(said))]
        assert snapshot(gateway.table).last_seq == length + 1


@given(
    interrupted=interrupted(resume=True),
    lives=st.lists(st.tuples(words, words, st.booleans()), min_size=1, max_size=4),
)
def test_a_resumable_agent_goes_on_where_it_was_committed(
    interrupted: tuple[Gateway, list[tuple[str, str]]], lives: list[tuple[list[str], list[str], bool]]
) -> None:
    """Over any number of crashes: it is given what it had said, and says the rest in the same message."""
    gateway, conversation = interrupted
    answer = ""
    for said, unsaid, is_tidied in lives:
        gateway.answer(said)
        answer += "".join(said)
        if is_tidied:
            gateway.ask(Tidy(0))
        [turn] = [effect for effect in gateway.crash(unsaid) if isinstance(effect, StartTurn)]
        assert turn.partial is not None
        assert (turn.partial.content, turn.partial.status, turn.chat.content) == (answer, "running", "go")
        context = [(message.status, message.content) for message in turn.history]
        assert context == conversation[len(conversation) - 1 - len(context) : -1]
        assert gateway.conversation() == [*conversation, ("running", answer)]
    gateway.ask(EndTurn("s1", "r1", DONE))
    assert gateway.conversation() == [*conversation, ("complete", answer)]


def test_a_session_that_nobody_needs_leaves_the_memory() -> None:
    """It is saved as it was last, and counts as before; who is watched, runs, or was active of late stays."""
    table = new_table()
    ask(table, CreateSession("ann", "idle"))
    ask(table, attach(None, new_session_id="watched"))
    ask(table, CreateSession("ann", "young"), NOW + 50)
    ask(table, AppendEvent("idle", AgentToken("idle", "a")), NOW + 9)
    last = snapshot(table, "idle")
    assert told(table, Tidy(60), NOW + 68) == []
    assert told(table, Tidy(60), NOW + 69) == [SaveSession(last)]
    assert [table.holds(each) for each in ("idle", "watched", "young")] == [False, True, True]
    assert (table.statistics().sessions, table.statistics().resident) == (3, 2)


def test_tidying_saves_what_runs() -> None:
    """The storage keeps bounds of its own, and knows of no answer that is just being given."""
    table = new_table()
    ask(table, attach())
    ask(table, chat())
    ask(table, EmitEvents("s1", "r1", [AgentToken("s1", "He")]))
    _, effects = table.handle(Tidy(60), NOW)
    [saved] = effects
    assert isinstance(saved, SaveMessage)
    assert (saved.message.number, saved.message.seq, saved.message.message.content) == (1, 3, "He")
    assert table.handle(Tidy(60), NOW) == (None, []), "it was saved"


def test_tidying_tells_the_storage_of_all_that_is_too_old() -> None:
    """In every log, a channel's as a session's; what runs is saved before."""
    table = new_table(log=LogLimits(100, 100_000, max_age=10))
    ask(table, attach())
    ask(table, CreateChannel(OPERATOR, "news"))
    ask(table, chat())
    ask(table, BroadcastEvent(AgentToken("s", "all")))
    ask(table, SendToChannel(ChannelMessage("news", "old")))
    ask(table, SendToChannel(ChannelMessage("news", "new")), NOW + 5)
    _, effects = table.handle(Tidy(60), NOW + 10)
    cuts = [(each.log.name, each.first_seq) if isinstance(each, Trim) else type(each) for each in effects]
    assert sorted(cuts, key=str) == sorted([("*", 2), SaveMessage, ("s1", 3), ("news", 2)], key=str)
    assert cuts.index(SaveMessage) < cuts.index(("s1", 3))
    assert table.statistics().log_bytes > 0
    assert table.handle(Tidy(60), NOW + 14) == (None, [])


def test_who_comes_back_makes_others_shrink() -> None:
    """The bound on all logs together holds also while sessions are only read."""
    gateway = Gateway(total_log_bytes=2_000)
    for session_id in ("s1", "s2"):
        gateway.ask(CreateSession("ann", session_id))
        for _ in range(10):
            gateway.ask(AppendEvent(session_id, AgentToken(session_id, "x" * 50)))
        gateway.ask(Tidy(0))
    assert gateway.table.statistics().resident == 0
    gateway.ask(CreateSession("ann", "s3"))
    for _ in range(10):
        gateway.ask(AppendEvent("s3", AgentToken("s3", "x" * 50)))
    alone = gateway.table.statistics().log_bytes
    gateway.restore()
    assert alone < gateway.table.statistics().log_bytes <= 2_000


def test_channels_outlive_the_process() -> None:
    """Their members, though none of these is in memory, their logs and their order; broadcasts as well."""
    gateway = Gateway()
    gateway.ask(attach())
    for name in ("news", "talk"):
        gateway.ask(CreateChannel(OPERATOR, name))
    gateway.ask(JoinChannel(OPERATOR, "s1", "talk"))
    gateway.ask(SendToChannel(ChannelMessage("talk", "hello")))
    gateway.ask(BroadcastEvent(AgentToken("s", "all")))
    before = ask(gateway.table, ListChannels(OPERATOR))
    gateway.start()
    assert ask(gateway.table, ListChannels(OPERATOR)) == before
    assert ask(gateway.table, BroadcastEvent(AgentToken("s", "all"))) == 2
    gateway.restore()
    [watch] = [each for each in gateway.ask(attach("s1", channels={"talk": 0})) if hasattr(each, "cursors")]
    assert [(log.name, after) for log, after in watch.cursors] == [("s1", 0), ("*", 2), ("talk", 0)]


def test_a_broadcast_log_is_stored_once_it_is_used() -> None:
    """Before its first entry, which would be nobody's otherwise."""
    table = new_table()
    _, first = table.handle(BroadcastEvent(AgentToken("s", "one")), NOW)
    _, second = table.handle(BroadcastEvent(AgentToken("s", "two")), NOW)
    assert [type(each).__name__ for each in first] == ["SaveChannel", "Deliver"]
    assert [type(each).__name__ for each in second] == ["Deliver"]


def test_the_first_session_s_cut_is_stored_in_strides() -> None:
    """To tell the storage of each entry that goes would double its work."""
    table = new_table(log=LogLimits(64, 10**6))
    ask(table, CreateSession("ann", "s1"))
    cuts = []
    for _ in range(100):
        _, effects = table.handle(AppendEvent("s1", AgentToken("s1", "a")), NOW)
        cuts += [each.first_seq for each in stored(effects) if isinstance(each, Trim)]
        for effect in effects:
            if isinstance(effect, Deliver):
                effect.log.show(effect.entry.seq)
    assert cuts == [5, 9, 13, 17, 21, 25, 29, 33, 37]


def test_a_turn_that_waits_for_nobody_is_closed_before_anything_else() -> None:
    """Whoever comes back first finds the end of the turn in the log, not a session that seems to run."""
    gateway = Gateway()
    gateway.ask(attach())
    gateway.ask(chat())
    gateway.ask(Detach("c1"))
    gateway.start()
    [closed, *_] = gateway.restore()
    assert isinstance(closed, Deliver)
    assert attrs.asdict(closed.entry.event)["code"] == ErrorCode.AGENT_INTERRUPTED
    assert snapshot(gateway.table).state == "idle"
    assert drive(gateway.storage.open(LogLimits(1, 1))).unfinished == []


def test_the_storage_s_own_bound_spares_a_running_answer() -> None:
    """It drops the oldest entries of all logs; tidying before has saved what they told of the answer."""
    gateway = Gateway(resume_turns=True)
    gateway.ask(attach())
    gateway.ask(chat())
    gateway.answer(["He", "llo"])
    gateway.ask(Tidy(60))
    gateway.answer([", ", "you"])
    drive(gateway.storage.expire(0, 250, 0))
    [turn] = [effect for effect in gateway.crash([]) if isinstance(effect, StartTurn)]
    assert turn.partial is not None
    assert turn.partial.content == "Hello, you"
    assert snapshot(gateway.table).last_seq == 6


def test_a_list_tells_where_a_log_has_come_to() -> None:
    """A session is not saved with each event; whoever lists it without having it in memory need not know."""
    gateway = Gateway()
    gateway.ask(CreateSession("ann", "s1"))
    gateway.ask(AppendEvent("s1", AgentToken("s1", "a")))
    gateway.start()
    [listed] = drive(gateway.storage.list("ann", 0, 9))
    assert listed.last_seq == 1
