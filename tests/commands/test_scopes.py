"""Who may do what: the whole table of commands, and chats, by each scope and none, over real connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.client import Client, RefusedError, connect
from bamboo_gateway.commands import COMMANDS, CommandSpec
from bamboo_gateway.commands.channel import NoArgs
from bamboo_gateway.commands.gateway import PingArgs, PingResult, ping
from bamboo_gateway.principal import Credentials, Principal, Scope
from bamboo_gateway.protocol.messages import Json

ANY = "any"

# Written out by hand, and not derived from the table that it is to judge.
ALLOWED: Mapping[str, str] = {
    "ping": ANY,
    "status": ANY,
    "help": ANY,
    "auth.refresh": ANY,
    "session.list": "sessions:read",
    "session.get": "chat sessions:read",
    "session.create": "sessions:write",
    "session.rename": "sessions:write",
    "session.set_metadata": "sessions:write",
    "session.delete": "sessions:write",
    "session.history": "chat sessions:read",
    "session.abort": "chat sessions:write",
    "session.share": "sessions:write",
    "channel.list": "channels",
    "channel.create": "channels",
    "channel.join": "channels",
    "channel.leave": "channels",
    "channel.send": "channels",
    "channel.delete": "channels",
    "broadcast.send": "broadcast",
    "presence.list": "chat sessions:read",
    "connection.list": "admin",
    "gateway.info": ANY,
    "gateway.stats": "metrics",
    # What is in no row is the agent's, and so is a chat.
    "a.tool": "chat",
}

ARGS: Mapping[str, dict[str, Json]] = {
    "session.rename": {"name": "tea"},
    "session.set_metadata": {"metadata": {}},
    "channel.create": {"name": "talk"},
    "channel.join": {"name": "news"},
    "channel.leave": {"name": "news"},
    "channel.send": {"name": "news", "content": "hello"},
    "session.share": {"user_id": "bob", "access": "read"},
    "channel.delete": {"name": "talk"},
    "broadcast.send": {"content": "hello"},
}
"""Of those that need some."""

HOLDERS = list(map(str, Scope))
"""Each is the token of who has this scope alone."""


async def authenticate(credentials: Credentials) -> Principal | None:
    """A token names the scope that it has, or is nobody's."""
    if credentials.token not in [*HOLDERS, "none"]:
        return None
    return Principal("ann", frozenset(scope for scope in Scope if scope == credentials.token))


class Agent:
    """Answers whatever it is asked."""

    async def __call__(self, turn: Turn) -> None:
        """Say nothing."""

    async def call_tool(self, name: str, args: Json) -> Json:
        """Do nothing."""
        return "done"


@asynccontextmanager
async def gateway() -> AsyncIterator[str]:
    """The address of one that has a channel."""
    served = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=Agent(), authenticate=authenticate)
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(served.serve)
        await served.channels.create("news")
        yield f"ws://{address}"
        await served.stop()


async def code_of(client: Client, name: str, args: Json) -> str:
    """What comes of a command: `ok`, or the code of its refusal."""
    try:
        await client.command(name, args)
    except RefusedError as error:
        return error.code
    return "ok"


def is_allowed(name: str, holder: str) -> bool:
    """As the table above has it; an operator may do everything."""
    return ALLOWED[name] == ANY or holder == "admin" or holder in ALLOWED[name].split()


def test_every_command_stands_in_the_expectations() -> None:
    """A new one has to be thought about here, too."""
    assert set(ALLOWED) == {*COMMANDS, "a.tool"}


@pytest.mark.parametrize("holder", HOLDERS)
async def test_each_command_is_open_to_its_scopes_and_to_nobody_else(holder: str) -> None:
    """Whoever lacks them is told which, before anything that they sent was looked at."""
    async with gateway() as url, connect(url, token=holder, reconnect=None) as client:
        if is_allowed("channel.join", holder):
            assert await code_of(client, "channel.join", {"name": "news"}) == "ok"
        # The last ones take away what others need.
        order = sorted(
            ALLOWED, key="channel.leave channel.delete session.delete".find
        )  # these take away what others need
        for name in order:
            args = {"auth": holder} if name == "auth.refresh" else ARGS.get(name, {})
            if is_allowed(name, holder):
                assert await code_of(client, name, args) == "ok", name
                continue
            with pytest.raises(RefusedError) as caught:
                await client.command(name, {"name": ["no", "such"], "limit": "x"})
            assert caught.value.code == "FORBIDDEN", name
            for scope in ALLOWED[name].split():
                assert scope in caught.value.message


async def test_a_token_without_a_scope_opens_nothing() -> None:
    """There is nothing that it could be used for."""
    async with gateway() as url:
        with pytest.raises(RefusedError) as caught:
            async with connect(url, token="none", reconnect=None):
                pass
    assert caught.value.code == "FORBIDDEN"


@pytest.mark.parametrize("holder", HOLDERS)
async def test_chats_are_open_to_their_scopes(holder: str) -> None:
    """To the agent with one, to a channel with the other."""
    async with gateway() as url, connect(url, token=holder, reconnect=None) as client:
        for metadata, scope in ((None, "chat"), ({"channel": "news"}, "channels")):
            with (
                pytest.raises(RefusedError) if holder not in (scope, "admin") else trio.CancelScope() as told
            ):
                if scope == "channels" and holder in (scope, "admin"):
                    await client.command("channel.join", {"name": "news"})
                await client.chat("hello", metadata=metadata)
            if isinstance(told, pytest.ExceptionInfo):
                assert told.value.code == "FORBIDDEN"
                assert f"takes the scope {scope}, which" in told.value.message


@pytest.mark.parametrize("holder", HOLDERS)
async def test_help_shows_what_the_caller_may_run(holder: str) -> None:
    """And no more; each with what it takes."""
    async with gateway() as url, connect(url, token=holder, reconnect=None) as client:
        shown: Any = await client.command("help")
        expected = [name for name in COMMANDS if is_allowed(name, holder)]
        assert [each["name"] for each in shown["commands"]] == expected
        for each in shown["commands"]:
            told = " ".join(sorted(each["scopes"])) or ANY
            assert told == " ".join(sorted(ALLOWED[each["name"]].split()))
        for name in COMMANDS:
            code = await code_of(client, "help", {"name": name})
            assert code == ("ok" if is_allowed(name, holder) else "UNKNOWN_COMMAND")


def test_a_row_without_scopes_cannot_be_made() -> None:
    """Not to think of them is an error at the import, and never an open door."""
    with pytest.raises(TypeError, match="scopes"):
        CommandSpec("ping", "Ask.", PingArgs, PingResult, ping)  # type: ignore[call-arg]  # the slip
    spec = CommandSpec("ping", "Ask.", NoArgs, PingResult, ping, scopes=frozenset({Scope.METRICS}))
    assert spec.is_open_to(Principal("ann", frozenset({Scope.METRICS})))
    assert spec.is_open_to(Principal("ann", frozenset({Scope.ADMIN})))
    assert not spec.is_open_to(Principal("ann", frozenset(Scope) - {Scope.METRICS, Scope.ADMIN}))
    assert not spec.is_open_to(Principal("ann"))
