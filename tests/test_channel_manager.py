"""The Channel Manager: channels by name, the way of a message in, and the way out of the gateway."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from bamboo_gateway.errors import AgentError, ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import ChannelMessage
from bamboo_gateway.session.requests import OPERATOR, ChannelInfo, CreateChannel, JoinChannel
from tests.backstage import Backstage, backstage
from tests.session.tables import BOB, caller


class Letters:
    """A channel that goes on outside: it keeps what it is given, or fails."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.sent: list[ChannelMessage] = []
        self.shown: list[int] = []
        """How many messages the gateway had shown when each was sent."""
        self.fault = fault
        self.stage: Backstage | None = None

    async def send(self, message: ChannelMessage) -> None:
        """Keep it."""
        await trio.lowlevel.checkpoint()
        if self.fault:
            raise self.fault
        self.sent.append(message)
        if self.stage:
            self.shown.append(len(self.stage.events.get("post", [])))


def shown(stage: Backstage, name: str) -> list[str | None]:
    """What sessions that joined a channel were shown."""
    return [event.content for event in stage.events.get(name, []) if isinstance(event, ChannelMessage)]


async def test_outside_channels_exist_from_the_start() -> None:
    """Sessions can join them before anybody has made anything."""
    async with backstage(outside={"post": Letters(), "chat": Letters()}) as stage:
        assert [channel.name for channel in await stage.channels.list()] == ["post", "chat"]


async def test_channels_are_made_inside() -> None:
    """Each once."""
    async with backstage() as stage:
        made = await stage.channels.create("news")
        assert made == ChannelInfo("news", 0, joined=False, last_seq=0, owned=True)
        assert await stage.channels.list() == [made]
        with pytest.raises(GatewayError) as caught:
            await stage.channels.create("news")
        assert caught.value.code is ErrorCode.CHANNEL_EXISTS


async def test_a_message_is_addressed_by_its_sender() -> None:
    """It names the session and the user that it really comes from."""
    async with backstage() as stage:
        who = await stage.connect()
        await stage.channels.create("news")
        await stage.ask(JoinChannel(who, None, "news"))
        message = await stage.channels.address(who, "news", "hello", message_id="m1", metadata={"a": 1})
        assert message == ChannelMessage(
            "news", "hello", session_id="s1", user_id="ann", id="m1", metadata={"a": 1}
        )
        assert await stage.channels.address(OPERATOR, "news", "hello", session_id="s1") == ChannelMessage(
            "news", "hello", session_id="s1", user_id="local"
        )


async def test_who_has_not_joined_cannot_address_it() -> None:
    """Nor who watches nothing, nor who means somebody else's session, nor in a channel that is none."""
    async with backstage() as stage:
        who = await stage.connect()
        await stage.channels.create("news")
        for sender, name, session_id, code in (
            (who, "news", None, ErrorCode.NOT_A_MEMBER),
            (who, "nil", None, ErrorCode.CHANNEL_NOT_FOUND),
            (who, "", None, ErrorCode.CHANNEL_NOT_FOUND),
            (who, "x" * 999, None, ErrorCode.CHANNEL_NOT_FOUND),
            (caller("c9"), "news", None, ErrorCode.NOT_CONNECTED),
            (caller("c9", BOB), "news", "s1", ErrorCode.SESSION_NOT_FOUND),
        ):
            with pytest.raises(GatewayError) as caught:
                await stage.channels.address(sender, name, "hello", session_id=session_id)
            assert caught.value.code is code


async def test_what_is_shown_inside_goes_outside_then() -> None:
    """It stands in the channel before the adapter has it: no answer from outside can come ahead of it."""
    letters = Letters()
    async with backstage(outside={"post": letters}) as stage:
        letters.stage = stage
        message = ChannelMessage("post", "hello")
        await stage.channels.send(message)
        assert (letters.sent, letters.shown) == ([message], [1])
        assert shown(stage, "post") == ["hello"]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (OSError("password=1234"), "channel 'post' failed with OSError"),
        (AgentError("the post office is closed"), "the post office is closed"),
        (ExceptionGroup("", [OSError()]), "channel 'post' failed with OSError"),
    ],
    ids=["other", "agent", "group"],
)
async def test_an_outside_channel_that_fails_is_the_sender_s_error(fault: Exception, text: str) -> None:
    """It stays in the channel, so to send it again would be to say it twice; the next message may be well."""
    letters = Letters(fault)
    async with backstage(outside={"post": letters}) as stage:
        with pytest.raises(GatewayError) as caught:
            await stage.channels.send(ChannelMessage("post", "hello"))
        assert (caught.value.code, caught.value.message) == (ErrorCode.CHANNEL_ERROR, text)
        assert not caught.value.retryable
        letters.fault = None
        await stage.channels.send(ChannelMessage("post", "again"))
        assert shown(stage, "post") == ["hello", "again"]
        assert [message.content for message in letters.sent] == ["again"]


async def test_an_outside_channel_that_hangs_is_given_up(autojump_clock: MockClock) -> None:
    """Its sender's connection waits for it, and must not do so for ever."""

    class Silence:
        async def send(self, message: ChannelMessage) -> None:
            await trio.sleep_forever()

    async with backstage(outside={"post": Silence()}) as stage:
        with pytest.raises(GatewayError) as caught:
            await stage.channels.send(ChannelMessage("post", "hello"))
        assert caught.value.message == "channel 'post' failed with TooSlowError"


async def test_what_comes_from_outside_is_published() -> None:
    """It is shown to who has joined, and not sent back to where it came from."""
    letters = Letters()
    async with backstage(outside={"post": letters}) as stage:
        await stage.channels.publish("post", "hello", user_id="eve", metadata={"a": 1})
        [event] = stage.events["post"]
        assert isinstance(event, ChannelMessage)
        assert (event.content, event.user_id, event.session_id, event.metadata, event.seq) == (
            "hello",
            "eve",
            None,
            {"a": 1},
            1,
        )
        assert letters.sent == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("nil", "hello", ErrorCode.CHANNEL_NOT_FOUND), ("post", "\ud800", ErrorCode.INVALID_EVENT)],
)
async def test_what_cannot_be_published_is_refused(name: str, content: str, code: ErrorCode) -> None:
    """No such channel, or no text that a frame could carry."""
    async with backstage(outside={"post": Letters()}) as stage:
        with pytest.raises(GatewayError) as caught:
            await stage.channels.publish(name, content)
        assert caught.value.code is code


async def test_a_channel_can_be_deleted() -> None:
    """Whoever has made it; one that is unknown is an error."""
    async with backstage() as stage:
        await stage.ask(CreateChannel(await stage.connect(), "ann's"))
        await stage.channels.delete("ann's")
        assert await stage.channels.list() == []
        with pytest.raises(GatewayError) as caught:
            await stage.channels.delete("ann's")
        assert caught.value.code is ErrorCode.CHANNEL_NOT_FOUND
