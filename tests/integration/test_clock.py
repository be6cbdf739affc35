"""A wall clock that jumps, in the real command line: nobody is cut off, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import Serving, serving
from tests.integration.neighbour import beside, port_of
from tests.stream_client import StreamClient, dial

pytestmark = pytest.mark.integration

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
JUMPS = [HOUR, -HOUR, 8 * DAY, -8 * DAY, 10 * YEAR, -30 * YEAR]
"""Beyond each limit that is counted in wall-clock time: ids a day, logs a week."""


@pytest.fixture(params=["memory", "sqlite"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Serving]:
    """A gateway that looks after what is too old all the time."""
    storage = "memory:" if request.param == "memory" else f"sqlite:{tmp_path / 'sessions.db'}"
    args = ["--storage", storage, "--upkeep-interval", "0.05s", "--session-idle-timeout", "0.05s"]
    agent = "python:tests.integration.jumping_clock:agent"
    with serving("--agent", agent, "--log-level", "warning", *args) as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, log) == (0, ""), log


async def jump(client: StreamClient, seconds: float) -> None:
    """Put the gateway's clock forward, or back."""
    await client.say("command", name="jump", args={"by": seconds})
    assert (await client.next("command_result"))["ok"] is True


@pytest.mark.parametrize("seconds", JUMPS)
async def test_a_jump_cuts_nobody_off(served: Serving, seconds: float) -> None:
    """Turns that run go on, sockets stay open, chats are answered, and the neighbour notices nothing."""
    async with beside(served), dial("127.0.0.1", port_of(served)) as client:
        connected = await client.connect(protocol=2)
        await client.say("chat", content="hang", session_id=client.session_id)
        first = await client.next("agent_token")
        await jump(client, seconds)
        await client.say("command", name="session.abort", args={})
        assert (await client.next("error"))["code"] == "AGENT_ABORTED"
        await client.say("chat", content="still well", session_id=client.session_id)
        last = await client.next("agent_complete")
        assert abs((last["ts"] - first["ts"]) / 1000 - seconds) < HOUR / 2, "the clock did not jump"
        async with dial("127.0.0.1", port_of(served)) as later:
            again = await later.connect(
                protocol=2, session_id=client.session_id, last_seq=0, epoch=connected["epoch"]
            )
            assert (again["resumed"], again["last_seq"]) == (True, last["seq"])
            seq = 0
            while seq < last["seq"]:
                event = await later.next()
                assert event["type"] == "gap" or event["seq"] > seq, event
                seq = event["latest"] if event["type"] == "gap" else event["seq"]
            await later.say("command", name="session.history", args={})
            page = (await later.next("command_result"))["result"]
            said = [each["content"] for each in page["messages"] if each["role"] == "user"]
            assert said == ["hang", "still well"]
