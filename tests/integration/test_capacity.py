"""As many connections as there may be, one more, some that vanish, and what is left when all are gone."""

from __future__ import annotations

import resource
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.config import Address
from bamboo_gateway.protocol import AgentToken
from tests.stream_client import HANG, StreamClient, dial

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CAPACITY = 1000
SILENT = 50
"""Half-open: they answer no ping, and never close."""
RESET = 50
"""Gone without a close frame."""
LIVING = CAPACITY - SILENT - RESET

DESCRIPTORS = 4096
"""Two for each connection, because both ends are here, and some more."""

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    heartbeat_interval=3.0,
    heartbeat_timeout=3.0,
    # A thousand at once may wait for each other.
    head_timeout=HANG,
    connect_timeout=HANG,
    # And all come from here.
    max_unauthenticated_connections=0,
    max_unauthenticated_per_address=0,
)

Part: TypeAlias = Callable[[StreamClient], Awaitable[object]]
"""What a client does once it has connected."""


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough file descriptors for both ends of every connection."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft if soft == resource.RLIM_INFINITY else max(soft, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """A thousand goodbyes need not be printed."""
    with structlog.testing.capture_logs():
        yield


async def _bring(
    count: int, address: Address, part: Part, nursery: trio.Nursery, *, answers_pings: bool = True
) -> None:
    """Let *count* clients connect, each in a task of *nursery*, in which it then does its *part*."""

    async def run(*, task_status: trio.TaskStatus[None]) -> None:
        async with dial(address.host, address.port, answers_pings=answers_pings) as client:
            assert (await client.connect())["type"] == "connected"
            task_status.started()
            await part(client)

    async with trio.open_nursery() as arrivals:
        for _ in range(count):
            arrivals.start_soon(nursery.start, run)


async def _be_refused(address: Address) -> None:
    """One too many is told so, and why, before its connection is closed."""
    async with dial(address.host, address.port) as client:
        await client.open()
        [error] = await client.until_closed()
        assert (error["type"], error["code"]) == ("error", "CAPACITY_EXCEEDED")
        assert client.protocol.closed == (1013, "the gateway is full")


async def _be_given_up(client: StreamClient) -> None:
    """A client that answers no ping is told what it has missed."""
    assert await client.until_closed() == []
    assert client.protocol.closed == (4004, "no answer to a ping within 3 seconds")


class Audience:
    """Those who stay: they answer pings, and wait for the broadcast."""

    def __init__(self) -> None:
        self.served = 0
        self.all_served = trio.Event()

    async def listen(self, client: StreamClient) -> None:
        """Hear the broadcast, and then stay."""
        assert (await client.next())["token"] == "still here?"
        self.served += 1
        if self.served == LIVING:
            self.all_served.set()
        await client.until_closed()


def _held() -> tuple[int, int]:
    """Tasks and file descriptors."""
    return trio.lowlevel.current_statistics().tasks_living, len(list(Path("/dev/fd").iterdir()))


async def _until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(HANG):
        while not is_so():
            await trio.lowlevel.checkpoint()


async def test_a_thousand_connections(descriptors: None) -> None:
    """
    All connect, the next is refused in words, those who vanish are reaped, and the rest notice nothing.

    When all are gone, neither a task nor a file descriptor is left.
    """
    gateway = Gateway(CONFIG)
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        before = _held()
        await _fill_and_thin_out(gateway, address)
        await _until(lambda: _held() == before)
        await _until(lambda: gateway.statistics().registry.inbox == 0)  # who leaves tells it, and waits not
        assert gateway.statistics().connections.open == 0
        assert gateway.statistics().registry.table.watchers == 0
        nursery.cancel_scope.cancel()


async def _fill_and_thin_out(gateway: Gateway, address: Address) -> None:
    audience, curtain = Audience(), trio.Event()

    async def vanish(client: StreamClient) -> None:
        await curtain.wait()
        await client.reset()

    async with trio.open_nursery() as living:
        await _bring(LIVING, address, audience.listen, living)
        async with trio.open_nursery() as vanishing:
            await _bring(RESET, address, vanish, vanishing)
            await _bring(SILENT, address, _be_given_up, vanishing, answers_pings=False)
            assert gateway.statistics().connections.open == CAPACITY
            await _be_refused(address)
            curtain.set()
        await _until(lambda: gateway.statistics().connections.open == LIVING)
        counts = gateway.statistics().connections
        assert counts.refused == {}
        assert counts.closed == {"1013": 1, "1006": RESET, "4004": SILENT}
        await gateway.broadcast(AgentToken("news", "still here?"))
        await audience.all_served.wait()
        async with dial(address.host, address.port) as client:  # there is room again
            await client.connect()
        living.cancel_scope.cancel()
