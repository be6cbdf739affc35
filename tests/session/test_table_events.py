"""The session table: an embedding program's events, and channels, with their effects and refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolStart,
    ChannelMessage,
    Chat,
    Connected,
    Error,
)
from bamboo_gateway.session.effects import SaveSession
from bamboo_gateway.session.requests import (
    OPERATOR,
    AppendEvent,
    BroadcastEvent,
    ChannelInfo,
    CreateChannel,
    GetMember,
    JoinChannel,
    LeaveChannel,
    ListChannels,
    Request,
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

# ── an embedding program's events ────────────────────────────────────────────


def test_an_embedder_s_event_goes_to_a_session_or_to_all(table: SessionTable) -> None:
    """The reply is its number in the log that it went to."""
    token = AgentToken("s1", "hi", run_id="mine")
    assert ask_and_tell(table, AppendEvent("s1", token)) == (1, [delivered(token, 1)])
    effects = [delivered(attrs.evolve(token, channel="*"), 1, "*")]
    assert ask_and_tell(table, BroadcastEvent(token)) == (1, effects)


EVERYWHERE: dict[str, Callable[[Any], Request[int]]] = {
    "to a session": lambda event: AppendEvent("s1", event),
    "to all": BroadcastEvent,
}


@pytest.mark.parametrize("make", EVERYWHERE.values(), ids=EVERYWHERE)
@pytest.mark.parametrize(
    "event",
    [
        ChannelMessage("news", "hello"),
        Connected("s1"),
        Chat("hi", "s1"),
        {"type": "agent_token"},
        AgentToken("s1", "\ud800"),
        AgentToolStart("s1", "t", args=float("nan")),
        AgentToolStart("s1", "t", args={1: 2}),
        Error("CODE", "text", retry_after=float("inf")),
        AgentComplete("s1", None),  # type: ignore[arg-type]  # the slip that is tested
    ],
    ids=["channel", "connected", "chat", "dict", "surrogate", "nan", "key", "infinity", "no usage"],
)
def test_what_no_log_takes_is_refused(
    table: SessionTable, make: Callable[[Any], Request[int]], event: object
) -> None:
    """A kind with a log of its own, what is no entry at all, and what cannot be encoded."""
    assert refusal(table, make(event)) is ErrorCode.INVALID_EVENT


def test_an_event_names_the_session_that_it_goes_to(table: SessionTable) -> None:
    """Another one's would be taken for it by the client; an error may name none."""
    assert refusal(table, AppendEvent("s1", AgentToken("s2", "a"))) is ErrorCode.INVALID_EVENT
    assert ask(table, AppendEvent("s1", Error("CODE", "text"))) == 1
    assert refusal(table, AppendEvent("nil", Error("CODE", "text"))) is ErrorCode.SESSION_NOT_FOUND


# ── channels ─────────────────────────────────────────────────────────────────


def test_a_channel_is_joined_sent_to_and_left(table: SessionTable) -> None:
    """The session's watchers follow it as long as it is a member; a message is numbered in the channel."""
    ask(table, attach("s1", handle("c2")))
    made = ask_and_tell(table, CreateChannel(caller(), "news"))
    assert made == (ChannelInfo("news", 0, joined=False, last_seq=0), [])
    assert ask_and_tell(table, JoinChannel(caller(), None, "news")) == (
        ChannelInfo("news", 1, joined=True, last_seq=0),
        [Followed("c1", "news", 0), Followed("c2", "news", 0), SaveSession(snapshot(table))],
    )
    message = ChannelMessage("news", "hello", session_id="s1", user_id="ann")
    assert ask_and_tell(table, SendToChannel(message), NOW + 1) == (
        1,
        [delivered(message, 1, "news", TS + 1000)],
    )
    assert snapshot(table).last_activity.timestamp() == NOW + 1
    assert ask(table, GetMember(caller(), None, "news")) == snapshot(table, channels=("news",))
    assert ask(table, ListChannels(caller())) == [ChannelInfo("news", 1, joined=True, last_seq=1)]
    assert ask_and_tell(table, LeaveChannel(caller(), "s1", "news")) == (
        ChannelInfo("news", 0, joined=False, last_seq=1),
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
