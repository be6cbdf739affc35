"""The session table: channels, with the effects of each request and why it is refused."""

from __future__ import annotations

import attrs

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import (
    ChannelMessage,
)
from bamboo_gateway.session.effects import SaveSession
from bamboo_gateway.session.requests import (
    OPERATOR,
    ChannelInfo,
    CreateChannel,
    GetMember,
    JoinChannel,
    LeaveChannel,
    ListChannels,
    SendToChannel,
)
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
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
    refusal,
    snapshot,
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
