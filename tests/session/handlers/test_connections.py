"""The session table: which logs a connection follows, by what its principal may hear."""

from __future__ import annotations

from itertools import combinations

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.principal import Family
from bamboo_gateway.protocol.messages import AgentToken, Gap, Presence
from bamboo_gateway.session.effects import Send
from bamboo_gateway.session.requests import (
    OPERATOR,
    AppendEvent,
    CreateChannel,
    CreateSession,
    DeleteChannel,
    Detach,
    GetSession,
    JoinChannel,
    LeaveChannel,
)
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    Followed,
    Unfollowed,
    Watched,
    ask,
    attach,
    caller,
    handle,
    new_table,
    refusal,
    told,
)

ALL = [frozenset(some) for count in range(4) for some in combinations(Family, count)]
names = {"s1": Family.SESSION, "*": Family.BROADCAST, "news": Family.CHANNEL}


@pytest.fixture
def table(table: SessionTable) -> SessionTable:
    """Session s1 is in a channel, and something was said in it."""
    ask(table, CreateChannel(OPERATOR, "news"))
    ask(table, JoinChannel(caller(), "s1", "news"))
    ask(table, AppendEvent("s1", AgentToken("s1", "a")))
    return table


@pytest.mark.parametrize("hears", ALL, ids=lambda hears: "+".join(sorted(hears)) or "none")
def test_a_connection_follows_what_it_may_hear(table: SessionTable, hears: frozenset[Family]) -> None:
    """And is greeted with the cursors of nothing else."""
    request = attach("s1", handle("c2", hears=hears))
    [watched] = [each for each in told(table, request) if isinstance(each, Watched)]
    assert watched.cursors.keys() == {name for name, family in names.items() if family in hears}
    assert watched.greeting.channels == {
        name: after for name, after in watched.cursors.items() if name != "s1"
    }


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_gap_is_told_to_who_may_hear_of_the_log(table: SessionTable, is_heard: bool) -> None:
    """It says how much was said."""
    hears = frozenset(Family) if is_heard else frozenset({Family.CHANNEL, Family.BROADCAST})
    request = attach("s1", handle("c2", hears=hears), last_seq=1, epoch="older")
    gaps = [each.event for each in told(table, request) if isinstance(each, Send)]
    assert [type(each) for each in gaps if not isinstance(each, Presence)] == [Gap] * is_heard


def test_who_comes_and_goes_is_told_to_who_hears_the_session(table: SessionTable) -> None:
    """Others may watch, and do not learn who watches with them."""
    ask(table, attach("s1", handle("c2", hears=frozenset({Family.BROADCAST}))))
    told_to = [
        each.connection_id for each in told(table, attach("s1", handle("c3"))) if isinstance(each, Send)
    ]
    assert told_to == ["c1"]


def test_a_channel_is_followed_by_those_watchers_who_hear_channels(table: SessionTable) -> None:
    """From the joining of their session to the leaving, or to the channel's end."""
    ask(table, attach("s1", handle("c2", hears=frozenset({Family.SESSION}))))
    ask(table, CreateChannel(OPERATOR, "talk"))
    for end in (LeaveChannel(caller(), "s1", "talk"), DeleteChannel(OPERATOR, "talk")):
        joined = told(table, JoinChannel(caller(), "s1", "talk"))
        assert [each for each in joined if isinstance(each, Followed)] == [Followed("c1", "talk", 0)]
        assert [each for each in told(table, end) if isinstance(each, Unfollowed)] == [
            Unfollowed("c1", "talk")
        ]


def test_a_temporary_session_goes_with_its_last_watcher() -> None:
    """And counts towards no limit; one that was there before stays."""
    table = new_table(max_sessions=1)
    ask(table, CreateSession("ann", "s0"))
    first = attrs.evolve(attach(None, handle("c1")), new_session_id="s1", is_temporary=True)
    ask(table, first)
    ask(table, attrs.evolve(attach("s1", handle("c2")), is_temporary=True))
    ask(table, Detach("c1"))
    assert ask(table, GetSession(OPERATOR, "s1")).connections
    ask(table, attach("s0", handle("c2")))
    assert refusal(table, GetSession(OPERATOR, "s1")) is ErrorCode.SESSION_NOT_FOUND
    ask(table, attrs.evolve(attach("s0", handle("c3")), is_temporary=True))
    ask(table, Detach("c3"))
    ask(table, Detach("c2"))
    assert ask(table, GetSession(OPERATOR, "s0")).connections == ()
    ask(table, first)
    ask(table, Detach("c1"))
    assert table.statistics().sessions == 1
    table.validate_state()
