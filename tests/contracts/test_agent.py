"""What every agent of ours promises, whatever it is made of."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from bamboo_gateway.agents import load_agent
from bamboo_gateway.ports import Agent
from tests.agents.conversation import conversation
from tests.agents.endpoint import Asked, answer, endpoint, hang, said, status

MODULE = """
import trio
from bamboo_gateway import AgentError
from bamboo_gateway.protocol import TokenUsage

async def agent(turn):
    match turn.message.content:
        case "sleep":
            await turn.token("so")
            await trio.sleep_forever()
        case "fail":
            raise AgentError("no bamboo")
        case "recall":
            await turn.token(turn.history[0].content)
        case text:
            for letter in text:
                await turn.token(letter)
    return TokenUsage(1, 2, 3)
"""


@attrs.frozen
class Case:
    """An agent, and what to say to it."""

    agent: Agent
    sleep: str = "sleep"
    """Is never answered to the end."""
    fail: str = "fail"
    recall: str = "recall"
    """Is answered by what was said before."""


@asynccontextmanager
async def echo(directory: Path) -> AsyncIterator[Case]:
    """The echo agent obeys commands."""
    agent = load_agent("echo", {"word_interval": 0}, environ={})
    yield Case(agent, sleep="/sleep 3600", fail="/fail no bamboo", recall="/history")


@asynccontextmanager
async def imported(directory: Path) -> AsyncIterator[Case]:
    """An agent of the user's own."""
    (directory / "contract_agent.py").write_text(MODULE)
    yield Case(load_agent("python:contract_agent:agent"))
    del sys.modules["contract_agent"]


@asynccontextmanager
async def openai(directory: Path) -> AsyncIterator[Case]:
    """A model that does what it is told."""

    async def model(stream: trio.SocketStream, asked: Asked) -> None:
        messages = [message["content"] for message in asked.body["messages"]]
        # Questions that were never answered come along, above the newest.
        question = messages[-1].rpartition("\n\n")[2]
        replies = {
            "sleep": hang(said("so")),
            "fail": status(400, {"error": {"message": "no bamboo"}}),
            "recall": answer(messages[0]),
        }
        await replies.get(question, answer(*question))(stream, asked)

    async with endpoint(model) as script:
        yield Case(load_agent("openai", {"model": "m", "base_url": script.url}, environ={}))


@pytest.fixture(params=[echo, imported, openai], ids=lambda adapter: adapter.__name__)
async def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Case]:
    """Each adapter in turn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("NO_PROXY", "*")
    adapter: Callable[[Path], AbstractAsyncContextManager[Case]] = request.param
    async with adapter(tmp_path) as case:
        yield case


async def test_it_answers_in_tokens_and_tells_the_cost(case: Case) -> None:
    """The tokens join to the answer, and the turn ends with its usage."""
    async with conversation(case.agent) as talk:
        answer = await talk.say("to be")
    assert answer.text == "to be"
    assert len(answer.tokens) > 1
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


async def test_it_knows_what_was_said_before(case: Case) -> None:
    """The session's history is the agent's context."""
    async with conversation(case.agent) as talk:
        await talk.say("bamboo")
        assert "bamboo" in (await talk.say(case.recall)).text


async def test_it_stops_when_it_is_aborted(case: Case) -> None:
    """An abort ends the turn's task at once, and the next chat is answered as if nothing had been."""
    async with conversation(case.agent) as talk:
        await talk.begin(case.sleep)
        await talk.abort()
        assert (await talk.say("to be")).text == "to be"


async def test_it_stops_in_mid_answer(case: Case) -> None:
    """The same when part of the answer, if the agent gives one, is out."""
    async with conversation(case.agent) as talk:
        await talk.begin(case.sleep)
        if not case.sleep.startswith("/"):
            await talk.answer(lambda answer: bool(answer.tokens))
        await talk.abort()
        assert (await talk.say("to be")).text == "to be"


async def test_its_failure_is_one_readable_error(case: Case) -> None:
    """A failure ends the turn with the reason, and the session lives on."""
    async with conversation(case.agent) as talk:
        assert "no bamboo" in (await talk.say(case.fail)).error
        assert (await talk.say("to be")).text == "to be"


async def test_it_serves_sessions_side_by_side(case: Case) -> None:
    """One agent answers many sessions; one of them that hangs holds up no other."""
    async with conversation(case.agent) as left, conversation(case.agent) as right:
        await left.begin(case.sleep)
        assert (await right.say("to be")).text == "to be"
        await left.abort()
