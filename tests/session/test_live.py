"""One session's turns: begun, queued, ended and aborted, each step an entry in its log."""

from __future__ import annotations

import datetime
from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, InvalidMessageError
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    Chat,
    Error,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.session.effects import (
    CancelTurn,
    DropOutcome,
    DropRun,
    SaveMessage,
    SaveOutcome,
    SaveRun,
    StartTurn,
    Trim,
)
from bamboo_gateway.session.history import MESSAGE_BYTES, History, HistoryMessage, NumberedMessage, TurnError
from bamboo_gateway.session.live import LiveSession, milliseconds
from bamboo_gateway.session.log import Log
from bamboo_gateway.session.outcomes import MessageKey, Outcome, Outcomes
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.stored import Run
from tests.session.dump import dump
from tests.session.tables import (
    DONE,
    EPOCH,
    NOW,
    SESSION_LIMITS,
    TS,
    Delivered,
    delivered,
    handle,
    plain,
    stored,
)

BORN = datetime.datetime.fromtimestamp(NOW - 60, datetime.UTC)
ABORTED = Error(ErrorCode.AGENT_ABORTED, "the turn was aborted", session_id="s1")


def new_session(session_id: str = "s1", **fields: Any) -> LiveSession:
    """A session a minute old, that nobody watches."""
    limits = SESSION_LIMITS
    return LiveSession(
        Session(session_id, "ann", BORN, BORN, number=1, **fields),
        Log(session_id, EPOCH, limits.log, number=1),
        History(limits.history_bytes),
        Outcomes(limits.outcomes),
    )


@pytest.fixture
def session() -> LiveSession:
    """One that has a name and a label."""
    return new_session(name="tea", metadata={"a": 1})


def run(name: str, content: str = "hi") -> Run:
    """A turn that asks *content*."""
    return Run(name, Chat(content, "s1", id=f"id-{name}", metadata={"k": name}))


def user_message(name: str, content: str = "hi") -> UserMessage:
    """What the log says of that."""
    return UserMessage("s1", content, id=f"id-{name}", metadata={"k": name}, run_id=name)


def events(effects: list[object]) -> list[object]:
    """The events among *effects*; all others stand for themselves."""
    return [effect.event if isinstance(effect, Delivered) else effect for effect in effects]


def test_the_first_chat_begins_its_turn(session: LiveSession) -> None:
    """The message is logged, the turn begins, and the agent is given the session as it is then."""
    effects = plain(list(session.submit(run("r1"), NOW)))
    assert effects == [
        delivered(user_message("r1"), 1),
        delivered(AgentStart("s1", run_id="r1"), 2),
        StartTurn(session.snapshot(), "r1", run("r1").chat, history=()),
    ]
    assert (session.snapshot().state, session.snapshot().run_id) == ("running", "r1")


def test_further_chats_wait_and_begin_in_order(session: LiveSession) -> None:
    """A chat is logged when it comes; its turn begins when those before it are over, and knows of them."""
    list(session.submit(run("r1", "one"), NOW))
    for name in ("r2", "r3"):
        assert plain(list(session.submit(run(name, name), NOW)))[1:] == []
    assert [each.run_id for each in session.queue] == ["r2", "r3"]
    plain([session.append(AgentToken("s1", "1!", run_id="r1"), NOW)])
    ended, started, turn = plain(list(session.end(DONE, NOW, go_on=True)))
    assert ended == delivered(AgentComplete("s1", TokenUsage(1, 2, 3), run_id="r1"), 6)
    assert started == delivered(AgentStart("s1", run_id="r2"), 7)
    assert isinstance(turn, StartTurn)
    assert (turn.run_id, turn.session.queued) == ("r2", 1)
    assert list(turn.history) == [
        HistoryMessage("user", "one", "r1", milliseconds(NOW)),
        HistoryMessage("assistant", "1!", "r1", milliseconds(NOW), usage=DONE.usage),
    ]


def test_the_last_turn_leaves_the_session_idle(session: LiveSession) -> None:
    """With nothing queued, an end is only an end."""
    list(session.submit(run("r1"), NOW))
    assert (
        events(plain(list(session.end(ABORTED, NOW, go_on=True))))[0]
        == delivered(Error(ABORTED.code, ABORTED.message, session_id="s1", run_id="r1"), 3).event
    )
    assert (session.run, session.snapshot().state) == (None, "idle")


def test_to_end_what_does_not_run_is_nothing(session: LiveSession) -> None:
    """A session without a turn has none to close."""
    assert list(session.end(DONE, NOW, go_on=True)) == []


def test_abort_all_begins_none_of_those_that_wait(session: LiveSession) -> None:
    """Those that wait are closed first, then the one that runs: no agent is called for nothing."""
    for name in ("r1", "r2", "r3"):
        list(session.submit(run(name), NOW))
    effects = plain(list(session.abort(None, NOW, go_on=True)))
    closed = [
        Error(ABORTED.code, ABORTED.message, session_id="s1", run_id=name) for name in ("r2", "r3", "r1")
    ]
    assert effects == [
        delivered(closed[0], 5),
        delivered(closed[1], 6),
        CancelTurn("r1"),
        delivered(closed[2], 7),
    ]
    assert (session.run, list(session.queue)) == (None, [])


def test_abort_of_the_running_turn_begins_the_next(session: LiveSession) -> None:
    """Only the turn that is named ends."""
    for name in ("r1", "r2"):
        list(session.submit(run(name), NOW))
    cancel, closed, started, turn = plain(list(session.abort("r1", NOW, go_on=True)))
    assert cancel == CancelTurn("r1")
    assert closed == delivered(Error(ABORTED.code, ABORTED.message, session_id="s1", run_id="r1"), 4)
    assert started == delivered(AgentStart("s1", run_id="r2"), 5)
    assert isinstance(turn, StartTurn)


def test_abort_of_a_waiting_turn_leaves_the_running_one(session: LiveSession) -> None:
    """A chat can be taken back before it begins."""
    for name in ("r1", "r2", "r3"):
        list(session.submit(run(name), NOW))
    effects = plain(list(session.abort("r2", NOW, go_on=True)))
    assert effects == [delivered(Error(ABORTED.code, ABORTED.message, session_id="s1", run_id="r2"), 5)]
    assert session.run == run("r1")
    assert list(session.queue) == [run("r3")]


def test_abort_of_an_unknown_turn_is_nothing(session: LiveSession) -> None:
    """A turn that is over, or never was, stays so."""
    list(session.submit(run("r1"), NOW))
    assert list(session.abort("r0", NOW, go_on=True)) == []


def test_an_event_is_activity(session: LiveSession) -> None:
    """Whatever is appended moves the time of the last activity; what cannot be encoded moves nothing."""
    before = dump(session)
    with pytest.raises(InvalidMessageError):
        session.append(AgentToken("s1", "\ud800"), NOW)
    assert dump(session) == before
    session.append(AgentToken("s1", "a"), NOW)
    assert session.snapshot().last_activity == datetime.datetime.fromtimestamp(NOW, datetime.UTC)


def test_it_is_idle_unless_it_runs_or_is_watched(session: LiveSession) -> None:
    """A session that is of use to somebody is never idle."""
    assert session.is_idle
    session.watchers["c1"] = handle()
    watched = session.is_idle
    session.watchers.clear()
    list(session.submit(run("r1"), NOW))
    assert (watched, session.is_idle) == (False, False)


def test_a_snapshot_is_everything_that_is_shown(session: LiveSession) -> None:
    """Each field of the seed's session and of ours, as a value that later changes leave alone."""
    session.watchers["c1"] = handle()
    session.channels |= {"b": -1, "a": -2}
    session.shares |= {"bob": "read"}
    session.append(AgentToken("s1", "a"), NOW)
    snapshot = session.snapshot()
    assert snapshot == Session(
        id="s1",
        user_id="ann",
        created_at=BORN,
        last_activity=datetime.datetime.fromtimestamp(NOW, datetime.UTC),
        name="tea",
        connections=(handle(),),
        metadata={"a": 1},
        state="idle",
        run_id=None,
        queued=0,
        channels={"a": -2, "b": -1},
        shares={"bob": "read"},
        last_seq=1,
        epoch=EPOCH,
        number=1,
    )
    session.metadata["b"] = 2
    assert snapshot.metadata == {"a": 1}


# ── the storage ──────────────────────────────────────────────────────────────


def test_each_step_of_a_turn_is_stored(session: LiveSession) -> None:
    """A promised turn from its chat to its end; the question when it begins, the answer when it is whole."""
    asked = HistoryMessage("user", "hi", "r1", TS)
    assert stored(list(session.submit(run("r1"), NOW))) == [
        SaveRun(1, "r1", run("r1").chat),
        SaveMessage(1, NumberedMessage(0, asked, size_bytes=MESSAGE_BYTES + 2)),
    ]
    assert stored(list(session.submit(run("r2"), NOW))) == [SaveRun(1, "r2", run("r2").chat)]
    assert stored(list(session.abort("r2", NOW, go_on=True))) == [DropRun(1, "r2")]
    assert stored([session.append(AgentToken("s1", "He", run_id="r1"), NOW)]) == []
    answer = HistoryMessage("assistant", "He", "r1", TS, usage=DONE.usage)
    assert stored(list(session.end(DONE, NOW, go_on=True))) == [
        SaveMessage(1, NumberedMessage(1, answer, size_bytes=MESSAGE_BYTES + 2)),
        DropRun(1, "r1"),
    ]


def test_a_cut_of_the_log_saves_the_running_answer_first(session: LiveSession) -> None:
    """There is nowhere else to read it after a crash; where nothing of it is cut, nothing is saved."""
    list(session.submit(run("r1"), NOW))
    session.append(AgentToken("s1", "He", run_id="r1"), NOW)
    answer = NumberedMessage(1, HistoryMessage("assistant", "He", "r1", TS, "running"), 3, MESSAGE_BYTES + 2)
    assert list(session.trim(4)) == [SaveMessage(1, answer), Trim(session.log, 4)]
    assert list(session.trim(4)) == [Trim(session.log, 4)]
    list(session.end(DONE, NOW, go_on=True))
    assert list(session.trim(5)) == [Trim(session.log, 5)]


def restarted(session: LiveSession, *messages: NumberedMessage) -> LiveSession:
    """The same session in a new process, which has its log and *messages*."""
    log, limits = session.log, SESSION_LIMITS
    return LiveSession(
        session.snapshot(),
        Log("s1", EPOCH, limits.log, number=1, last_seq=log.last_seq, entries=list(log)),
        History(limits.history_bytes, messages),
        Outcomes(limits.outcomes),
    )


def interrupted(session: LiveSession) -> LiveSession:
    """The session in a new process, where turn r1 had come as far as two words, and r2 waited."""
    list(session.submit(run("r1"), NOW))
    list(session.submit(run("r2", "two"), NOW))
    for text in ("Hel", "lo"):
        session.append(AgentToken("s1", text, run_id="r1"), NOW)
    return restarted(session, NumberedMessage(0, HistoryMessage("user", "hi", "r1", TS)))


def test_an_interrupted_turn_is_closed(session: LiveSession) -> None:
    """Its partial answer stays, marked; and the chat behind it gets its turn, which knows of both."""
    again = interrupted(session)
    effects = list(again.resume([run("r1"), run("r2", "two")], NOW + 9, again=False, go_on=True))
    closed, begun, turn = plain(effects)
    error = Error(ErrorCode.AGENT_INTERRUPTED, "the gateway ended in the midst of this turn", session_id="s1")
    assert closed == delivered(attrs.evolve(error, run_id="r1"), 6, ts=TS + 9000)
    assert begun == delivered(AgentStart("s1", run_id="r2"), 7, ts=TS + 9000)
    said = [
        HistoryMessage("user", "hi", "r1", TS),
        HistoryMessage(
            "assistant", "Hello", "r1", TS, "interrupted", error=TurnError(error.code, error.message)
        ),
    ]
    assert turn == StartTurn(again.snapshot(), "r2", run("r2", "two").chat, tuple(said))
    assert stored(effects)[:2] == [
        SaveMessage(1, NumberedMessage(1, said[1], size_bytes=MESSAGE_BYTES + 5)),
        DropRun(1, "r1"),
    ]


def test_a_resumable_agent_goes_on(session: LiveSession) -> None:
    """Nothing is logged: the same turn runs on, with what was said of it, and answers in the same message."""
    again = interrupted(session)
    effects = list(again.resume([run("r1"), run("r2", "two")], NOW + 9, again=True, go_on=True))
    partial = HistoryMessage("assistant", "Hello", "r1", TS, "running")
    assert effects == [StartTurn(again.snapshot(), "r1", run("r1").chat, (), partial)]
    assert [each.run_id for each in again.queue] == ["r2"]
    again.append(AgentToken("s1", ", you", run_id="r1"), NOW + 9)
    list(again.end(DONE, NOW + 9, go_on=True))
    assert list(again.history)[1] == HistoryMessage("assistant", "Hello, you", "r1", TS, usage=DONE.usage)


def test_an_answer_begins_with_its_turn(session: LiveSession) -> None:
    """What a program sent in the name of a turn while that waited was no part of it, nor is it now."""
    list(session.submit(run("r1"), NOW))
    list(session.submit(run("r2"), NOW))
    session.append(AgentToken("s1", "early", run_id="r2"), NOW)
    list(session.end(DONE, NOW, go_on=True))
    session.append(AgentToken("s1", "due", run_id="r2"), NOW)
    messages = [NumberedMessage(number, message) for number, message in enumerate(list(session.history)[:-1])]
    again = restarted(session, *messages)
    list(again.resume([run("r2")], NOW, again=True, go_on=True))
    assert again.history.running == session.history.running
    assert again.history.running is not None
    assert again.history.running.content == "due"


def test_a_chat_that_only_waited_begins(session: LiveSession) -> None:
    """The turn ahead of it had ended when the gateway did: it is answered from the start, by any agent."""
    list(session.submit(run("r1"), NOW))
    list(session.submit(run("r2", "two"), NOW))
    list(session.end(DONE, NOW, go_on=False))
    assert (session.run, [each.run_id for each in session.queue]) == (None, ["r2"])
    assert not session.is_idle
    messages = [NumberedMessage(number, message) for number, message in enumerate(session.history)]
    for again in (True, False):
        next_one = restarted(session, *messages)
        begun, turn = plain(list(next_one.resume([run("r2", "two")], NOW + 9, again=again, go_on=True)))
        assert begun == delivered(AgentStart("s1", run_id="r2"), 5, ts=TS + 9000)
        before = tuple(each.message for each in messages)
        assert turn == StartTurn(next_one.snapshot(), "r2", run("r2", "two").chat, before)


def test_a_gateway_that_is_about_to_stop_begins_nothing(session: LiveSession) -> None:
    """What it finds stored is closed, if that is all that can be done with it, or left to the next."""
    runs = [run("r1"), run("r2", "two")]
    closing = interrupted(session)
    (closed,) = plain(list(closing.resume(runs, NOW, again=False, go_on=False)))
    assert isinstance(closed, Delivered)
    assert isinstance(closed.event, Error)
    assert (closing.run, [each.run_id for each in closing.queue]) == (None, ["r2"])

    leaving = restarted(session, NumberedMessage(0, HistoryMessage("user", "hi", "r1", TS)))
    assert list(leaving.resume(runs, NOW, again=True, go_on=False)) == []
    assert leaving.run == runs[0]

    idle = restarted(session)
    assert list(idle.resume([run("r9")], NOW, again=True, go_on=False)) == []
    assert (idle.run, [each.run_id for each in idle.queue]) == (None, ["r9"])


@pytest.mark.parametrize("again", [True, False])
def test_without_turns_there_is_nothing_to_resume(session: LiveSession, *, again: bool) -> None:
    """A session that was idle is idle."""
    assert list(session.resume([], NOW, again=again, go_on=True)) == []


def test_what_became_of_a_message_is_stored(session: LiveSession) -> None:
    """And what is forgotten for it is forgotten there, too."""
    keys = [MessageKey("command", str(number), "says") for number in range(5)]
    answer = Error("CODE", "text")
    effects = [list(session.remember(key, answer, NOW)) for key in keys]
    assert effects[:4] == [[SaveOutcome(1, Outcome(key, TS, answer))] for key in keys[:4]]
    assert effects[4] == [SaveOutcome(1, Outcome(keys[4], TS, answer)), DropOutcome(1, keys[0])]
