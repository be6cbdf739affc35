from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.drain import MAX_FAREWELL, PACE, RESTARTING, let_go
from bamboo_gateway.connection.outbox import Outbox
from tests.connection.raw_client import HANG, RawClient, head

RESTARTS = (1012, "the gateway restarts")


class Slow:
    """An agent that speaks when it is told to."""

    def __init__(self) -> None:
        self.speaks = trio.Event()

    async def __call__(self, turn: Turn) -> None:
        """Wait, then say what was said."""
        await self.speaks.wait()
        await turn.token(turn.message.content)


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncIterator[trio.Nursery]:
    """A gateway that serves while the block runs; with a nursery for who has to do with it."""
    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            await nursery.start(gateway.serve)
            yield nursery
            await gateway.stop()


def dialled(nursery: trio.Nursery, gateway: Gateway) -> RawClient:
    """A client that has said nothing yet."""
    ours, theirs = memory_stream_pair()
    nursery.start_soon(gateway.serve_stream, theirs)
    return RawClient(ours)


async def chatting(nursery: trio.Nursery, gateway: Gateway) -> RawClient:
    """A client whose turn runs."""
    client = dialled(nursery, gateway)
    session_id = (await client.connect(protocol=2))["session_id"]
    await client.say("chat", content="hello", session_id=session_id)
    await client.event("agent_start")
    return client


async def test_everybody_is_told_at_once_and_let_go_when_turns_are_over() -> None:
    """Who has not connected has no word for it, and is let go all the same; a crowd gets more time."""
    agent = Slow()
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=agent)
    async with serving(gateway) as nursery:
        clients = [await chatting(nursery, gateway) for _ in range(2)]
        stranger = dialled(nursery, gateway)
        await stranger.upgrade()
        nursery.start_soon(gateway.drain)
        for client in clients:
            assert await client.event("shutdown") == {
                "type": "shutdown",
                "reason": "the gateway restarts",
                "retry_after": 1.0,
                "jitter": 0.003,
            }
        assert gateway.state == "draining"
        agent.speaks.set()
        for client in clients:
            await client.event("agent_complete")
        for client in (*clients, stranger):
            assert await client.close_frame() == RESTARTS
    assert gateway.statistics().connections.closed == {"1012": 3}
    assert gateway.statistics().turns.completed == 2


async def test_a_turn_that_does_not_end_is_interrupted(autojump_clock: MockClock) -> None:
    """After `drain_timeout` it is cancelled, and the log says of how many that is true."""
    config = GatewayConfig(bind="127.0.0.1:0", drain_timeout=5.0, heartbeat_interval=1e9)
    gateway = Gateway(config, agent=Slow())
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            await nursery.start(gateway.serve)
            client = await chatting(nursery, gateway)
            began = trio.current_time()
            nursery.start_soon(gateway.drain)
            await client.event("shutdown")
            assert await client.close_frame() == RESTARTS
            assert trio.current_time() - began == pytest.approx(5.0)
            await client.leave()
    assert [line["count"] for line in logs if line["event"] == "turns interrupted"] == [1]
    assert gateway.statistics().turns.completed == 0


async def test_without_a_limit_turns_take_as_long_as_they_take(mock_clock: MockClock) -> None:
    """`drain_timeout` 0 is none."""
    agent = Slow()
    config = GatewayConfig(bind="127.0.0.1:0", drain_timeout=0, heartbeat_interval=1e9)
    gateway = Gateway(config, agent=agent)
    async with trio.open_nursery() as nursery:
        await nursery.start(gateway.serve)
        client = await chatting(nursery, gateway)
        nursery.start_soon(gateway.drain)
        await client.event("shutdown")
        mock_clock.jump(1e6)
        await wait_all_tasks_blocked()
        assert gateway.statistics().turns.running == 1
        agent.speaks.set()
        await client.event("agent_complete")
        assert await client.close_frame() == RESTARTS
        mock_clock.rate = 1.0
        await client.leave()


async def test_who_comes_while_it_drains_is_told_to_come_back() -> None:
    """A WebSocket that was opened before may still say `connect`: it is too late. No other one is opened."""
    agent = Slow()
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=agent)
    async with serving(gateway) as nursery:
        client = await chatting(nursery, gateway)
        late = dialled(nursery, gateway)
        await late.upgrade()
        nursery.start_soon(gateway.drain)
        await client.event("shutdown")
        later = dialled(nursery, gateway)
        await later.send(head())
        answer = await later.answer()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer.lower()
        await late.say("connect", protocol=2)
        error = await late.event("error")
        assert (error["code"], error["retryable"], error["retry_after"]) == ("STOPPING", True, 1.0)
        agent.speaks.set()
        await client.event("agent_complete")
        for each in (client, late):
            assert await each.close_frame() == RESTARTS


@pytest.mark.parametrize("count", [0, 1, 100, 2000, 10_000])
async def test_clients_are_let_go_one_after_the_other(count: int, autojump_clock: MockClock) -> None:
    """A millisecond each, as long as that is no more than two seconds in all."""
    connections = [Connection(Outbox(None)) for _ in range(count)]
    began = trio.current_time()
    await let_go(connections)
    took = trio.current_time() - began
    assert took == pytest.approx(min(count * PACE, MAX_FAREWELL), abs=0.002)
    assert {connection.closing for connection in connections} <= {RESTARTING}


async def test_who_slipped_in_meanwhile_is_let_go_as_well(autojump_clock: MockClock) -> None:
    """A handshake may end while the others are being let go."""
    connections = [Connection(Outbox(None)) for _ in range(100)]
    late = Connection(Outbox(None))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(let_go, connections)
        await wait_all_tasks_blocked()
        connections.append(late)
    assert late.closing is RESTARTING


async def test_a_large_crowd_is_told_in_strides() -> None:
    """The others get their turn meanwhile."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=Slow())
    async with serving(gateway) as nursery:
        clients = [dialled(nursery, gateway) for _ in range(70)]
        for client in clients:
            await client.connect(protocol=2)
        nursery.start_soon(gateway.drain)
        for client in clients:
            assert (await client.event("shutdown"))["jitter"] == pytest.approx(0.07)
            assert await client.close_frame() == RESTARTS
