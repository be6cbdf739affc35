from __future__ import annotations

from bamboo_gateway.cli.distribution import Distribution
from bamboo_gateway.cli.top.look import Look
from bamboo_gateway.cli.top.pace import Pace, between
from tests.cli.top.looks import BOUNDS, connection, lags, numbers, session


def test_rates_are_what_came_between_by_the_time_between() -> None:
    """Whatever the interval was meant to be."""
    first = Look(at=10.0, numbers=numbers(events=100, ended=1), histograms=lags(5, 0, 0, 0))
    second = Look(at=12.0, numbers=numbers(events=300, ended=4, uptime=102.0), histograms=lags(5, 3, 0, 0))
    assert between(first, second) == Pace(
        seconds=2.0, events=100.0, deliveries=200.0, turns=1.5, lags=lags(0, 3, 0, 0)
    )


def test_sessions_are_matched_by_their_logs() -> None:
    """One that is new, or whose log began anew, has no rate yet."""
    first = Look(at=0.0, numbers=numbers(), sessions=[session("a", last_seq=10), session("b", last_seq=10)])
    second = Look(
        at=2.0,
        numbers=numbers(),
        sessions=[session("a", last_seq=50), session("b", last_seq=1, epoch="f"), session("c")],
    )
    assert between(first, second).by_session == {"a": 20.0}


def test_sessions_have_their_rates_without_any_numbers() -> None:
    """A token may have the one scope and not the other."""
    first = Look(at=0.0, sessions=[session("a", last_seq=10)])
    second = Look(at=2.0, sessions=[session("a", last_seq=50)])
    assert between(first, second) == Pace(seconds=2.0, by_session={"a": 20.0})


def test_sessions_that_were_seen_long_ago_have_their_rate_since_then() -> None:
    """Only the table that is shown is asked for; the other stays as it was."""
    first = Look(at=0.0, sessions=[session("a", last_seq=10)], connections=[connection("c")])
    second = Look(at=9.0, connections=[connection("d")]).keeping(first)
    assert (second.sessions, second.connections) == (first.sessions, [connection("d")])
    third = Look(at=10.0, sessions=[session("a", last_seq=30)]).keeping(second.keeping(first))
    assert between(second, third).by_session == {"a": 2.0}
    assert third.connections == [connection("d")]
    assert between(first, second).by_session == {}


def test_across_a_restart_nothing_is_subtracted() -> None:
    """The counts began again, and a rate below zero is none."""
    first = Look(at=0.0, numbers=numbers(events=1000, uptime=500.0), sessions=[session()])
    second = Look(at=1.0, numbers=numbers(events=3, uptime=0.5), sessions=[session()])
    assert between(first, second) == Pace(seconds=1.0)


def test_between_a_look_and_itself_nothing_has_happened() -> None:
    """No time is no reason to divide by it."""
    look = Look(at=1.0, numbers=numbers(), sessions=[session()])
    assert between(look, look) == Pace(seconds=0.0)


def test_a_histogram_that_was_not_there_before_counts_as_a_whole() -> None:
    """The gateway has begun to tell it."""
    first = Look(at=0.0, numbers=numbers())
    second = Look(at=1.0, numbers=numbers(), histograms={"new": Distribution(BOUNDS, [1, 0, 0, 0])})
    assert between(first, second).lags == {"new": Distribution(BOUNDS, [1, 0, 0, 0])}
