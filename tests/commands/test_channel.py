"""The commands on channels."""

from __future__ import annotations

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import ChannelMessage
from tests.commands.test_session import Client, client
from tests.session.tables import TS


async def test_a_channel_is_made_joined_listed_and_left() -> None:
    """Each step shows the channel as the caller's session sees it."""
    async with client() as ann:
        channel = {"name": "news", "members": 0, "joined": False, "last_seq": 0, "owned": True}
        joined = channel | {"members": 1, "joined": True}
        assert await ann.get("channel.create", name="news") == channel
        assert await ann.get("channel.join", name="news") == joined
        assert await ann.get("channel.list") == {"channels": [joined]}
        assert (await ann.get("session.get"))["channels"] == ["news"]
        assert await ann.get("channel.leave", name="news") == channel


async def test_another_session_can_be_made_a_member() -> None:
    """One of the caller's."""
    async with client() as ann:
        await ann.get("channel.create", name="news")
        other = (await ann.get("session.create"))["session_id"]
        assert (await ann.get("channel.join", name="news", session_id=other))["members"] == 1
        assert (await ann.get("session.get"))["channels"] == []
        assert (await ann.get("channel.leave", other, name="news"))["members"] == 0
        theirs = (await ann.stage.sessions.create("bob")).id
        code = await ann.refused("channel.join", name="news", session_id=theirs)
        assert code == ErrorCode.SESSION_NOT_FOUND


async def test_a_message_reaches_the_channel() -> None:
    """From the session, of the user, with the client's own key."""
    async with client() as ann:
        await ann.get("channel.create", name="news")
        await ann.get("channel.join", name="news")
        sent = await ann.get("channel.send", name="news", content="hello", id="m1", metadata={"a": 1})
        assert sent == {"name": "news"}
        assert ann.stage.events["news"] == [
            ChannelMessage(
                "news",
                "hello",
                session_id="s1",
                user_id="ann",
                id="m1",
                metadata={"a": 1},
                seq=1,
                ts=TS,
            )
        ]


async def test_what_cannot_be_is_refused() -> None:
    """A name twice, no such channel, no member of it, and more than there may be."""
    async with client() as ann:
        await ann.get("channel.create", name="news")
        assert await ann.refused("channel.create", name="news") == ErrorCode.CHANNEL_EXISTS
        assert await ann.refused("channel.join", name="nil") == ErrorCode.CHANNEL_NOT_FOUND
        assert await ann.refused("channel.leave", name="news") == ErrorCode.NOT_A_MEMBER
        assert await ann.refused("channel.send", name="news", content="x") == ErrorCode.NOT_A_MEMBER
        assert await ann.refused("channel.send", name="nil", content="x") == ErrorCode.CHANNEL_NOT_FOUND
        await ann.get("channel.create", name="talk")
        assert await ann.refused("channel.create", name="more") == ErrorCode.LIMIT_EXCEEDED


async def test_who_has_made_a_channel_can_end_it() -> None:
    """Nobody else, unless they are an operator; its members are in it no longer."""
    async with client() as ann:
        bob = Client(ann.stage, await ann.stage.connect("b1", "s2", "bob"))
        await ann.get("channel.create", name="news")
        await ann.get("channel.join", name="news")
        assert (await bob.get("channel.join", name="news"))["owned"] is False
        assert await bob.refused("channel.delete", name="news") == ErrorCode.FORBIDDEN
        assert await ann.get("channel.delete", name="news") == {"name": "news"}
        assert await ann.refused("channel.delete", name="news") == ErrorCode.CHANNEL_NOT_FOUND
        assert (await ann.get("session.get"))["channels"] == []
        assert await bob.refused("channel.send", name="news", content="x") == ErrorCode.CHANNEL_NOT_FOUND
        assert await ann.get("channel.list") == {"channels": []}
