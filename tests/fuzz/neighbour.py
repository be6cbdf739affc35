"""A live gateway with a well-behaved client, which must not notice what others do there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from hypothesis import settings
from structlog.testing import capture_logs

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.agents.echo import EchoAgent
from bamboo_gateway.config import Address
from bamboo_gateway.session.log import BROADCAST
from tests.plain_wire import Event
from tests.stream_client import HANG, StreamClient, dial

AT_MOST = settings(max_examples=min(settings().max_examples, 1000))
"""Each example is a gateway and some conversations: more of them would take too long even at night."""


class Neighbour:
    """
    A client that chats, counts and looks around.

    Invariant, which `check` proves: its pings come back, its words come back to
    the letter, and its events have neither holes nor doubles. Nor have broadcasts,
    which anybody may send where no token is asked for, and which it hears like everybody.
    """

    def __init__(self, gateway: Gateway, address: Address, client: StreamClient) -> None:
        self.address = address
        self._gateway = gateway
        self._client = client
        self._said = 0
        self._seq = 0
        self._broadcasts = 0
        self._tasks = 0
        self._descriptors = 0

    async def settle(self) -> None:
        """Connect, and take what there is now for the normal state of affairs."""
        await self._client.connect(protocol=2)
        await self.check()
        self._tasks, self._descriptors = _tasks(), _descriptors()

    async def check(self) -> None:
        """Say something and ping; both must be answered as ever."""
        self._said += 1
        await self._client.say("ping", timestamp=-self._said)
        assert await self._next() == {"type": "pong", "timestamp": -self._said}
        text = f"word {self._said} of many"
        await self._client.say("chat", content=text, session_id=self._client.session_id)
        assert await self._answer() == text

    async def _answer(self) -> str:
        said = ""
        assert (await self._next())["type"] == "chat_accepted"
        while True:
            event = await self._next()
            self._seq += 1
            assert event["seq"] == self._seq
            if event["type"] == "agent_complete":
                return said
            said += event.get("token", "")

    async def _next(self) -> Event:
        """The next event of its own, behind the broadcasts before it."""
        while (event := await self._client.next()).get("channel") == BROADCAST:
            self._broadcasts += 1
            assert (event["type"], event["seq"]) == ("channel_message", self._broadcasts)
        return event

    async def check_alone(self) -> None:
        """The same, once nothing is left of the others: no task, no descriptor, no watcher."""
        with trio.fail_after(HANG):
            while not self._is_alone():
                await trio.lowlevel.checkpoint()
        await self.check()

    def _is_alone(self) -> bool:
        found = self._gateway.statistics()
        return (
            (found.connections.open, found.registry.table.watchers, found.turns.running) == (1, 1, 0)
            and _tasks() <= self._tasks
            and _descriptors() <= self._descriptors
        )


@asynccontextmanager
async def neighbourhood() -> AsyncIterator[Neighbour]:
    """
    A gateway with its echo agent, and a neighbour that has settled there.

    Whatever happens inside the block, the gateway may not call it a failure of
    its own: nothing is logged as an error.
    """
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=EchoAgent(word_interval=0))
    with capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            [address] = await nursery.start(gateway.serve)
            async with dial(address.host, address.port) as client:
                neighbour = Neighbour(gateway, address, client)
                await neighbour.settle()
                yield neighbour
            nursery.cancel_scope.cancel()
    assert [entry for entry in logs if entry["log_level"] in ("error", "critical")] == []


def _tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


def _descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))
