"""The session table: channels, with the effects of each request and why it is refused."""

from __future__ import annotations

import attrs

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import (
    ChannelMessage,
)
from bamboo_gateway.session.effects import DropChannel, SaveChannel, SaveSession
from bamboo_gateway.session.requests import (
    OPERATOR,
    ChannelInfo,
    CreateChannel,
    DeleteChannel,
    Detach,
    GetMember,
    JoinChannel,
    LeaveChannel,
    ListChannels,
    RefreshSessions,
    RestoreSession,
    SendToChannel,
    Tidy,
)
from bamboo_gateway.session.stored import StoredChannel, StoredSession, StoredState
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    BOB,
    EPOCH,
    NOW,
    TS,
    Followed,
    Unfollowed,
    ask,
    ask_and_tell,
    attach,
    caller,
    delivered,
    handle,
    plain,
    refusal,
    snapshot,
    stored,
    told,
)


def test_a_channel_is_joined_sent_to_and_left(table: SessionTable) -> None:
    """The session's watchers follow it as long as it is a member; a message is numbered in the channel."""
    ask(table, attach("s1", handle("c2")))
    made = ask_and_tell(table, CreateChannel(caller(), "news"))
    assert made == (ChannelInfo("news", 0, joined=False, last_seq=0, owned=True), [])
    assert ask_and_tell(table, JoinChannel(caller(), None, "news")) == (
        ChannelInfo("news", 1, joined=True, last_seq=0, owned=True),
        [Followed("c1", "news", 0), Followed("c2", "news", 0), SaveSession(snapshot(table))],
    )
    message = ChannelMessage("news", "hello", session_id="s1", user_id="ann")
    assert ask_and_tell(table, SendToChannel(message), NOW + 1) == (
        1,
        [delivered(message, 1, "news", TS + 1000)],
    )
    assert snapshot(table).last_activity.timestamp() == NOW + 1
    assert ask(table, GetMember(caller(), None, "news")) == snapshot(table, channels={"news": -1})
    assert ask(table, ListChannels(caller())) == [ChannelInfo("news", 1, joined=True, last_seq=1, owned=True)]
    assert ask_and_tell(table, LeaveChannel(caller(), "s1", "news")) == (
        ChannelInfo("news", 0, joined=False, last_seq=1, owned=True),
        [Unfollowed("c1", "news"), Unfollowed("c2", "news"), SaveSession(snapshot(table))],
    )


def test_a_message_from_outside_needs_no_member(table: SessionTable) -> None:
    """It reaches who has joined, and names no session."""
    ask(table, CreateChannel(OPERATOR, "news"))
    message = ChannelMessage("news", "hello")
    assert told(table, SendToChannel(message)) == [delivered(message, 1, "news")]


def test_who_may_not_send_changes_nothing(table: SessionTable) -> None:
    """No channel, no member, no session, no JSON."""
    ask(table, CreateChannel(OPERATOR, "news"))
    member = ChannelMessage("news", "hello", session_id="s1")
    assert refusal(table, SendToChannel(ChannelMessage("nil", "x"))) is ErrorCode.CHANNEL_NOT_FOUND
    assert (
        refusal(table, SendToChannel(attrs.evolve(member, session_id="nil"))) is ErrorCode.SESSION_NOT_FOUND
    )
    assert refusal(table, SendToChannel(member)) is ErrorCode.NOT_A_MEMBER
    assert refusal(table, GetMember(caller(), None, "news")) is ErrorCode.NOT_A_MEMBER
    ask(table, JoinChannel(caller(), None, "news"))
    broken = attrs.evolve(member, metadata={"a": float("nan")})
    assert refusal(table, SendToChannel(broken), NOW + 1) is ErrorCode.INVALID_EVENT


def test_channels_have_a_limit(table: SessionTable) -> None:
    """A client that loops must not fill the memory."""
    ask(table, CreateChannel(caller(), "a"))
    assert refusal(table, CreateChannel(caller(), "a")) is ErrorCode.CHANNEL_EXISTS
    assert refusal(table, CreateChannel(caller(), "*")) is ErrorCode.CHANNEL_EXISTS
    ask(table, CreateChannel(caller(), "b"))
    assert refusal(table, CreateChannel(caller(), "c")) is ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, JoinChannel(caller(), None, "c")) is ErrorCode.CHANNEL_NOT_FOUND
    assert refusal(table, LeaveChannel(caller(), None, "a")) is ErrorCode.NOT_A_MEMBER


def test_to_join_twice_changes_nothing(table: SessionTable) -> None:
    """A command that is said again without an id is answered alike, and nobody begins to read anew."""
    ask(table, CreateChannel(caller(), "news"))
    joined = ask(table, JoinChannel(caller(), None, "news"))
    assert table.handle(JoinChannel(caller(), None, "news"), NOW) == (joined, [])


# ── whose they are, and their end ────────────────────────────────────────────


def test_a_channel_is_its_maker_s(table: SessionTable) -> None:
    """What an operator has made is the gateway's; who may delete one is shown it."""
    assert stored(table.handle(CreateChannel(caller(), "ann's"), NOW)[1]) == [
        SaveChannel(-1, "ann's", 0, "ann")
    ]
    assert stored(table.handle(CreateChannel(OPERATOR, "all's"), NOW)[1]) == [SaveChannel(-2, "all's", 0)]
    for who, owned in ((caller(), ["ann's"]), (caller("c2", BOB), []), (OPERATOR, ["ann's", "all's"])):
        assert [each.name for each in ask(table, ListChannels(who)) if each.owned] == owned


def test_who_has_not_made_it_does_not_end_it(table: SessionTable) -> None:
    """Its members no more than others; an operator may."""
    ask(table, CreateChannel(caller(), "ann's"))
    ask(table, CreateChannel(OPERATOR, "all's"))
    ask(table, attach(None, handle("c2", "bob"), new_session_id="s2"))
    bob = caller("c2", BOB)
    ask(table, JoinChannel(bob, None, "ann's"))
    assert refusal(table, DeleteChannel(bob, "ann's")) is ErrorCode.FORBIDDEN
    assert refusal(table, DeleteChannel(caller(), "all's")) is ErrorCode.FORBIDDEN
    assert refusal(table, DeleteChannel(caller(), "nil")) is ErrorCode.CHANNEL_NOT_FOUND
    assert refusal(table, DeleteChannel(OPERATOR, "*")) is ErrorCode.CHANNEL_NOT_FOUND
    assert [ask(table, DeleteChannel(OPERATOR, name)) for name in ("ann's", "all's")] == ["ann's", "all's"]


def test_with_a_channel_its_members_and_its_log_go(table: SessionTable) -> None:
    """Watchers follow it no longer; the next one of that name is another channel, and counts from 1."""
    ask(table, CreateChannel(caller(), "news"))
    ask(table, JoinChannel(caller(), None, "news"))
    ask(table, SendToChannel(ChannelMessage("news", "hello", session_id="s1")))
    reply, effects = table.handle(DeleteChannel(caller(), "news"), NOW)
    assert reply == "news"
    assert plain(effects) == [Unfollowed("c1", "news"), SaveSession(snapshot(table))]
    assert stored(effects) == [DropChannel(-1)]
    assert snapshot(table).channels == {}
    assert ask(table, ListChannels(caller())) == []
    ask(table, CreateChannel(caller(), "news"))
    assert ask(table, JoinChannel(caller(), None, "news")) == ChannelInfo(
        "news", 1, joined=True, last_seq=0, owned=True
    )
    assert snapshot(table).channels == {"news": -2}


def test_who_slept_meanwhile_is_no_member_of_the_next_of_that_name(table: SessionTable) -> None:
    """What a session remembers is the channel, and not what it was called; a list knows that, too."""
    ask(table, CreateChannel(caller(), "news"))
    ask(table, JoinChannel(caller(), None, "news"))
    ask(table, Detach("c1"))
    asleep = snapshot(table)
    ask(table, Tidy(0))
    assert not table.holds("s1")
    ask(table, DeleteChannel(OPERATOR, "news"))
    ask(table, CreateChannel(caller(), "news"))
    assert [each.channels for each in ask(table, RefreshSessions(OPERATOR, [asleep]))] == [{}]
    ask(table, RestoreSession("s1", StoredSession(asleep)))
    assert snapshot(table).channels == {}
    assert [each.members for each in ask(table, ListChannels(OPERATOR))] == [0]


def test_no_number_is_given_twice_over_a_restart(table: SessionTable) -> None:
    """A session may still name the channel that had the lowest, and was deleted."""
    table.open(StoredState(EPOCH, lowest_channel=-7, channels=[StoredChannel(-3, "news", 0, "ann")]))
    assert stored(table.handle(CreateChannel(OPERATOR, "talk"), NOW)[1]) == [SaveChannel(-8, "talk", 0)]
    assert ask(table, DeleteChannel(caller(), "news")) == "news"
