"""The echo agent: what it says, its commands, its tool."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from bamboo_gateway.agents.echo import COMMANDS, EchoAgent
from bamboo_gateway.errors import ConfigError, UnknownToolError
from bamboo_gateway.ports import ToolAgent
from tests.agents.conversation import conversation

ECHO = EchoAgent(word_interval=0)

words = st.text(st.characters(codec="utf-8"))


@given(text=words)
async def test_the_tokens_join_to_the_message(text: str) -> None:
    """Whatever is said comes back to the letter, white space and all."""
    async with conversation(ECHO) as talk:
        answer = await talk.say(f"x{text}")
    assert answer.text == f"x{text}"


async def test_each_word_is_a_token() -> None:
    """A message streams word by word, and its usage counts the words of both sides."""
    async with conversation(ECHO) as talk:
        answer = await talk.say("  to be\tor \n not")
    assert answer.tokens == ["  ", "to ", "be\t", "or \n ", "not"]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (
        4,
        4,
        8,
    )


async def test_nothing_is_answered_by_nothing() -> None:
    """An empty chat completes without a token."""
    async with conversation(ECHO) as talk:
        answer = await talk.say("")
    assert (answer.tokens, answer.usage.total_tokens) == ([], 0)


async def test_words_come_one_by_one(autojump_clock: MockClock) -> None:
    """With an interval, a word is there before the next one is due."""
    async with conversation(EchoAgent(word_interval=20)) as talk:
        await talk.begin("one two")
        first = await talk.answer(lambda answer: len(answer.tokens) == 1)
        assert first.text == "one "
        assert (await talk.answer(lambda answer: len(answer.tokens) == 2)).text == "one two"


@pytest.mark.parametrize("text", ["/usr/bin/env is a path", "/unknown", "say /fail"])
async def test_what_is_no_command_is_said_back(text: str) -> None:
    """A slash alone makes no command, and a command stands at the beginning."""
    async with conversation(ECHO) as talk:
        assert (await talk.say(text)).text == text


async def test_help_names_every_command() -> None:
    """`/help` has one line for each command."""
    async with conversation(ECHO) as talk:
        lines = (await talk.say("/help")).text.splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)


@pytest.mark.parametrize(
    ("chat", "args", "result"),
    [
        ('/tool search {"q": [1, null]}', {"q": [1, None]}, '{"q":[1,null]}'),
        ("/tool search bamboo shoots", "bamboo shoots", "bamboo shoots"),
        ("/tool search {broken", "{broken", "{broken"),
        ("/tool search 7", 7, "7"),
        ("  /tool\tsearch ", None, "null"),
    ],
)
async def test_tool_calls_a_tool(chat: str, args: object, result: str) -> None:
    """`/tool NAME ARGS` shows a call with JSON or text as its arguments, which come back as its result."""
    async with conversation(ECHO) as talk:
        answer = await talk.say(chat)
    [(start, complete)] = answer.tool_calls
    assert (start.tool, start.args) == ("search", args)
    assert (complete.tool, complete.result, complete.ok) == ("search", result, True)
    assert complete.tool_call_id == start.tool_call_id
    assert answer.text == "The tool search has answered."


async def test_sleep_answers_after_its_time(autojump_clock: MockClock) -> None:
    """`/sleep S` answers S seconds later, and says so."""
    async with conversation(ECHO) as talk:
        asked = trio.current_time()
        assert (await talk.say("/sleep 2.5")).text == "Slept for 2.5 s."
        assert trio.current_time() == pytest.approx(asked + 2.5)


async def test_fail_fails() -> None:
    """`/fail` ends in an error, in the words that it is given."""
    async with conversation(ECHO) as talk:
        assert (await talk.say("/fail")).error == "this turn was asked to fail"
        assert (await talk.say("/fail out of bamboo")).error == "out of bamboo"


async def test_tokens_streams_as_many() -> None:
    """`/tokens N` streams N tokens and counts them."""
    async with conversation(ECHO) as talk:
        answer = await talk.say("/tokens 300")
    assert answer.tokens == [f"{n} " for n in range(1, 301)]
    assert answer.usage.completion_tokens == 300


@pytest.mark.parametrize(
    "chat",
    [
        *("/sleep", "/sleep soon", "/sleep -1", "/sleep nan", "/sleep 3601", "/sleep inf"),
        *("/tokens", "/tokens many", "/tokens 0", "/tokens 1.5", "/tokens 1000001"),
        "/tool",
    ],
)
async def test_bad_arguments_are_explained(chat: str) -> None:
    """A command that cannot be obeyed says which, and gives an example."""
    async with conversation(ECHO) as talk:
        error = (await talk.say(chat)).error
    name, *_ = chat.split()
    assert error.startswith(f"{name} needs ")
    assert f"such as {name} " in error


async def test_history_tells_what_came_before() -> None:
    """`/history` lets anyone see that a session remembers."""
    async with conversation(ECHO) as talk:
        first = await talk.say("/history")
        second = await talk.say("/history")
    assert first.text == "0 messages came before this one; you last said: nothing"
    assert second.text == "2 messages came before this one; you last said: /history"


async def test_echo_is_a_tool() -> None:
    """Called as a tool, echo returns its arguments, and knows no other tool."""
    assert isinstance(ECHO, ToolAgent)
    assert await ECHO.call_tool("echo", {"a": [1]}) == {"a": [1]}
    with pytest.raises(UnknownToolError, match="not 'search'"):
        await ECHO.call_tool("search", None)


@pytest.mark.parametrize("interval", [-1, float("nan"), float("inf"), True, "1"])
def test_a_bad_interval_is_refused(interval: float) -> None:
    """The interval is a number of seconds from 0."""
    with pytest.raises(ConfigError, match=r"word_interval: .* is no number of seconds"):
        EchoAgent(word_interval=interval)
