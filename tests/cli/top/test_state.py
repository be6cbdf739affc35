from __future__ import annotations

from bamboo_gateway.cli.top.look import Look
from bamboo_gateway.cli.top.pace import Pace
from tests.cli.top.looks import NOW, connection, session, state


def test_sessions_that_run_come_first_then_the_busiest_then_the_latest() -> None:
    """What one looks for is at the top."""
    look = Look(
        at=0.0,
        sessions=[
            session("old", last_activity=1),
            session("new", last_activity=2),
            session("busy", last_activity=0),
            session("running", state="running"),
        ],
    )
    shown = state(look=look, pace=Pace(seconds=1.0, by_session={"busy": 5.0, "old": 0.0}))
    assert [each["session_id"] for each in shown.sessions] == ["running", "busy", "new", "old"]


def test_connections_that_are_behind_come_first() -> None:
    """Those with most to be sent; then the newest."""
    look = Look(
        at=0.0,
        connections=[
            connection("old", connected_at=1),
            connection("new", connected_at=int(NOW)),
            connection("slow", state="behind", waiting_bytes=10),
            connection("slower", state="behind", waiting_bytes=20),
        ],
    )
    assert [each["connection_id"] for each in state(look=look).connections] == [
        "slower",
        "slow",
        "new",
        "old",
    ]


def test_keys_switch_the_table_and_begin_it_at_its_top() -> None:
    """Each table has its rows."""
    shown = state(offset=1).press("c")
    assert (shown.table, shown.offset, shown.rows) == ("connections", 0, shown.connections)
    shown = shown.press("s")
    assert (shown.table, shown.rows) == ("sessions", shown.sessions)


def test_arrows_keep_within_the_rows() -> None:
    """There is nothing above the first, and nothing below the last."""
    shown = state(look=Look(at=0.0, sessions=[session(str(number)) for number in range(25)]))
    assert shown.press("up").offset == 0
    assert shown.press("down").press("down").press("up").offset == 1
    assert shown.press("page down").press("page down").press("page down").offset == 24
    assert shown.press("page down").press("page up").press("page up").offset == 0
    assert shown.press("page down").press("home").offset == 0


def test_other_keys_change_nothing() -> None:
    """A person may lean on the keyboard."""
    assert state().press("x") == state()
    assert state(look=Look(at=0.0)).press("down").offset == 0


def test_a_pause_is_ended_as_it_is_begun() -> None:
    """By `p`, or the space bar."""
    assert state().press("p").is_paused
    assert state().press("p").press(" ") == state()
