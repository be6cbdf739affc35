"""The openai agent at a scripted endpoint, without patience."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bamboo_gateway.agents.openai import OpenAIAgent, OpenAISettings
from bamboo_gateway.agents.settings import read_settings
from tests.agents.conversation import conversation
from tests.agents.endpoint import Asked, Reply, endpoint

KEY = "sk-this-is-the-secret"


def agent_for(url: str, **settings: object) -> OpenAIAgent:
    """An agent that does not wait long."""
    defaults: dict[str, object] = {"model": "m", "retry_interval": 0.001, "api_key": KEY}
    return OpenAIAgent(read_settings(OpenAISettings, "openai", {"base_url": url, **defaults, **settings}, {}))


async def failure(*replies: Reply, **settings: object) -> str:
    """What the client reads of a chat that fails, after each of the replies was given once."""
    async with endpoint(*replies) as script, conversation(agent_for(script.url, **settings)) as talk:
        error = (await talk.say("hello")).error
        assert len(script.asked) == len(replies)
    assert KEY not in error
    return error


def silent_after(before: Reply, clock: MockClock, seconds: float) -> Reply:
    """Reply, and let *seconds* pass without another word."""

    async def reply(stream: trio.SocketStream, asked: Asked) -> None:
        await before(stream, asked)
        await wait_all_tasks_blocked(0.01)
        clock.jump(seconds)
        await stream.receive_some()

    return reply
