"""The session table: chats and turns, one at a time, each step with the whole list of its effects."""

from __future__ import annotations

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import (
    AgentStart,
    AgentToken,
    Chat,
    ChatAccepted,
    Error,
    LoggedEvent,
    UserMessage,
)
from bamboo_gateway.session.effects import CancelTurn, SaveSession, Send, StartTurn
from bamboo_gateway.session.history import MESSAGE_BYTES
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    Caller,
    CreateSession,
    Detach,
    EmitEvents,
    EndTurn,
    GetHistory,
    HistoryTail,
)
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    DONE,
    NOW,
    TS,
    ask,
    ask_and_tell,
    attach,
    caller,
    chat,
    delivered,
    new_table,
    refusal,
    snapshot,
    told,
)

ABORTED = Error(ErrorCode.AGENT_ABORTED, "the turn was aborted", session_id="s1")


def of_turn(event: LoggedEvent, run_id: str = "r1") -> LoggedEvent:
    """*event* as the log has it."""
    return attrs.evolve(event, run_id=run_id)


def test_a_chat_begins_a_turn(table: SessionTable) -> None:
    """Its sender is told first, then everybody what was said and that the agent begins."""
    request = chat("hi", "r1", id="mine", metadata={"k": 1})
    reply, effects = ask_and_tell(table, request, NOW + 1)
    accepted = ChatAccepted("s1", "r1", queued=0, id="mine")
    running = snapshot(table)
    said = UserMessage("s1", "hi", id="mine", metadata={"k": 1}, run_id="r1")
    assert reply == accepted
    assert effects == [
        Send("c1", accepted),
        delivered(said, 1, ts=TS + 1000),
        delivered(AgentStart("s1", run_id="r1"), 2, ts=TS + 1000),
        StartTurn(running, "r1", request.chat, ()),
        SaveSession(running),
    ]
    assert (running.state, running.run_id, running.last_activity.timestamp()) == ("running", "r1", NOW + 1)


def test_further_chats_wait_until_the_queue_is_full(table: SessionTable) -> None:
    """Each is told how many come before it; beyond the bound it is refused and can be sent again later."""
    ask(table, chat())
    for number, run_id in ((1, "r2"), (2, "r3")):
        reply, effects = ask_and_tell(table, chat("more", run_id))
        assert reply == ChatAccepted("s1", run_id, queued=number)
        assert effects == [
            Send("c1", reply),
            delivered(UserMessage("s1", "more", run_id=run_id), number + 2),
            SaveSession(snapshot(table)),
        ]
    assert refusal(table, chat(run_id="r4")) is ErrorCode.QUEUE_FULL
    ask(table, EndTurn("s1", "r1", DONE))
    assert ask(table, chat(run_id="r4")).queued == 2


def test_without_a_queue_one_turn_runs() -> None:
    """A bound of no waiting chats refuses the second one."""
    table = new_table(max_queued_chats=0)
    ask(table, attach())
    ask(table, chat())
    assert refusal(table, chat(run_id="r2")) is ErrorCode.QUEUE_FULL


def test_a_chat_goes_to_the_session_that_is_watched(table: SessionTable) -> None:
    """Another id is a client's mistake, also where it is a session of the same owner."""
    ask(table, CreateSession("ann", "s2"))
    assert refusal(table, chat(session_id="s2")) is ErrorCode.SESSION_MISMATCH
    assert refusal(table, chat(session_id="x" * 999)) is ErrorCode.SESSION_MISMATCH


def test_a_chat_of_no_connection_is_accepted_to_nobody(table: SessionTable) -> None:
    """Only a connection is told; its session is what a chat is for."""
    assert refusal(table, chat(who=Caller(OPERATOR.principal))) is ErrorCode.NOT_CONNECTED


def test_an_agent_s_events_are_logged_as_its_turn_s(table: SessionTable) -> None:
    """Whatever it claims of itself, an event belongs to the turn that emitted it."""
    ask(table, chat())
    token = AgentToken("s1", "He", run_id="claimed")
    assert told(table, EmitEvents("s1", "r1", [token])) == [delivered(of_turn(AgentToken("s1", "He")), 3)]


def test_the_end_of_a_turn_begins_the_next(table: SessionTable) -> None:
    """In one step, so that no chat is forgotten between two turns; the agent knows what was said."""
    ask(table, chat("one", "r1"))
    ask(table, chat("two", "r2"))
    ask(table, EmitEvents("s1", "r1", [AgentToken("s1", "1!")]))
    effects = told(table, EndTurn("s1", "r1", DONE))
    turn = effects[2]
    assert isinstance(turn, StartTurn)
    assert effects == [
        delivered(of_turn(DONE), 5),
        delivered(AgentStart("s1", run_id="r2"), 6),
        StartTurn(snapshot(table), "r2", Chat("two", "s1"), turn.history),
    ]
    assert [(message.role, message.content) for message in turn.history] == [
        ("user", "one"),
        ("assistant", "1!"),
    ]
    assert told(table, EndTurn("s1", "r2", ABORTED)) == [delivered(of_turn(ABORTED, "r2"), 7)]
    assert snapshot(table).state == "idle"


def test_abort_of_all_names_them(table: SessionTable) -> None:
    """The one that runs first, as they would have come; the agent is cancelled once."""
    for run_id in ("r1", "r2", "r3"):
        ask(table, chat(run_id=run_id))
    reply, effects = ask_and_tell(table, AbortTurn(caller()))
    assert reply == ["r1", "r2", "r3"]
    assert effects == [
        delivered(of_turn(ABORTED, "r2"), 5),
        delivered(of_turn(ABORTED, "r3"), 6),
        CancelTurn("r1"),
        delivered(of_turn(ABORTED, "r1"), 7),
    ]
    assert ask_and_tell(table, AbortTurn(caller())) == ([], [])


@pytest.mark.parametrize("run_id", ["r1", "r2"])
def test_abort_of_one_leaves_the_other(table: SessionTable, run_id: str) -> None:
    """Whether it runs or waits."""
    ask(table, chat(run_id="r1"))
    ask(table, chat(run_id="r2"))
    assert ask(table, AbortTurn(caller(), run_id=run_id)) == [run_id]
    assert snapshot(table).run_id == ({"r1", "r2"} - {run_id}).pop()
    assert snapshot(table).queued == 0
    assert ask(table, AbortTurn(caller(), run_id=run_id)) == []


def test_of_an_aborted_turn_nothing_more_is_heard(table: SessionTable) -> None:
    """Its agent may still speak: what comes late belongs to no turn, also while the next one runs."""
    ask(table, chat(run_id="r1"))
    ask(table, chat(run_id="r2"))
    ask(table, AbortTurn(caller(), run_id="r1"))
    assert told(table, EmitEvents("s1", "r1", [AgentToken("s1", "late")])) == []
    assert told(table, EndTurn("s1", "r1", DONE)) == []
    assert snapshot(table).run_id == "r2"


def test_an_agent_s_event_that_cannot_be_sent_ends_its_turn(table: SessionTable) -> None:
    """The client learns that it was the agent; the agent is stopped, and the next turn begins."""
    ask(table, chat(run_id="r1"))
    ask(table, chat(run_id="r2"))
    effects = told(table, EmitEvents("s1", "r1", [AgentToken("s1", "\ud800")]))
    words = "the agent's AgentToken cannot be encoded: a lone surrogate is no character"
    error = Error(ErrorCode.AGENT_ERROR, words, session_id="s1", run_id="r1")
    assert effects[:3] == [CancelTurn("r1"), delivered(error, 4), delivered(AgentStart("s1", run_id="r2"), 5)]
    assert len(effects) == 4
    assert snapshot(table).run_id == "r2"


def test_disconnecting_cancels_nothing(table: SessionTable) -> None:
    """The turn of a session that nobody watches runs on, and its events wait in the log."""
    ask(table, chat())
    assert not [each for each in told(table, Detach("c1")) if isinstance(each, CancelTurn)]
    assert told(table, EmitEvents("s1", "r1", [AgentToken("s1", "a")]))
    assert snapshot(table).run_id == "r1"


def test_history_is_paged(table: SessionTable) -> None:
    """The newest page first, and each says which is its first."""
    for run_id in ("r1", "r2"):
        ask(table, chat(run_id, run_id))
        ask(table, EndTurn("s1", run_id, DONE))
    page = ask(table, GetHistory(caller(), None, 3))
    assert [message.run_id for message in page.messages] == ["r1", "r2", "r2"]
    assert (page.session_id, page.first, page.end) == ("s1", 1, 1)
    rest = ask(table, GetHistory(caller(), None, 3, before=page.first))
    assert ([message.content for message in rest.messages], rest.first, rest.end) == (["r1"], 0, 0)
    assert ask(table, GetHistory(caller(), None, 3, before=0)) == HistoryTail("s1", [], 0, 0, rest.seq)


def test_history_says_how_far_it_goes(table: SessionTable) -> None:
    """To the last event that is in it, also in the answer that is just given; and names chats that wait."""
    ask(table, chat("one", "r1"))
    ask(table, EmitEvents("s1", "r1", [AgentToken("s1", "a"), AgentToken("s1", "b")]))
    ask(table, chat("two", "r2"))
    page = ask(table, GetHistory(caller(), None, 9))
    assert page.seq == 5
    assert [message.content for message in page.messages] == ["one", "ab"]
    assert [(run.run_id, run.chat.content) for run in page.queued] == [("r2", "two")]


def test_a_page_says_what_of_it_the_storage_has() -> None:
    """What was let go of is not forgotten: the page begins with it, and the memory has the rest."""
    table = new_table(history_bytes=3 * MESSAGE_BYTES)
    ask(table, attach())
    for run_id in ("r1", "r2"):
        ask(table, chat("", run_id))
        ask(table, EndTurn("s1", run_id, DONE))
    for limit, before, in_memory, first, end in [
        (9, None, ["r1", "r2", "r2"], 0, 1),
        (4, None, ["r1", "r2", "r2"], 0, 1),
        (3, None, ["r1", "r2", "r2"], 1, 1),
        (2, 2, ["r1"], 0, 1),
        (2, 1, [], 0, 1),
        (2, 0, [], 0, 0),
    ]:
        page = ask(table, GetHistory(caller(), None, limit, before))
        assert ([each.run_id for each in page.messages], page.first, page.end) == (in_memory, first, end)
