"""Channels inside the gateway: who has joined, who follows them, and what bounds them."""

from __future__ import annotations

import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import ChannelMessage
from bamboo_gateway.session.channels import ChannelTable
from bamboo_gateway.session.effects import SaveChannel
from bamboo_gateway.session.live import LiveSession
from bamboo_gateway.session.log import BROADCAST
from bamboo_gateway.session.requests import OPERATOR, ChannelInfo
from tests.session.tables import EPOCH, SESSION_LIMITS, Followed, Unfollowed, handle, plain, stored
from tests.session.test_live import new_session as live_session


def new_session(session_id: str = "s1", *watchers: str) -> LiveSession:
    """A session that connections watch."""
    session = live_session(session_id)
    session.watchers.update({each: handle(each) for each in watchers})
    return session


@pytest.fixture
def channels() -> ChannelTable:
    """Channels `news` and `talk`, and room for no more."""
    channels = ChannelTable(SESSION_LIMITS.log, 2, EPOCH)
    channels.create("news", None, None)
    channels.create("talk", None, None)
    return channels


def test_there_are_as_many_as_allowed(channels: ChannelTable) -> None:
    """The next one is refused; those that exist are not made again."""
    assert len(channels) == 2
    with pytest.raises(GatewayError) as full:
        channels.create("more", None, None)
    with pytest.raises(GatewayError) as twice:
        channels.create("news", None, None)
    assert (full.value.code, twice.value.code) == (ErrorCode.LIMIT_EXCEEDED, ErrorCode.CHANNEL_EXISTS)
    assert len(channels) == 2


def test_nobody_makes_the_channel_of_broadcasts() -> None:
    """Its name is taken: a client that joined it would hear each broadcast twice."""
    with pytest.raises(GatewayError) as caught:
        ChannelTable(SESSION_LIMITS.log, 2, EPOCH).create(BROADCAST, None, None)
    assert caught.value.code is ErrorCode.CHANNEL_EXISTS


def test_watchers_follow_from_now_on(channels: ChannelTable) -> None:
    """Who joins hears what comes; what was said before belongs to those who were there."""
    log = channels.log("news")
    log.show(log.append(ChannelMessage("news", "old"), 1).seq)
    session = new_session("s1", "c1", "c2")
    assert plain(list(channels.join("news", session))) == [
        Followed("c1", "news", 1),
        Followed("c2", "news", 1),
    ]
    assert session.channels == {"news": -1}
    channels.validate_state({"s1": session})


def test_to_join_twice_is_to_join(channels: ChannelTable) -> None:
    """No watcher begins anew, and one leave is enough."""
    session = new_session("s1", "c1")
    list(channels.join("news", session))
    assert list(channels.join("news", session)) == []
    assert channels.describe_one("news", OPERATOR, session).members == 1
    list(channels.leave("news", session))
    assert channels.describe_one("news", OPERATOR, session).members == 0


def test_leaving_ends_it(channels: ChannelTable) -> None:
    """The watchers follow no longer, and may not send."""
    session = new_session("s1", "c1")
    list(channels.join("news", session))
    assert plain(list(channels.leave("news", session))) == [Unfollowed("c1", "news")]
    assert session.channels == {}
    channels.validate_state({"s1": session})
    for refused in (
        lambda: list(channels.leave("news", session)),
        lambda: channels.log_for("news", session),
    ):
        with pytest.raises(GatewayError) as caught:
            refused()
        assert caught.value.code is ErrorCode.NOT_A_MEMBER


def test_an_unknown_channel_is_none(channels: ChannelTable) -> None:
    """Whatever is asked of it, that is the answer; a long name is not repeated whole."""
    session, name = new_session(), "x" * 1000
    for refused in (
        lambda: list(channels.join(name, session)),
        lambda: list(channels.leave(name, session)),
        lambda: channels.log(name),
        lambda: channels.log_for(name, session),
    ):
        with pytest.raises(GatewayError) as caught:
            refused()
        assert caught.value.code is ErrorCode.CHANNEL_NOT_FOUND
        assert len(caught.value.message) < 150


def test_a_session_that_is_no_more_is_no_member(channels: ChannelTable) -> None:
    """Its place is free everywhere."""
    session = new_session()
    list(channels.join("news", session))
    list(channels.join("talk", session))
    forgotten = list(channels.forget(session))
    assert [info.members for info in channels.describe(OPERATOR, None)] == [0, 0]
    assert stored(forgotten) == [SaveChannel(-1, "news", 0), SaveChannel(-2, "talk", 0)]


def test_a_watcher_follows_broadcasts_and_what_its_session_has_joined(channels: ChannelTable) -> None:
    """In a fixed order, whatever the order of joining."""
    session = new_session()
    assert [log.name for log in channels.logs_of(session)] == [BROADCAST]
    list(channels.join("talk", session))
    list(channels.join("news", session))
    assert [log.name for log in channels.logs_of(session)] == [BROADCAST, "news", "talk"]


def test_they_are_described_as_a_session_sees_them(channels: ChannelTable) -> None:
    """Oldest first, with their members, and whether this session is one of them."""
    session, other = new_session("s1"), new_session("s2")
    list(channels.join("talk", session))
    list(channels.join("talk", other))
    list(channels.join("news", other))
    assert channels.describe(OPERATOR, session) == [
        ChannelInfo("news", 1, joined=False, last_seq=0, owned=True),
        ChannelInfo("talk", 2, joined=True, last_seq=0, owned=True),
    ]
    assert [info.joined for info in channels.describe(OPERATOR, None)] == [False, False]
