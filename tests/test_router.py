"""The router: chats to the agent or to a channel, commands to the table or the agent's tools, pings back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from bamboo_gateway.commands import COMMANDS
from bamboo_gateway.errors import AgentError, ErrorCode, GatewayError, UnknownToolError
from bamboo_gateway.principal import Scope
from bamboo_gateway.protocol.messages import (
    ChannelMessage,
    Chat,
    Command,
    CommandError,
    CommandResult,
    Json,
    Ping,
    Pong,
)
from bamboo_gateway.router import Response, ToAgent, ToChannel
from bamboo_gateway.session.requests import Caller, JoinChannel
from bamboo_gateway.turn import Turn
from tests.backstage import Backstage, backstage
from tests.strategies import json_values


class Toolbox:
    """An agent with tools: what a command asks of it, it does with a function."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.asked: list[tuple[str, Json]] = []

    async def __call__(self, turn: Turn) -> None:
        """Say nothing."""

    async def call_tool(self, name: str, args: Json) -> Json:
        """Do what the test wants."""
        self.asked.append((name, args))
        return await self.call()


@asynccontextmanager
async def connected(**settings: Any) -> AsyncIterator[tuple[Backstage, Caller]]:
    """A gateway, and somebody who watches session s1, which has joined channel news."""
    async with backstage(**settings) as stage:
        caller = await stage.connect(scopes=frozenset(Scope))
        await stage.channels.create("news")
        await stage.ask(JoinChannel(caller, None, "news"))
        yield stage, caller


async def test_a_ping_comes_back() -> None:
    """With its own timestamp, whatever it means."""
    async with connected() as (stage, caller):
        assert await stage.router.route(caller, Ping(-5)) == Response(Pong(-5))


# ── chats ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("metadata", [None, {}, {"topic": "tea"}, {"channel": None}])
async def test_a_chat_goes_to_the_agent(metadata: dict[str, Json] | None) -> None:
    """Unless it names a channel."""
    async with connected() as (stage, caller):
        chat = Chat("hi", "s1", metadata=metadata)
        assert await stage.router.route(caller, chat) == ToAgent(chat)


async def test_a_chat_that_names_a_channel_goes_there() -> None:
    """As its session's message, with its id and its metadata."""
    async with connected() as (stage, caller):
        chat = Chat("hi", "s1", id="m1", metadata={"channel": "news", "topic": "tea"})
        assert await stage.router.route(caller, chat) == ToChannel(
            ChannelMessage("news", "hi", session_id="s1", user_id="ann", id="m1", metadata=chat.metadata)
        )


@pytest.mark.parametrize(
    ("channel", "session_id", "code"),
    [
        (5, "s1", ErrorCode.INVALID_MESSAGE),
        (["news"], "s1", ErrorCode.INVALID_MESSAGE),
        (False, "s1", ErrorCode.INVALID_MESSAGE),
        ("news", "s2", ErrorCode.SESSION_MISMATCH),
        ("nil", "s2", ErrorCode.SESSION_MISMATCH),
        ("nil", "s1", ErrorCode.CHANNEL_NOT_FOUND),
        ("", "s1", ErrorCode.CHANNEL_NOT_FOUND),
        ("*", "s1", ErrorCode.CHANNEL_NOT_FOUND),
        ("x" * 1000, "s1", ErrorCode.CHANNEL_NOT_FOUND),
        ("talk", "s1", ErrorCode.NOT_A_MEMBER),
    ],
)
async def test_a_chat_that_can_go_nowhere_is_refused(
    channel: object, session_id: str, code: ErrorCode
) -> None:
    """No channel, none of the session's, or another session's chat."""
    async with connected() as (stage, caller):
        await stage.channels.create("talk")
        with pytest.raises(GatewayError) as caught:
            await stage.router.route(caller, Chat("hi", session_id, metadata={"channel": channel}))
        assert caught.value.code is code


# ── commands ─────────────────────────────────────────────────────────────────


async def test_a_command_is_answered_with_what_it_was_called_by() -> None:
    """Its id and its session come back, with the result or with the error."""
    async with connected() as (stage, caller):
        good = Command("ping", {"timestamp": 5}, id="m1", session_id="s1")
        bad = Command("session.get", {}, id="m2", session_id="nil")
        assert await stage.router.route(caller, good) == Response(
            CommandResult("ping", ok=True, id="m1", session_id="s1", result={"timestamp": 5})
        )
        assert await stage.router.route(caller, bad) == Response(
            CommandResult(
                "session.get",
                ok=False,
                id="m2",
                session_id="nil",
                error=CommandError(ErrorCode.SESSION_NOT_FOUND, "no session 'nil'"),
            )
        )


async def test_a_refusal_says_if_it_may_be_tried_again() -> None:
    """As the table of error codes has it."""

    async def fail(message: ChannelMessage) -> None:
        raise OSError

    class Closed:
        send = staticmethod(fail)

    async with backstage(outside={"post": Closed()}) as stage:
        caller = await stage.connect()
        await stage.ask(JoinChannel(caller, None, "post"))
        result = await stage.command(caller, "channel.send", {"name": "post", "content": "hi"})
        assert result.error == CommandError(ErrorCode.CHANNEL_ERROR, "channel 'post' failed with OSError")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("args", [[], "x", 5, True])
async def test_arguments_are_an_object(name: str, args: Json) -> None:
    """Whichever command it is."""
    async with connected() as (stage, caller):
        result = await stage.command(caller, name, args)
        assert result.error is not None
        assert result.error.code == ErrorCode.INVALID_ARGUMENTS
        assert result.error.message.startswith(f"{name}: expected an object, got ")


def arguments(name: str) -> st.SearchStrategy[tuple[str, Json]]:
    """A command, with anything at all for each of its arguments."""
    fields = [field.name for field in attrs.fields(COMMANDS[name].arguments)]
    likely = st.sampled_from(["s1", "nil", "news", "", 0, 1, 500, -1, None])
    values = dict.fromkeys([*fields, "unheard_of"], likely | json_values)
    return st.tuples(st.just(name), st.fixed_dictionaries({}, optional=values))


@given(command=st.sampled_from(sorted(COMMANDS)).flatmap(arguments))
async def test_no_arguments_break_a_command(command: tuple[str, Json]) -> None:
    """Whatever a client sends, it is answered, in a frame that can be sent."""
    async with connected() as (stage, caller):
        assert (await stage.command(caller, *command)).name == command[0]


# ── tools ────────────────────────────────────────────────────────────────────


async def test_an_unknown_command_without_tools_is_unknown() -> None:
    """A long name is not repeated whole."""
    async with connected() as (stage, caller):
        result = await stage.command(caller, "x" * 256)
        assert result.error is not None
        assert result.error.code == ErrorCode.UNKNOWN_COMMAND
        assert len(result.error.message) < 150


@given(args=json_values)
async def test_an_unknown_command_is_offered_to_the_agent(args: Json) -> None:
    """With its arguments as they came, which need be no object; its result comes back."""

    async def echo() -> Json:
        return args

    toolbox = Toolbox(echo)
    async with connected(agent=toolbox) as (stage, caller):
        assert await stage.command(caller, "weather", args) == CommandResult("weather", ok=True, result=args)
        assert toolbox.asked == [("weather", args)]


async def test_the_agent_is_not_asked_for_the_gateway_s_own_commands() -> None:
    """No tool can take the place of one."""

    async def never() -> Json:
        raise AssertionError

    async with connected(agent=Toolbox(never)) as (stage, caller):
        assert (await stage.command(caller, "ping")).ok


def nested(levels: int) -> Json:
    """Lists in lists."""
    value: Json = None
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("outcome", "code", "text"),
    [
        (UnknownToolError("which?"), ErrorCode.UNKNOWN_COMMAND, "no command or tool 'weather'"),
        (AgentError("no sky"), ErrorCode.COMMAND_FAILED, "no sky"),
        (AgentError("lone \ud800"), ErrorCode.COMMAND_FAILED, "lone ?"),
        (ValueError("key sk-123"), ErrorCode.COMMAND_FAILED, "the tool failed with ValueError"),
        (ExceptionGroup("", [AgentError("no sky")]), ErrorCode.COMMAND_FAILED, "no sky"),
        (trio.TooSlowError(), ErrorCode.COMMAND_FAILED, "the tool failed with TooSlowError"),
        (object(), ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: "),
        (float("inf"), ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: "),
        ("\ud800", ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: "),
        ({1: 2}, ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: "),
        (2**64, ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: "),
        (nested(127), ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: nesting deeper"),
        (nested(100_000), ErrorCode.COMMAND_FAILED, "the tool's result cannot be sent: nesting too deep"),
    ],
    ids=[
        *("unknown", "agent", "surrogate in error", "other", "group", "slow"),
        *("object", "infinity", "surrogate", "key", "integer", "nesting", "depth"),
    ],
)
async def test_a_tool_that_goes_wrong_is_a_command_that_failed(
    outcome: Any, code: ErrorCode, text: str
) -> None:
    """The client learns what is meant for it, in a frame that can be sent; nobody else learns of it."""

    async def act() -> Json:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async with connected(agent=Toolbox(act)) as (stage, caller):
        result = await stage.command(caller, "weather")
        assert (result.ok, result.result) == (False, None)
        assert result.error is not None
        assert (result.error.code, result.error.message.startswith(text)) == (code, True)
        assert "sk-123" not in result.error.message


async def test_the_deepest_result_that_fits_is_sent() -> None:
    """The bound is that of a frame, not one level more."""

    async def act() -> Json:
        return nested(126)

    async with connected(agent=Toolbox(act)) as (stage, caller):
        assert (await stage.command(caller, "weather")).ok


async def test_a_tool_that_takes_too_long_is_given_up(autojump_clock: MockClock) -> None:
    """It is cancelled after `command_timeout`, and the client is answered."""
    cancelled = trio.Event()

    async def sleep() -> Json:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async with connected(agent=Toolbox(sleep)) as (stage, caller):
        asked = trio.current_time()
        result = await stage.command(caller, "weather")
        assert result.error == CommandError(ErrorCode.COMMAND_FAILED, "the tool took longer than 5 seconds")
        assert trio.current_time() - asked == pytest.approx(5.0)
        assert cancelled.is_set()
