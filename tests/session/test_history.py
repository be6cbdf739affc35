"""The conversation that a session keeps: how events become messages, how it is paged, how it is bounded."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.errors import ErrorCode
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
from bamboo_gateway.session.history import (
    MAX_REASON,
    MESSAGE_BYTES,
    History,
    HistoryMessage,
    NumberedMessage,
    Status,
    ToolRecord,
    TurnError,
)

ROOM = 100_000

TS = 5
"""When events are appended."""

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
    history.record(event, run_id, next(SEQ), size_bytes=100, ts=TS)
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
    assert list(history) == [question, HistoryMessage("assistant", "I am well", "r1", 7, usage=DONE.usage)]
    assert len(history) == 2


def test_an_error_leaves_a_partial_answer() -> None:
    """What was said before a turn failed or was aborted is kept, and marked."""
    history = History(ROOM)
    turn(history, "r1", "go", token("I wi"), FAILED)
    error = TurnError("AGENT_ERROR", "it failed")
    assert list(history)[1] == HistoryMessage("assistant", "I wi", "r1", 1, "failed", error=error)


def test_what_an_answer_has_cost_is_kept_with_it() -> None:
    """For whoever reads the conversation later, and has not seen its end."""
    history = History(ROOM)
    turn(history, "r1", "q", token("a"))
    assert list(history)[1].usage is None
    record(history, AgentComplete("s", TokenUsage(3, 4, 7)), "r1")
    assert [message.usage for message in history] == [None, TokenUsage(3, 4, 7)]


def test_why_a_turn_failed_is_kept_within_bounds() -> None:
    """A message without end would be a way around the size of a conversation."""
    history = History(ROOM)
    turn(history, "r1", "q", Error("AGENT_ERROR", "竹" * 5000))
    assert list(history)[1].error == TurnError("AGENT_ERROR", "竹" * MAX_REASON)


def test_tool_calls_belong_to_the_answer() -> None:
    """A call is there from its start, with its result once that has come, by its id or else by its name."""
    history = History(ROOM)
    turn(
        history,
        "r1",
        "look it up",
        token("竹🎋"),
        AgentToolStart("s", "search", tool_call_id="a", args={"q": 1}),
        AgentToolStart("s", "search", tool_call_id="b"),
        AgentToolComplete("s", "search", "found", tool_call_id="b", ok=True),
        token("!"),
        AgentToolStart("s", "clock"),
        AgentToolComplete("s", "clock", "broken", ok=False),
        AgentToolComplete("s", "late", "unannounced", tool_call_id="c", ok=True),
    )
    assert list(history)[1].tool_calls == (
        ToolRecord("a", "search", {"q": 1}, started_at=TS, position=2),
        ToolRecord("b", "search", None, "found", ok=True, started_at=TS, completed_at=TS, position=2),
        ToolRecord("clock", "clock", None, "broken", ok=False, started_at=TS, completed_at=TS, position=3),
        ToolRecord("c", "late", None, "unannounced", ok=True, completed_at=TS, position=3),
    )


def test_a_tool_call_knows_when_it_began_and_ended() -> None:
    """By the times of its events in the log."""
    history = History(ROOM)
    history.begin("r1", "q", 1)
    history.record(AgentToolStart("s", "t"), "r1", 1, 100, 20)
    history.record(AgentToolComplete("s", "t", "x", ok=True), "r1", 2, 100, 50)
    [call] = list(history)[1].tool_calls
    assert (call.started_at, call.completed_at) == (20, 50)


@given(st.lists(st.text(max_size=5) | st.none(), max_size=9))
def test_a_tool_call_stands_behind_what_was_said_before_it(said: list[str | None]) -> None:
    """Its position cuts the content just there, whatever characters there are."""
    history = History(ROOM)
    events: list[LoggedEvent] = [
        AgentToolStart("s", "t", tool_call_id=str(number)) if text is None else token(text)
        for number, text in enumerate(said)
    ]
    turn(history, "r1", "q", *events)
    answer = list(history)[1]
    for call in answer.tool_calls:
        before = "".join(text or "" for text in said[: int(call.id)])
        assert answer.content[: call.position] == before


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


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (AgentComplete("s", TokenUsage(1, 2, 3)), "complete"),
        (FAILED, "failed"),
        (Error(ErrorCode.AGENT_ABORTED, "aborted"), "failed"),
        (Error(ErrorCode.AGENT_INTERRUPTED, "the gateway ended"), "interrupted"),
    ],
)
def test_an_answer_is_marked_by_its_end(outcome: AgentComplete | Error, status: Status) -> None:
    """Whether it is whole, and if not, whose fault that is; and so it is given to the storage."""
    history = History(ROOM)
    turn(history, "r1", "q", token("a"))
    usage = outcome.usage if isinstance(outcome, AgentComplete) else None
    error = TurnError(outcome.code, outcome.message) if isinstance(outcome, Error) else None
    answer = HistoryMessage("assistant", "a", "r1", 1, status, usage=usage, error=error)
    assert history.finish(outcome) == NumberedMessage(1, answer, size_bytes=MESSAGE_BYTES + 1)
    assert list(history)[1] == answer
    assert history.running is None


def test_only_a_turn_itself_ends_its_answer() -> None:
    """An end that a program sends in the name of the turn is an event like any other."""
    history = History(ROOM)
    history.begin("r1", "q", 1)
    events: list[LoggedEvent] = [DONE, FAILED, token("a")]
    for seq, event in enumerate(events, start=1):
        history.record(event, "r1", seq, 100, TS)
    assert history.running == HistoryMessage("assistant", "a", "r1", 1, "running")


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


# ── the storage ──────────────────────────────────────────────────────────────

Piece = AgentToken | AgentToolStart | AgentToolComplete

pieces: st.SearchStrategy[list[Piece]] = st.lists(
    st.one_of(
        st.text("x竹", max_size=300).map(token),
        st.builds(AgentToolStart, st.just("s"), st.just("t"), tool_call_id=st.sampled_from("ab")),
        st.builds(
            AgentToolComplete,
            st.just("s"),
            st.just("t"),
            st.text(max_size=3),
            tool_call_id=st.sampled_from("ab"),
        ),
    ),
    max_size=12,
)


@given(
    events=pieces,
    cuts=st.lists(st.integers(1, 14), max_size=12),
    max_bytes=st.sampled_from([900, 1_500, ROOM]),
)
def test_an_answer_is_made_of_what_was_saved_and_what_the_log_still_has(
    events: list[Piece], cuts: list[int], max_bytes: int
) -> None:
    """However the log was cut on the way, who comes back reads the same answer as who was there."""
    history = History(max_bytes)
    messages = {0: history.begin("r1", "q", 1)}
    log: list[tuple[int, Piece]] = []
    first_seq = 1
    for seq, event in enumerate(events, start=1):
        piece: Piece = attrs.evolve(event, run_id="r1")
        log.append((seq, piece))
        history.record(piece, piece.run_id, seq, 100, TS)
        if seq <= len(cuts) and first_seq < cuts[seq - 1] <= seq + 1:
            first_seq = cuts[seq - 1]
            if saved := history.save(first_seq):
                messages[saved.number] = saved
    again = History(max_bytes, list(messages.values()))
    if again.running is None:
        again.answer("r1", 1)
    for seq, piece in log[first_seq - 1 :]:
        again.record(piece, piece.run_id, seq, 100, TS)
    assert list(again) == list(history)
    assert (again.size_bytes, again.dropped) == (history.size_bytes, history.dropped)
    assert again.finish(DONE) == history.finish(DONE)


def test_an_answer_is_saved_no_more_often_than_it_must_be() -> None:
    """Only what the cut takes away counts, and nothing where there is no answer."""
    history = History(ROOM)
    assert history.save(99) is None
    history.begin("r1", "q", 1)
    assert history.save(99) is None, "nothing was said yet"
    for seq in range(1, 5):
        history.record(token("a"), "r1", seq, 100, TS)
    assert history.save(1) is None, "the log still has all of it"
    answer = HistoryMessage("assistant", "aaaa", "r1", 1, "running")
    assert history.save(3) == NumberedMessage(1, answer, 4, MESSAGE_BYTES + 4)
    assert history.save(5) is None, "all of that was saved before"
    history.record(token("b"), "r1", 5, 100, TS)
    saved = history.save(6)
    assert saved is not None
    assert (saved.seq, saved.message.content) == (5, "aaaab")
    history.finish(DONE)
    assert history.save(99) is None


def test_a_cut_answer_is_saved_once() -> None:
    """It grows no more, whatever the agent goes on to say."""
    history = History(MESSAGE_BYTES + 1)
    history.begin("r1", "", 1)
    for seq in range(1, 4):
        history.record(token("a"), "r1", seq, 100, TS)
    saved = history.save(3)
    assert saved is not None
    assert (saved.message.content, saved.message.truncated) == ("a", True)
    history.record(token("a"), "r1", 4, 100, TS)
    assert history.save(5) is None


@given(turns=st.integers(1, 5), kept=st.integers(1, 12), max_bytes=st.integers(1, 5_000))
def test_a_conversation_goes_on_where_it_was_stored(turns: int, kept: int, max_bytes: int) -> None:
    """Its newest messages are enough: the numbers count on, and the bounds hold as before."""
    history, stored = History(ROOM), list[NumberedMessage]()
    for number in range(turns):
        stored.append(history.begin(f"r{number}", "q", number))
        stored.append(history.finish(DONE))
    again = History(max_bytes, stored[-kept:])
    assert list(again) == list(history)[again.dropped :]
    assert again.size_bytes <= max_bytes or len(again) == 1
    assert again.begin("more", "q", 9).number == len(stored)
    assert again.finish(DONE).number == len(stored) + 1
