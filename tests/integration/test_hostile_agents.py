"""Agents that hang, flood, raise or swallow their cancellation, on the real command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.cli.process import Serving, serving
from tests.integration.hostile_agent import SECRET
from tests.integration.neighbour import AGENT, beside, port_of
from tests.stream_client import StreamClient, dial

pytestmark = pytest.mark.integration

ENDLESS = ["hang", "flood", "swallow", "swallow and raise"]
"""They answer until they are aborted."""

FAILING = ["raise", "raise twice"]

VICTIMS = 5
"""Sessions at once whose agent behaves like that."""

MAX_GROWTH_KB = 64 * 1024
"""A flood fills its sessions' logs: 4 MiB each, and the conversation, which is not cut."""


@pytest.fixture
def served() -> Iterator[Serving]:
    """A gateway whose agent does as it is told."""
    with serving("--agent", AGENT, "--log-level", "error", "--command-timeout", "1") as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, "connection failed" in log) == (0, False), log


@asynccontextmanager
async def victim(port: int) -> AsyncIterator[StreamClient]:
    """A client whose agent will not behave."""
    async with dial("127.0.0.1", port) as client:
        await client.connect(protocol=2)
        yield client


async def ask(client: StreamClient, content: str) -> None:
    """Chat, and see the turn begin."""
    await client.say("chat", content=content, session_id=client.session_id)
    await client.next("agent_start")


async def check_well(client: StreamClient) -> None:
    """The session takes the next chat as if nothing had been."""
    await ask(client, "well again?")
    said = ""
    while (event := await client.next("agent_token", "agent_complete"))["type"] == "agent_token":
        said += event["token"]
    assert said == "well again? "


@pytest.mark.parametrize("deed", ENDLESS)
async def test_an_endless_turn_can_be_aborted(served: Serving, deed: str) -> None:
    """Who watches is told at once; nothing more is heard of the turn, and the session takes the next chat."""

    async def suffer() -> None:
        async with victim(port_of(served)) as client:
            await ask(client, deed)
            await client.next("agent_token")
            await client.say("command", name="session.abort", args={})
            ended = await client.next("error")
            assert ended["code"] == "AGENT_ABORTED", ended
            await check_well(client)

    async with beside(served, MAX_GROWTH_KB), trio.open_nursery() as nursery:
        for _ in range(VICTIMS):
            nursery.start_soon(suffer)


@pytest.mark.parametrize("deed", FAILING)
async def test_a_turn_that_raises_is_one_error(served: Serving, deed: str) -> None:
    """It says that the agent failed, not what its error held; the session takes the next chat."""

    async def suffer() -> None:
        async with victim(port_of(served)) as client:
            await ask(client, deed)
            ended = await client.next("error")
            assert ended["code"] == "AGENT_ERROR", ended
            assert SECRET not in ended["message"]
            await check_well(client)

    async with beside(served), trio.open_nursery() as nursery:
        for _ in range(VICTIMS):
            nursery.start_soon(suffer)


async def test_a_tool_that_hangs_is_given_up(served: Serving) -> None:
    """After `command_timeout` its caller is told; the others never waited."""
    async with beside(served), victim(port_of(served)) as client:
        await client.say("command", name="hang", args={})
        answer = await client.next("command_result")
        assert answer["ok"] is False, answer


@pytest.mark.parametrize("deed", ENDLESS)
async def test_the_gateway_stops_all_the_same(deed: str) -> None:
    """Whatever its agents do when they are cancelled, SIGTERM ends the process with exit code 0."""
    with serving(
        "--agent", AGENT, "--log-level", "error", "--log-max-bytes", "200000", "--drain-timeout", "0.5"
    ) as served:
        async with victim(port_of(served)) as client:
            await ask(client, deed)
            await client.next("agent_token")
            code, _, log = await trio.to_thread.run_sync(served.stop)
        assert (code, "connection failed" in log) == (0, False), log
