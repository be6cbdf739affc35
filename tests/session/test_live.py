"""One session's turns: begun, queued, ended and aborted, each step an entry in its log."""

from __future__ import annotations

import datetime
from typing import Any

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
from bamboo_gateway.session.effects import CancelTurn, StartTurn
from bamboo_gateway.session.history import History, HistoryMessage
from bamboo_gateway.session.live import LiveSession, milliseconds
from bamboo_gateway.session.log import Log
from bamboo_gateway.session.outcomes import Outcomes
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.stored import Run
from tests.session.dump import dump
from tests.session.tables import DONE, EPOCH, NOW, SESSION_LIMITS, Delivered, delivered, handle, plain

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
    ended, started, turn = plain(list(session.end(DONE, NOW)))
    assert ended == delivered(AgentComplete("s1", TokenUsage(1, 2, 3), run_id="r1"), 6)
    assert started == delivered(AgentStart("s1", run_id="r2"), 7)
    assert isinstance(turn, StartTurn)
    assert (turn.run_id, turn.session.queued) == ("r2", 1)
    assert list(turn.history) == [
        HistoryMessage("user", "one", "r1", milliseconds(NOW)),
        HistoryMessage("assistant", "1!", "r1", milliseconds(NOW)),
    ]


def test_the_last_turn_leaves_the_session_idle(session: LiveSession) -> None:
    """With nothing queued, an end is only an end."""
    list(session.submit(run("r1"), NOW))
    assert (
        events(plain(list(session.end(ABORTED, NOW))))[0]
        == delivered(Error(ABORTED.code, ABORTED.message, session_id="s1", run_id="r1"), 3).event
    )
    assert (session.run, session.snapshot().state) == (None, "idle")


def test_to_end_what_does_not_run_is_nothing(session: LiveSession) -> None:
    """A session without a turn has none to close."""
    assert list(session.end(DONE, NOW)) == []


def test_abort_all_begins_none_of_those_that_wait(session: LiveSession) -> None:
    """Those that wait are closed first, then the one that runs: no agent is called for nothing."""
    for name in ("r1", "r2", "r3"):
        list(session.submit(run(name), NOW))
    effects = plain(list(session.abort(None, NOW)))
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
    cancel, closed, started, turn = plain(list(session.abort("r1", NOW)))
    assert cancel == CancelTurn("r1")
    assert closed == delivered(Error(ABORTED.code, ABORTED.message, session_id="s1", run_id="r1"), 4)
    assert started == delivered(AgentStart("s1", run_id="r2"), 5)
    assert isinstance(turn, StartTurn)


def test_abort_of_a_waiting_turn_leaves_the_running_one(session: LiveSession) -> None:
    """A chat can be taken back before it begins."""
    for name in ("r1", "r2", "r3"):
        list(session.submit(run(name), NOW))
    effects = plain(list(session.abort("r2", NOW)))
    assert effects == [delivered(Error(ABORTED.code, ABORTED.message, session_id="s1", run_id="r2"), 5)]
    assert session.run == run("r1")
    assert list(session.queue) == [run("r3")]


def test_abort_of_an_unknown_turn_is_nothing(session: LiveSession) -> None:
    """A turn that is over, or never was, stays so."""
    list(session.submit(run("r1"), NOW))
    assert list(session.abort("r0", NOW)) == []


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
    session.channels |= {"b", "a"}
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
        channels=("a", "b"),
        last_seq=1,
        epoch=EPOCH,
        number=1,
    )
    session.metadata["b"] = 2
    assert snapshot.metadata == {"a": 1}
