"""Several principals at one gateway, over real sockets and a real file: what is shared, and how that ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.principal import Credentials, Principal, Scope
from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.connection.raw_client import RawClient

pytestmark = pytest.mark.integration

EVERYTHING_BUT_ADMIN = frozenset(Scope) - {Scope.ADMIN}

PRINCIPALS = {
    "of ann": Principal("ann", EVERYTHING_BUT_ADMIN),
    "of bob": Principal("bob", EVERYTHING_BUT_ADMIN),
    "of a screen": Principal("screen", frozenset({Scope.CHANNELS})),
    "of a meter": Principal("meter", frozenset({Scope.METRICS})),
}


async def who(credentials: Credentials) -> Principal | None:
    """A token each."""
    return PRINCIPALS.get(credentials.token or "")


async def echo(turn: Turn) -> None:
    """Say what was said."""
    await turn.token(turn.message.content)


class House:
    """One gateway after the other on the same file, and clients of the one that runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def open(self, **settings: Any) -> AsyncIterator[House]:
        """A gateway that runs as long as the block does."""
        config = GatewayConfig(bind="127.0.0.1:0", **settings)
        self.gateway = Gateway(config, agent=echo, storage=SQLiteStorage(self._path), authenticate=who)
        async with trio.open_nursery() as nursery, AsyncExitStack() as self._streams:
            [self._address] = await nursery.start(self.gateway.serve)
            yield self
            await self.gateway.stop()

    async def dial(self) -> RawClient:
        """A connection that has said nothing."""
        stream = await trio.open_tcp_stream(self._address.host, self._address.port)
        return RawClient(await self._streams.enter_async_context(stream))

    async def connect(self, token: str, **fields: object) -> tuple[RawClient, str]:
        """A connection that watches a session."""
        client = await self.dial()
        return client, (await client.connect(auth=token, protocol=2, **fields))["session_id"]


async def command(client: RawClient, name: str, /, **args: object) -> Any:
    """The result of a command, or the code of its refusal."""
    await client.say("command", name=name, args=args)
    answer = await client.event("command_result")
    return answer["result"] if answer["ok"] else answer["error"]["code"]


async def chat(client: RawClient, content: str, session_id: str) -> str:
    """What becomes of a chat: what is answered, or the code of the refusal."""
    await client.say("chat", content=content, session_id=session_id)
    answer = await client.event("agent_token", "error")
    return str(answer.get("token") or answer["code"])


async def heard_until_pong(client: RawClient) -> list[str]:
    """The kinds of all that comes before the answer to a ping."""
    await client.say("ping", timestamp=1)
    heard = []
    while (event := await client.event())["type"] != "pong":
        heard.append(event["type"])
    return heard


async def test_a_session_is_shared_used_and_taken_back(tmp_path: Path) -> None:
    """Unknown at first; then read, then spoken in; withdrawn, it ends for the guest, who hears no more."""
    async with House(tmp_path / "gateway.db").open() as house:
        ann, session_id = await house.connect("of ann")
        bob, his_own = await house.connect("of bob", session_id=session_id)
        assert his_own != session_id

        shown = await command(ann, "session.share", user_id="bob", access="read")
        assert shown["shares"] == {"bob": "read"}
        await bob.say("connect", session_id=session_id, protocol=2)
        assert (await bob.event("connected"))["resumed"] is True
        assert await chat(bob, "may I?", session_id) == "FORBIDDEN"
        assert await chat(ann, "look", session_id) == "look"
        assert (await bob.event("agent_token"))["token"] == "look"

        await command(ann, "session.share", user_id="bob", access="chat")
        assert await chat(bob, "thanks", session_id) == "thanks"
        assert (await ann.event("agent_token"))["token"] == "thanks"

        await command(ann, "session.share", user_id="bob", access=None)
        ended = await bob.event("session_ended")
        assert (ended["session_id"], ended["reason"]) == (session_id, "it is no longer shared with you")
        assert await chat(ann, "alone again", session_id) == "alone again"
        await house.gateway.send_to(session_id, AgentToken(session_id, "a secret"))
        assert await heard_until_pong(bob) == []
        assert await command(bob, "session.get", session_id=session_id) == "SESSION_NOT_FOUND"
        assert (await command(bob, "session.get", session_id=his_own))["access"] == "own"


async def test_what_is_shared_and_owned_outlives_the_gateway(tmp_path: Path) -> None:
    """Shares, owners of channels, and how many sessions each has."""
    house = House(tmp_path / "gateway.db")
    async with house.open():
        ann, session_id = await house.connect("of ann")
        await command(ann, "session.share", user_id="bob", access="chat")
        await command(ann, "channel.create", name="news")
    async with house.open(max_sessions_per_principal=1, max_channels_per_principal=1):
        bob, _ = await house.connect("of bob", session_id=session_id)
        assert await chat(bob, "still here", session_id) == "still here"
        assert await command(bob, "channel.delete", name="news") == "FORBIDDEN"
        listed = (await command(bob, "session.list"))["sessions"]
        assert [(each["session_id"], each["access"]) for each in listed] == [(session_id, "chat")]
        ann, _ = await house.connect("of ann", session_id=session_id)
        assert await command(ann, "channel.create", name="talk") == "LIMIT_EXCEEDED"
        assert await command(ann, "session.create") == "LIMIT_EXCEEDED"
        await ann.say("connect", protocol=2)
        refused = await ann.event("error")
        assert (refused["code"], "session.delete" in refused["message"]) == ("LIMIT_EXCEEDED", True)
        assert await command(ann, "channel.delete", name="news") == {"name": "news"}
        assert (await command(ann, "channel.create", name="talk"))["owned"] is True


async def test_a_connection_is_sent_what_its_principal_may_hear(tmp_path: Path) -> None:
    """A screen that may hear channels is sent nothing of its session; a meter is sent nothing at all."""
    async with House(tmp_path / "gateway.db").open() as house:
        screen, session_id = await house.connect("of a screen")
        await house.gateway.channels.create("news")
        await command(screen, "channel.join", name="news")
        await house.gateway.send_to(session_id, AgentToken(session_id, "a secret"))
        await house.gateway.broadcast(AgentToken("everybody", "to all"))
        await house.gateway.channels.publish("news", "hello")
        assert await heard_until_pong(screen) == ["agent_token", "channel_message"]

        meter, session_id = await house.connect("of a meter")
        await house.gateway.send_to(session_id, AgentToken(session_id, "a secret"))
        await house.gateway.broadcast(AgentToken("everybody", "to all"))
        assert await heard_until_pong(meter) == []
