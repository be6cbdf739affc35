"""The conversation that a session keeps: how events become messages, how it is paged, how it is bounded."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Error,
    LoggedEvent,
    TokenUsage,
)
from bamboo_gateway.session.history import MESSAGE_BYTES, History, HistoryMessage, ToolRecord

ROOM = 100_000

SEQ = itertools.count(1)
"""Logs count on, whatever a conversation takes of them."""

DONE = AgentComplete("s", TokenUsage())
FAILED = Error("AGENT_ERROR", "it failed", session_id="s")


def turn(history: History, run_id: str, question: str, *events: LoggedEvent, ts: int = 1) -> None:
    """A turn that has come as far as *events*."""
    history.begin(run_id, question, ts)
    for event in events:
        record(history, event, run_id)


def record(history: History, event: LoggedEvent, run_id: str | None) -> None:
    """One event of a turn, which may be its last."""
    history.record(attrs.evolve(event, run_id=run_id), next(SEQ), size_bytes=100)
    if isinstance(event, AgentComplete | Error) and history.running and history.running.run_id == run_id:
        history.finish(event)


def token(text: str) -> AgentToken:
    """A piece of an answer."""
    return AgentToken("s", text)


def test_a_turn_is_a_question_and_its_answer() -> None:
    """Tokens join to the answer, which is complete once the turn is."""
    history = History(ROOM)
    turn(history, "r1", "how are you?", AgentStart("s"), token("I am "), token("well"), ts=7)
    question = HistoryMessage("user", "how are you?", "r1", 7)
    assert list(history) == [question, HistoryMessage("assistant", "I am well", "r1", 7, "running")]
    record(history, DONE, "r1")
    assert list(history) == [question, HistoryMessage("assistant", "I am well", "r1", 7, "complete")]
    assert len(history) == 2


def test_an_error_leaves_a_partial_answer() -> None:
    """What was said before a turn failed or was aborted is kept, and marked."""
    history = History(ROOM)
    turn(history, "r1", "go", token("I wi"), FAILED)
    assert list(history)[1] == HistoryMessage("assistant", "I wi", "r1", 1, "failed")


def test_tool_calls_belong_to_the_answer() -> None:
    """A call is there from its start, with its result once that has come, by its id or else by its name."""
    history = History(ROOM)
    turn(
        history,
        "r1",
        "look it up",
        AgentToolStart("s", "search", tool_call_id="a", args={"q": 1}),
        AgentToolStart("s", "search", tool_call_id="b"),
        AgentToolComplete("s", "search", "found", tool_call_id="b", ok=True),
        AgentToolStart("s", "clock"),
        AgentToolComplete("s", "clock", "broken", ok=False),
        AgentToolComplete("s", "late", "unannounced", tool_call_id="c", ok=True),
    )
    assert list(history)[1].tool_calls == (
        ToolRecord("a", "search", {"q": 1}),
        ToolRecord("b", "search", None, "found", ok=True),
        ToolRecord("clock", "clock", None, "broken", ok=False),
        ToolRecord("c", "late", None, "unannounced", ok=True),
    )


@pytest.mark.parametrize("run_id", [None, "r0", "r2"])
def test_events_of_no_turn_are_no_conversation(run_id: str | None) -> None:
    """What an embedding program sends between the tokens, or of a turn long over, is in the log alone."""
    history = History(ROOM)
    record(history, token("before"), run_id)
    assert list(history) == []
    turn(history, "r1", "q", token("a"))
    for event in (token("x"), FAILED, DONE):
        record(history, event, run_id)
    assert list(history)[1] == HistoryMessage("assistant", "a", "r1", 1, "running")


# ── pages ────────────────────────────────────────────────────────────────────


@given(
    turns=st.integers(0, 6), running=st.booleans(), limit=st.integers(1, 5), max_bytes=st.integers(1, 9_000)
)
def test_pages_join_to_the_whole_conversation(turns: int, running: bool, limit: int, max_bytes: int) -> None:
    """From the newest page back by `first`, each message is seen once and in order."""
    history = History(max_bytes)
    for number in range(turns):
        is_last = number == turns - 1
        turn(history, f"r{number}", "q", *([] if running and is_last else [DONE]))
    pages: list[HistoryMessage] = []
    first, page = history.page(limit)
    while page:
        assert len(page) <= limit
        pages[:0] = page
        first, page = history.page(limit, before=first)
    assert pages == list(history)
    assert first == history.dropped


def test_numbers_outlast_what_is_dropped() -> None:
    """A message keeps its number while older ones are let go, so that a reader loses no place."""
    history = History(3 * MESSAGE_BYTES)
    turn(history, "r1", "", DONE)
    assert history.page(1) == (1, [list(history)[1]])
    turn(history, "r2", "", DONE)
    assert (history.dropped, len(history)) == (1, 3)
    assert history.page(1, before=2)[0] == 1
    assert history.page(9, before=0) == (1, [])
    assert history.page(9, before=99) == (1, list(history))


# ── bounds ───────────────────────────────────────────────────────────────────

answers = st.lists(
    st.one_of(
        st.text("x竹", max_size=2000).map(token),
        st.builds(AgentToolStart, st.just("s"), st.just("t"), tool_call_id=st.text(max_size=3)),
    ),
    max_size=8,
)


@given(
    talk=st.lists(st.tuples(st.text("y", max_size=3000), answers), max_size=6),
    max_bytes=st.integers(1, 9_000),
)
def test_it_keeps_the_newest_within_its_size(
    talk: list[tuple[str, list[LoggedEvent]]], max_bytes: int
) -> None:
    """However long people and agents talk, the newest messages are kept, and no more than fits."""
    history, everything = History(max_bytes), History(10**9)
    for number, (question, events) in enumerate(talk):
        for each in (history, everything):
            turn(each, f"r{number}", question, *events)
        assert history.size_bytes <= max(max_bytes, 2 * MESSAGE_BYTES + len(question) + max_bytes)
        for each in (history, everything):
            record(each, DONE, f"r{number}")
        assert history.size_bytes <= max(max_bytes, MESSAGE_BYTES) or len(history) == 1
    kept = list(history)
    assert len(kept) + history.dropped == len(everything)
    for message, whole in zip(kept, list(everything)[history.dropped :], strict=True):
        assert (message.role, message.run_id, message.status) == (whole.role, whole.run_id, whole.status)
        assert whole.content.startswith(message.content)
        assert message.truncated or message.content == whole.content


def test_empty_messages_take_room_too() -> None:
    """Nobody fills the memory with messages of no text."""
    history = History(10 * MESSAGE_BYTES)
    for number in range(100):
        turn(history, f"r{number}", "", DONE)
    assert len(history) == 10


def test_an_answer_without_end_is_cut() -> None:
    """What a runaway agent says beyond the size of a conversation is not kept, from there to its end."""
    history = History(MESSAGE_BYTES + 10)
    turn(history, "r1", "", token("12345"), token("67890!"), token("!"), AgentToolStart("s", "t"))
    assert list(history)[1] == HistoryMessage("assistant", "12345", "r1", 1, "running", truncated=True)
    record(history, DONE, "r1")
    assert list(history)[-1].truncated
    turn(history, "r2", "", token("short"), DONE)
    assert not list(history)[-1].truncated
