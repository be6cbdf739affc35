"""The channel inside the gateway: a message is an entry in its log."""

from __future__ import annotations

import pytest

from bamboo_gateway.channels.local import LocalChannel
from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import ChannelMessage
from bamboo_gateway.session.requests import JoinChannel
from tests.backstage import backstage
from tests.session.tables import TS


async def test_a_message_is_shown_to_who_has_joined() -> None:
    """Numbered in the channel, with its time, as its sender has written it."""
    async with backstage() as stage:
        who = await stage.connect()
        await stage.channels.create("news")
        await stage.ask(JoinChannel(who, None, "news"))
        message = ChannelMessage("news", "hello", session_id="s1", user_id="ann", id="m1")
        await LocalChannel(stage.registry).send(message)
        assert stage.events["news"] == [
            ChannelMessage("news", "hello", session_id="s1", user_id="ann", id="m1", seq=1, ts=TS)
        ]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (ChannelMessage("nil", "hello"), ErrorCode.CHANNEL_NOT_FOUND),
        (ChannelMessage("news", "hello", session_id="s1"), ErrorCode.NOT_A_MEMBER),
        (ChannelMessage("news", "hello", session_id="nil"), ErrorCode.SESSION_NOT_FOUND),
    ],
    ids=["channel", "member", "session"],
)
async def test_who_may_not_send_is_refused(message: ChannelMessage, code: ErrorCode) -> None:
    """Nobody is shown anything then."""
    async with backstage() as stage:
        await stage.connect()
        await stage.channels.create("news")
        with pytest.raises(GatewayError) as caught:
            await LocalChannel(stage.registry).send(message)
        assert caught.value.code is code
        assert "news" not in stage.events
