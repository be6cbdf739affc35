"""Sessions and conversations as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli import session_text
from bamboo_gateway.cli.plain_text import one_line, width

SESSION: dict[str, Any] = {
    "session_id": "01a6d753-d844-41b7-8f37-f0e46e6be377",
    "user_id": "local",
    "name": None,
    "created_at": 1_700_000_000_000,
    "last_activity": 1_700_000_060_000,
    "state": "idle",
    "run_id": None,
    "queued": 0,
    "watchers": 2,
    "channels": ["news", "tea"],
    "metadata": {"a": 1},
    "last_seq": 7,
    "epoch": "e1",
}

SAID: dict[str, Any] = {
    "role": "assistant",
    "content": "hello",
    "run_id": "r1",
    "ts": 1_700_000_000_000,
    "status": "complete",
    "tool_calls": [],
    "truncated": False,
}


def test_a_row_has_what_tells_sessions_apart() -> None:
    """Its id in full, so that it can be copied; the times are UTC."""
    assert session_text.row(SESSION).split() == [
        "01a6d753-d844-41b7-8f37-f0e46e6be377",
        "–",
        "local",
        "idle",
        "2",
        "7",
        "2023-11-14",
        "22:14:20Z",
    ]


def test_an_id_is_never_cut() -> None:
    """It is there to be copied."""
    assert session_text.row(SESSION | {"session_id": "x" * 100}).split()[0] == "x" * 100


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (86_400, "1 d ago"),
        (7 * 86_400 - 1, "6 d ago"),
        (7 * 86_400, "2023-11-14"),
    ],
)
def test_a_person_is_told_how_long_ago_it_was(passed: int, said: str) -> None:
    """Up to a week; then the day says more."""
    now = SESSION["last_activity"] + passed * 1000
    assert session_text.row(SESSION, now).endswith(f" 7        {said}")


@given(name=st.text(), user=st.text())
def test_rows_stand_under_their_heading(name: str, user: str) -> None:
    """However long or strange a name is, the columns behind it stay where they are, in one line."""
    row = session_text.row(SESSION | {"name": name, "user_id": user})
    assert width(row.rpartition("idle")[0]) == session_text.HEADING.index("STATE")
    assert one_line(row) == row


def test_details_tell_all() -> None:
    """A line for each thing that is known of a session."""
    assert list(session_text.details(SESSION)) == [
        "session        01a6d753-d844-41b7-8f37-f0e46e6be377",
        "name           –",
        "user           local",
        "created        2023-11-14 22:13:20Z",
        "last activity  2023-11-14 22:14:20Z",
        "state          idle, 0 chats wait, 2 watch",
        "log            to event 7 of epoch e1",
        "channels       news, tea",
        'metadata       {"a":1}',
    ]


def test_a_message_says_who_when_and_what() -> None:
    """One that is complete needs no mark."""
    assert list(session_text.message(SAID)) == ["── assistant · 2023-11-14 22:13:20Z", "hello"]


def test_what_is_not_whole_is_marked() -> None:
    """Interrupted, failed, running or cut: nobody takes it for the whole answer."""
    [head] = session_text.message(SAID | {"content": "", "status": "interrupted", "truncated": True})
    assert head == "── assistant · 2023-11-14 22:13:20Z, interrupted, cut"


def test_tool_calls_are_shown_with_their_outcome() -> None:
    """What was asked, and what came of it, if it did."""
    calls = [
        {"id": "1", "tool": "search", "args": {"q": 1}, "result": "found", "ok": True},
        {"id": "2", "tool": "clock", "result": "broken", "ok": False},
        {"id": "3", "tool": "late"},
    ]
    assert list(session_text.message(SAID | {"tool_calls": calls}))[1:] == [
        '[search {"q":1}]',
        "[search answered: found]",
        "[clock null]",
        "[clock failed: broken]",
        "[late null]",
        "hello",
    ]
