"""What every adapter of `ports.Channel` promises, as the Channel Manager and its clients see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.ports import Channel
from bamboo_gateway.protocol.messages import ChannelMessage
from bamboo_gateway.session.requests import JoinChannel, LeaveChannel
from tests.backstage import Backstage, backstage
from tests.test_channel_manager import Letters

NAME = "news"

# Name of the adapter → what it is called by in the gateway: a further one joins by one line.
ADAPTERS: dict[str, Callable[[], Mapping[str, Channel]]] = {
    "local": dict,
    "outside": lambda: {NAME: Letters()},
}


async def joined(stage: Backstage) -> ChannelMessage:
    """A message of a session that has joined the channel, which is made if it is not there."""
    if not await stage.channels.list():
        await stage.channels.create(NAME)
    who = await stage.connect()
    await stage.ask(JoinChannel(who, None, NAME))
    return await stage.channels.address(who, NAME, "hello", message_id="m1", metadata={"a": 1})


@pytest.fixture(params=ADAPTERS)
def outside(request: pytest.FixtureRequest) -> Mapping[str, Channel]:
    """Each adapter in turn."""
    return ADAPTERS[request.param]()


async def test_a_message_reaches_who_has_joined(outside: Mapping[str, Channel]) -> None:
    """As it was written, once, with a number of the channel's."""
    async with backstage(outside=outside) as stage:
        message = await joined(stage)
        await stage.channels.send(message)
        await stage.channels.send(message)
        shown = stage.events[NAME]
        assert [(event.seq, event.channel) for event in shown] == [(1, NAME), (2, NAME)]
        for event in shown:
            assert isinstance(event, ChannelMessage)
            assert (event.content, event.session_id, event.user_id, event.id, event.metadata) == (
                "hello",
                "s1",
                "ann",
                "m1",
                {"a": 1},
            )


async def test_who_has_left_can_send_no_more(outside: Mapping[str, Channel]) -> None:
    """Membership is the gateway's, whichever way the channel goes on."""
    async with backstage(outside=outside) as stage:
        message = await joined(stage)
        await stage.ask(LeaveChannel(await stage.connect(), None, NAME))
        with pytest.raises(GatewayError) as caught:
            await stage.channels.send(message)
        assert caught.value.code is ErrorCode.NOT_A_MEMBER
        assert NAME not in stage.events


async def test_what_no_frame_can_carry_is_shown_to_nobody(outside: Mapping[str, Channel]) -> None:
    """The sender is told, and the channel goes on."""
    async with backstage(outside=outside) as stage:
        message = await joined(stage)
        with pytest.raises(GatewayError) as caught:
            await stage.channels.send(ChannelMessage(NAME, "\ud800", session_id="s1"))
        assert caught.value.code is ErrorCode.INVALID_EVENT
        await stage.channels.send(message)
        assert [event.seq for event in stage.events[NAME]] == [1]


async def test_what_is_published_comes_from_nobody_s_session(outside: Mapping[str, Channel]) -> None:
    """A message from outside is shown to the same sessions."""
    async with backstage(outside=outside) as stage:
        await joined(stage)
        await stage.channels.publish(NAME, "from afar", user_id="eve")
        [event] = stage.events[NAME]
        assert isinstance(event, ChannelMessage)
        assert (event.content, event.session_id, event.user_id) == ("from afar", None, "eve")
