from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.client.cursors import Cursors
from bamboo_gateway.protocol import (
    AgentToken,
    ChannelMessage,
    Connect,
    Connected,
    Error,
    Gap,
    GatewayEvent,
    Pong,
    Presence,
)
from bamboo_gateway.protocol.messages import MAX_CHANNEL_CURSORS
from tests.client.logs import Gateway, Line

HELLO = Connect(None, "token", protocol=2)


def connected(
    session_id: str = "s", *, epoch: str = "e1", last_seq: int = 0, resumed: bool = False
) -> Connected:
    """What a gateway greets with."""
    return Connected(session_id, epoch=epoch, last_seq=last_seq, resumed=resumed)


def token(seq: int, channel: str | None = None) -> AgentToken:
    """An event of a log."""
    return AgentToken("s", "x", seq=seq, channel=channel)


def message(seq: int, channel: str = "news") -> ChannelMessage:
    """An event of a channel."""
    return ChannelMessage(channel, "x", seq=seq)


def gap(earliest: int, latest: int, *, epoch: str = "e1", channel: str | None = None) -> Gap:
    """Events are missing."""
    return Gap(requested=1, earliest=earliest, latest=latest, epoch=epoch, channel=channel)


def admitted(cursors: Cursors, *events: GatewayEvent) -> list[GatewayEvent]:
    """Those that are new."""
    return [event for event in events if cursors.admit(event)]


def resumes(cursors: Cursors, **expected: Any) -> None:
    """Check what is sent in `connect`: by default what the one `connected` above makes."""
    default: dict[str, Any] = {"session_id": "s", "last_seq": 0, "epoch": "e1"}
    assert cursors.resume(HELLO) == attrs.evolve(HELLO, **default | expected)


# ── what is asked for ────────────────────────────────────────────────────────


def test_who_has_read_nothing_goes_on_where_it_came_in() -> None:
    """`connected.last_seq` is the cursor until an event comes."""
    resumes(Cursors(connected(last_seq=7)), last_seq=7)


def test_the_cursor_follows_the_events() -> None:
    """Whatever else comes between them."""
    cursors = Cursors(connected(last_seq=7))
    admitted(cursors, token(8), Pong(1), Error("QUEUE_FULL", "no"), token(9))
    resumes(cursors, last_seq=9)


def test_each_log_has_a_cursor_of_its_own() -> None:
    """Broadcasts and channels are told by `channel`, whatever kind of event it is."""
    cursors = Cursors(connected())
    admitted(cursors, token(1), token(40, "*"), message(5), message(9, "other"), message(6), token(2))
    resumes(cursors, last_seq=2, channels={"*": 40, "news": 6, "other": 9})


def test_what_was_asked_for_first_is_asked_for_again() -> None:
    """Except for the session alone: others may have come since then."""
    hello = Connect("old", "token", protocol=2, exclusive=True, replay="exact")
    assert Cursors(connected()).resume(hello) == attrs.evolve(
        hello, session_id="s", last_seq=0, epoch="e1", exclusive=None
    )


def test_a_client_of_many_channels_keeps_a_bounded_number_of_cursors() -> None:
    """Those it heard from last, and the broadcasts': more would be no valid `connect`."""
    cursors = Cursors(connected())
    admitted(cursors, token(1, "*"))
    for number in range(MAX_CHANNEL_CURSORS + 5):
        cursors.admit(message(1, str(number)))
    channels = cursors.resume(HELLO).channels
    assert channels is not None
    assert len(channels) == MAX_CHANNEL_CURSORS
    assert {"*", str(MAX_CHANNEL_CURSORS + 4)} <= channels.keys()
    assert "0" not in channels


# ── what is new ──────────────────────────────────────────────────────────────


def test_what_was_seen_is_not_new() -> None:
    """An event up to the cursor of its log is dropped; others' cursors say nothing of it."""
    cursors = Cursors(connected(last_seq=2))
    events: list[GatewayEvent] = [
        token(2),
        token(3),
        token(3),
        token(1, "*"),
        token(5),
        token(4),
        message(5),
        message(5),
    ]
    assert admitted(cursors, *events) == [token(3), token(1, "*"), token(5), message(5)]


LEFT = Presence(session_id="s", event="left", connection_id="c", user_id="u", watchers=1)


@pytest.mark.parametrize("event", [Pong(1), Error("QUEUE_FULL", "no"), LEFT])
def test_what_is_in_no_log_is_always_new(event: GatewayEvent) -> None:
    """It has no number."""
    assert admitted(Cursors(connected()), event, event) == [event, event]


def test_a_gap_moves_the_cursor() -> None:
    """To before what can still be had, in the epoch that it names."""
    cursors = Cursors(connected(last_seq=2))
    assert admitted(cursors, gap(7, 9), token(6), token(7)) == [gap(7, 9), token(7)]
    assert admitted(cursors, gap(1, 3, epoch="e2"), token(1)) == [gap(1, 3, epoch="e2"), token(1)]
    resumes(cursors, last_seq=1, epoch="e2")


def test_a_gap_in_a_channel_leaves_the_session_alone() -> None:
    """Each log has its own."""
    cursors = Cursors(connected(last_seq=2))
    assert admitted(cursors, gap(7, 9, channel="news"), message(7), token(2), token(3)) == [
        gap(7, 9, channel="news"),
        message(7),
        token(3),
    ]


@pytest.mark.parametrize(
    ("earliest", "latest", "is_new"), [(3, 9, False), (6, 5, False), (7, 9, True), (1, 4, True)]
)
def test_a_gap_in_what_was_seen_is_none(earliest: int, latest: int, is_new: bool) -> None:
    """Where all that it misses had been read; a log that ends before the cursor was begun anew."""
    assert Cursors(connected(last_seq=5)).admit(gap(earliest, latest)) is is_new


# ── coming back ──────────────────────────────────────────────────────────────


def test_in_a_resumed_session_the_cursors_stay() -> None:
    """What was seen stays seen."""
    cursors = Cursors(connected())
    admitted(cursors, token(4), message(2))
    cursors.greet(connected(last_seq=6, resumed=True))
    assert admitted(cursors, token(4), token(5), message(2)) == [token(5)]
    resumes(cursors, last_seq=5, channels={"news": 2})


def test_in_a_new_session_the_cursors_begin_anew() -> None:
    """Its log is another, and it has joined no channel; broadcasts go on."""
    cursors = Cursors(connected())
    admitted(cursors, token(4), message(2), token(3, "*"))
    cursors.greet(connected("t", last_seq=1))
    assert admitted(cursors, token(2), message(1), token(3, "*")) == [token(2), message(1)]
    resumes(cursors, session_id="t", last_seq=2, channels={"*": 3, "news": 1})


def test_a_new_epoch_counts_only_once_its_gap_was_told() -> None:
    """If the connection breaks between the two, the old epoch is named again, and the gap comes again."""
    cursors = Cursors(connected())
    admitted(cursors, token(4))
    cursors.greet(connected(epoch="e2", last_seq=6, resumed=True))
    resumes(cursors, last_seq=4, epoch="e1")


def test_where_only_some_logs_have_told_of_their_gap_all_do_so_again() -> None:
    """The old epoch is named, so nothing is passed over; what was seen is not shown again."""
    cursors = Cursors(connected())
    admitted(cursors, token(4), message(3))
    cursors.greet(connected(epoch="e2", last_seq=2, resumed=True))
    admitted(cursors, gap(1, 2, epoch="e2"), token(1))
    resumes(cursors, last_seq=0, epoch="e1", channels={"news": 3}, replay="exact")
    cursors.greet(connected(epoch="e2", last_seq=2, resumed=True))
    news = gap(1, 1, epoch="e2", channel="news")
    assert admitted(cursors, gap(1, 2, epoch="e2"), news, token(1), token(2), message(1)) == [
        news,
        token(2),
        message(1),
    ]
    resumes(cursors, last_seq=2, epoch="e2", channels={"news": 1})


def test_a_channel_that_is_joined_anew_in_a_new_epoch_is_heard_from_its_first_event_on() -> None:
    """No gap comes then: the session was no member when the client came back."""
    cursors = Cursors(connected())
    admitted(cursors, message(7))
    cursors.greet(connected(epoch="e2", last_seq=0, resumed=True))
    assert admitted(cursors, gap(1, 0, epoch="e2"), message(1), message(1), message(2)) == [
        gap(1, 0, epoch="e2"),
        message(1),
        message(2),
    ]


# ── for all that can happen ──────────────────────────────────────────────────

LOGS = (None, "*", "news")

steps = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(LOGS)),
    st.tuples(st.just("cut"), st.sampled_from(LOGS)),  # the log forgets its oldest event
    st.tuples(st.just("deliver"), st.integers(1, 6)),
    st.tuples(st.just("break"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


@given(st.lists(steps, max_size=60))
def test_each_event_is_seen_once_and_in_order_or_a_gap_tells(script: list[tuple[str, Any]]) -> None:
    """However connections, logs and epochs come and go: what was neither shown nor told of does not exist."""
    gateway = Gateway(LOGS)
    line = Line(gateway)
    for name, argument in [*script, ("settle", None)]:
        match name:
            case "say":
                gateway.say(argument)
            case "cut":
                gateway.forget(argument)
            case "deliver":
                line.deliver(argument)
            case "break":
                line.reconnect()
            case "restart":
                gateway.restart()
                line.reconnect()
            case _:
                line.reconnect()
                line.deliver(10_000)
    for channel in LOGS:
        assert line.holes(channel) == []


def test_a_log_of_which_nothing_was_heard_has_a_beginning() -> None:
    """What is said in it while the client is off is not missed: `connected` tells where it ended by then."""
    cursors = Cursors(Connected("s1", epoch="e", last_seq=0, protocol=2, channels={"*": 4, "news": 0}))
    assert cursors.resume(HELLO).channels == {"*": 4, "news": 0}
    assert not cursors.admit(AgentToken("s1", "old", channel="*", seq=4))
    assert cursors.admit(AgentToken("s1", "new", channel="*", seq=5))
    cursors.greet(Connected("s1", resumed=True, epoch="e", last_seq=0, channels={"*": 9, "news": 2, "b": 7}))
    assert cursors.resume(HELLO).channels == {"*": 5, "news": 0, "b": 7}
