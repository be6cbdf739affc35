from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.plain_text import width
from bamboo_gateway.cli.top.drawing import Line, report, screen
from bamboo_gateway.cli.top.look import Look
from bamboo_gateway.cli.top.pace import Pace
from bamboo_gateway.cli.top.state import State
from tests.cli.top.looks import connection, lags, numbers, session, state


def text(lines: Any) -> list[str]:
    """What is to be read, without its colours."""
    return ["".join(part for part, _ in line).rstrip() for line in lines]


def kinds(line: Line) -> dict[str, str]:
    """The parts of a line, and what each is."""
    return {part.strip(): kind for part, kind in line}


def test_a_screen_of_80_columns() -> None:
    """Every number, its curve, the rows of the table, and the keys."""
    shown = state(history={"events": [0, 60, 120], "connections": [3, 3, 3]})
    assert text(screen(shown, 80, 24)) == [
        "bamboo-gateway 1.2  ws://127.0.0.1:18790                     up 1 min 40 s  live",
        "",
        "connections          3  1 unauthenticated, 0 behind                          ███",
        "sessions            42  7 in memory",
        "turns                6  2 chats wait, 0.5/s end",
        "events           120/s  5 requests wait                                      ▁▅█",
        "deliveries      1.2k/s  4 gaps since the start",
        "delivery lag   0.56 ms  median; 99 % in 10 ms",
        "commit         0.56 ms  median; 99 % in 10 ms",
        "event loop     0.56 ms  median; 99 % in 10 ms",
        "memory          1.5 MB  logs; 2.05 kB for slow clients",
        "",
        "Sessions (42)   Connections (3)",
        "SESSION                               USER      STATE      EV/S  WATCH    ACTIVE",
        "s1                                    ann       idle          –      1       5 s",
        *[""] * 8,
        "q quit   s sessions   c connections   ↑↓ scroll   p pause               1–1 of 1",
    ]


def test_a_wide_screen_shows_more_of_each_session() -> None:
    """Its id as well as its name, and how many events there are."""
    look = Look(at=0.0, sessions=[session("a" * 36, name="about bamboo", last_seq=1234)])
    lines = text(screen(state(look=look, pace=Pace(seconds=1.0, by_session={"a" * 36: 12.5})), 120, 10))
    heading = next(line for line in lines if line.startswith("ID"))
    row = lines[lines.index(heading) + 1]
    assert heading.split() == ["ID", "NAME", "USER", "STATE", "EVENTS/S", "EVENTS", "WATCHED", "ACTIVE"]
    assert row.split() == ["a" * 36, "about", "bamboo", "ann", "idle", "12.5", "1234", "1", "5", "s"]


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (80, ["phone", "1.0", "ann", "10.0.0.7", "live", "0", "B", "1", "h"]),
        (120, ["s1", "phone", "1.0", "ann", "10.0.0.7", "live", "0", "B", "1", "h"]),
    ],
)
def test_connections_have_a_table_of_their_own(columns: int, row: list[str]) -> None:
    """Who it is, from where, since when, and what waits for them."""
    lines = text(screen(state(table="connections"), columns, 24))
    assert lines[14].split() == row


def test_a_client_that_says_nothing_of_itself_has_a_dash() -> None:
    """So have all other things that are not known."""
    look = Look(
        at=0.0, connections=[connection(client=None, session_id=None), connection(client={"name": "x"})]
    )
    lines = text(screen(state(table="connections", look=look), 120, 12))
    assert lines[4].split()[:3] == ["–", "–", "ann"]
    assert lines[5].split()[:3] == ["s1", "x", "ann"]


def test_what_matters_stands_out() -> None:
    """A turn that runs, a client that is behind, the table that is shown."""
    look = Look(at=0.0, numbers=numbers(), sessions=[session(state="running")])
    lines = screen(state(look=look), 80, 24)
    assert kinds(lines[12]) == {"Sessions (42)": "strong", "": "plain", "Connections (3)": "faint"}
    assert list(kinds(lines[14]).values()) == ["good"]
    look = Look(at=0.0, numbers=numbers(), connections=[connection(state="behind", waiting_bytes=5)])
    lines = screen(state(look=look, table="connections"), 80, 24)
    assert list(kinds(lines[14]).values()) == ["warning"]


def test_a_lost_connection_is_said_and_the_screen_stays() -> None:
    """In place of whatever else there was to say."""
    lines = screen(state(lost="it broke off", complaint="no answer"), 80, 24)
    assert text(lines)[0].endswith("lost")
    assert list(lines[1]) == [("connection lost: it broke off; trying to come back", "bad")]
    assert text(lines)[3].startswith("connections          3")


def test_a_look_that_failed_is_said() -> None:
    """The numbers are those of the one before."""
    assert text(screen(state(complaint="no answer"), 80, 24))[1] == "no answer"


def test_a_pause_is_said() -> None:
    """Or somebody waits for numbers that will not change."""
    assert text(screen(state(is_paused=True), 80, 24))[0].endswith("paused")


def test_a_storage_that_fails_has_a_line() -> None:
    """It is what an operator has to know first."""
    failing = numbers() | {"journal": {"is_failing": True, "held": 9}}
    lines = text(screen(state(look=Look(at=0.0, numbers=failing)), 80, 24))
    assert "storage          FAILS  9 requests wait for it" in lines


def test_what_the_token_does_not_allow_is_said_and_the_rest_is_shown() -> None:
    """Which scope is missing is in the gateway's own words."""
    look = Look(
        at=0.0,
        sessions=[session()],
        missing={"numbers": "gateway.stats takes the scope metrics", "connections": "takes the scope admin"},
    )
    lines = text(screen(state(look=look), 80, 24))
    assert lines[0].endswith("  live")
    assert lines[1] == "no numbers: gateway.stats takes the scope metrics"
    assert lines[3] == "Sessions   Connections"
    assert lines[5].startswith("s1 ")
    lines = text(screen(state(look=look, table="connections"), 80, 24))
    assert lines[5] == "not told: takes the scope admin"


def test_where_there_is_nothing_that_is_said() -> None:
    """And no heading over an empty page."""
    lines = text(screen(state(look=Look(at=0.0, sessions=[], connections=[])), 80, 24))
    assert lines[4] == "there are no sessions"


def test_delays_that_nobody_measured_are_no_zeros() -> None:
    """A storage in memory waits for nothing."""
    shown = state(pace=Pace(seconds=1.0, lags=lags(0, 0, 0, 0)))
    assert "commit               –  none was measured" in text(screen(shown, 80, 24))
    assert "event loop           –  none was measured" in text(screen(state(pace=Pace(seconds=0.0)), 80, 24))


def test_rows_are_scrolled_over() -> None:
    """The foot says where one is; below the last there is nothing."""
    sessions = [session(f"s{number}", last_activity=-number) for number in range(30)]
    shown = state(look=Look(at=0.0, sessions=sessions), offset=3)
    lines = text(screen(shown, 80, 10))
    assert [line.split()[0] for line in lines[4:9]] == ["s3", "s4", "s5", "s6", "s7"]
    assert lines[9].endswith("4–8 of 30")
    lines = text(screen(state(look=Look(at=0.0, sessions=sessions), offset=29), 80, 10))
    assert lines[9].endswith("26–30 of 30")


@given(
    columns=st.integers(1, 200),
    rows=st.integers(1, 60),
    count=st.integers(0, 40),
    words=st.text(),
    table=st.sampled_from(["sessions", "connections"]),
)
def test_it_fits_any_terminal(columns: int, rows: int, count: int, words: str, table: str) -> None:
    """No line too many, no column too wide, nothing that moves the cursor; the keys stay in sight."""
    look = Look(
        at=0.0,
        numbers=numbers(),
        sessions=[session(words, name=words)] * count,
        connections=[connection(user_id=words, client={"name": words}, address=words)] * count,
        missing={"numbers": words} if count % 2 else {},
    )
    shown = state(url=words, version=words, look=look, lost=words or None, table=table, offset=count)
    lines = screen(shown, columns, rows)
    assert len(lines) <= rows
    for line in text(lines):
        assert width(line) <= columns
        assert "\n" not in line
        assert "\x1b" not in line
    if rows >= 6 and columns >= 20:
        assert text(lines)[-1].startswith("q quit")


def test_a_report_has_both_tables_and_no_keys() -> None:
    """For who reads it once."""
    sessions = [session(f"s{number}") for number in range(30)]
    look = Look(at=0.0, numbers=numbers(), sessions=sessions, connections=[connection()])
    lines = text(report(state(look=look), 120))
    assert lines[0].startswith("bamboo-gateway 1.2  ws://127.0.0.1:18790 ")
    assert sum(line.startswith("s") and line.split()[0][1:].isdigit() for line in lines) == 31
    assert lines[lines.index("Connections") + 2].split()[1] == "phone"
    assert not any("q quit" in line for line in lines)


def test_states_are_drawn_and_not_changed() -> None:
    """The same one twice is the same screen."""
    shown: State = state()
    assert screen(shown, 80, 24) == screen(shown, 80, 24)
