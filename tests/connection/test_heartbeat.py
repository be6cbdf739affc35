from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.protocol.messages import Json, TokenUsage
from bamboo_gateway.turn import Turn
from tests import plain_wire
from tests.connection.raw_client import PING, PONG, RawClient, frame
from tests.connection.stage import stage

INTERVAL = 3.0
TIMEOUT = 1.0
CONFIG = GatewayConfig(heartbeat_interval=INTERVAL, heartbeat_timeout=TIMEOUT, command_timeout=1_000)

REASON = "no answer to a ping within 1 seconds"


async def until_lost(client: RawClient) -> float:
    """Answer nothing more; return the seconds until the gateway lets go."""
    began = trio.current_time()
    while (found := await client.frame()).opcode == PING:
        pass
    assert int.from_bytes(found.payload[:2], "big") == 4004
    assert found.payload[2:].decode().startswith("no answer to a ping within ")
    return trio.current_time() - began


async def test_a_silent_client_is_pinged_and_stays_while_it_answers(autojump_clock: MockClock) -> None:
    """A ping comes every interval, and an answer, even a late one, keeps the connection."""
    async with stage(CONFIG) as parts:
        client = parts.memory()
        await client.connect()
        for _ in range(20):
            began = trio.current_time()
            ping = await client.frame()
            assert (ping.opcode, trio.current_time() - began) == (PING, INTERVAL)
            await trio.sleep(TIMEOUT - 0.125)
            await client.send(frame(PONG, ping.payload))
            await wait_all_tasks_blocked()
        assert len(parts.connections) == 1


async def test_a_client_that_talks_is_not_pinged(autojump_clock: MockClock) -> None:
    """Whatever a client sends is a sign of life."""
    async with stage(CONFIG) as parts:
        client = parts.memory()
        await client.connect()
        for number in range(20):
            await trio.sleep(INTERVAL - 0.125)
            await client.say("ping", timestamp=number)
            assert await client.event() == {"type": "pong", "timestamp": number}


@pytest.mark.parametrize(("interval", "answer_timeout"), [(3.0, 1.0), (1.0, 3.0), (2.0, 2.0), (0.25, 8.0)])
@pytest.mark.parametrize("delay", [0.0, 0.125, 1.5, 2.875])
async def test_a_peer_that_vanishes_is_noticed_in_time(
    interval: float, answer_timeout: float, delay: float, autojump_clock: MockClock
) -> None:
    """Whenever a peer falls silent, its connection ends within interval + timeout, whichever is greater."""
    config = GatewayConfig(
        heartbeat_interval=interval, heartbeat_timeout=answer_timeout, connect_timeout=10_000
    )
    async with stage(config) as parts:
        client = parts.memory()
        await client.upgrade()
        for _ in range(3):
            ping = await client.frame()
            await client.send(frame(PONG, ping.payload))
        await wait_all_tasks_blocked()
        with trio.move_on_after(delay):
            while True:
                await client.send(frame(PONG, (await client.frame()).payload))
        assert answer_timeout <= await until_lost(client) <= interval + answer_timeout
        assert parts.host.pool.statistics().closed == {"4004": 1}


async def test_a_lost_client_is_told_why(autojump_clock: MockClock) -> None:
    """The close frame of a connection that was given up says so, for whoever reads it later."""
    async with stage(CONFIG) as parts:
        client = parts.memory()
        await client.connect()
        assert (await client.frame()).opcode == PING
        assert await client.close_frame() == (4004, REASON)


async def test_a_client_that_was_not_listened_to_is_not_lost(autojump_clock: MockClock) -> None:
    """While the gateway is busy with what a client has sent, a pong may lie unread: no fault of its."""

    class Slow:
        async def __call__(self, turn: Turn) -> TokenUsage | None:
            return None

        async def call_tool(self, name: str, args: Json) -> Json:
            await trio.sleep(1.75)
            return name

    async with stage(CONFIG, Slow()) as parts:
        client = parts.memory()
        await client.connect(protocol=2)
        for _ in range(8):
            await client.say("command", name="slow", args=None)
        for _ in range(8):
            answer = await client.event()
            assert (answer["type"], answer["ok"]) == ("command_result", True)
        assert TIMEOUT <= await until_lost(client) <= INTERVAL + TIMEOUT


FLOOD = (b"\x8a\x7d" + b"x" * 125) * 2_000
"""Pongs that nobody asked for: far more than a small socket buffer takes."""


async def until_flood_is_read(client: RawClient) -> int:
    """Read it; return the pings in it."""
    pongs = pings = 0
    while pongs < 2_000:
        opcode = (await client.frame()).opcode
        pongs += opcode == PONG
        pings += opcode == PING
    return pings


@pytest.mark.parametrize("is_pinged", [False, True])
async def test_a_stalled_client_is_left_to_the_writer(mock_clock: MockClock, *, is_pinged: bool) -> None:
    """A ping that waits behind other bytes proves nothing; the write deadline (here far off) decides."""
    config = GatewayConfig(heartbeat_interval=INTERVAL, heartbeat_timeout=TIMEOUT, write_timeout=10_000)
    async with stage(config) as parts:
        client = parts.socket(4_096)
        await client.connect()
        await wait_all_tasks_blocked()
        if is_pinged:
            mock_clock.jump(INTERVAL)
            await wait_all_tasks_blocked()
        [connection] = parts.connections
        connection.outbox.push(FLOOD)
        connection.outbox.flush()
        for _ in range(10):
            await wait_all_tasks_blocked()
            mock_clock.jump(INTERVAL)
        await wait_all_tasks_blocked()
        assert connection.closing is None
        assert await until_flood_is_read(client) == is_pinged
        await wait_all_tasks_blocked()
        assert not connection.outbox.behind
        await client.say("ping", timestamp=1)
        assert plain_wire.read("tagged", (await client.frame()).payload.decode())["type"] == "pong"


async def test_who_was_not_pinged_owes_no_answer(mock_clock: MockClock) -> None:
    """A client that was behind when its ping was due, and has caught up since, is pinged, not judged."""
    async with stage(CONFIG) as parts:
        client = parts.socket(4_096)
        await client.connect()
        await wait_all_tasks_blocked()
        [connection] = parts.connections
        connection.outbox.push(FLOOD)
        connection.outbox.flush()
        mock_clock.jump(INTERVAL)
        assert await until_flood_is_read(client) == 0
        await wait_all_tasks_blocked()
        mock_clock.jump(TIMEOUT)
        assert (await client.frame()).opcode == PING
        assert connection.closing is None


async def test_a_stall_of_the_event_loop_loses_nobody(mock_clock: MockClock) -> None:
    """When nothing ran for a while, and an answer and its deadline come together, the answer counts."""
    async with stage(CONFIG) as parts:
        for _ in range(20):  # trio runs what is due at the same moment in a random order
            client = parts.socket()
            await client.connect()
            await wait_all_tasks_blocked()
            mock_clock.jump(INTERVAL)
            ping = await client.frame()
            await wait_all_tasks_blocked()
            client.send_now(frame(PONG, ping.payload))
            mock_clock.jump(TIMEOUT + 1)
            await wait_all_tasks_blocked()
            assert parts.connections
            await client.leave()
            await parts.until_empty()
        assert set(parts.host.pool.statistics().closed) == {"1006"}
