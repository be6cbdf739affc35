"""Sockets that never finish what they began, by the thousand, while a client that behaves comes and goes."""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable, Iterator, Sequence

import pytest
import trio

from tests.cli.process import Serving, serving
from tests.connection.raw_client import RawClient, head
from tests.integration.neighbour import AGENT, beside, port_of
from tests.integration.size import is_soak

pytestmark = [pytest.mark.integration, pytest.mark.soak]

HALF_OPEN = 1000
CONNECTS = 1_000 if is_soak() else 300
"""Of the good client, meanwhile."""

PAUSE = 5.0
"""Seconds after which an attacker who was hung up on comes again: as often as the time of a head allows."""

MAX_CONNECT = 1.0
"""Seconds: what is promised of 99 of a hundred connects."""

DESCRIPTORS = 4096

ONE_ADDRESS = ["127.0.0.1"]
MANY_ADDRESSES = [f"127.0.{block}.{host}" for block in range(1, 6) for host in range(1, 101)]

SAID = {"nothing": b"", "half a head": head()[:60]}


@pytest.fixture
def served() -> Iterator[Serving]:
    """A gateway with all its limits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, DESCRIPTORS), hard))
    with serving("--agent", AGENT, "--log-level", "warning") as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, log) == (0, ""), log
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def come_from(address: str, port: int) -> trio.SocketStream:
    """A connection from one of this machine's addresses."""
    sock = trio.socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    await sock.bind((address, 0))
    await sock.connect(("127.0.0.1", port))
    return trio.SocketStream(sock)


async def connect_often(port: int, seconds: list[float]) -> None:
    """Connect like any client, again and again."""
    for _ in range(CONNECTS):
        began = trio.current_time()
        client = RawClient(await trio.open_tcp_stream("127.0.0.1", port))
        await client.connect(protocol=2)
        seconds.append(trio.current_time() - began)
        await client.leave()


class Crowd:
    """Attackers, each of which opens a new socket as soon as the gateway has closed its last."""

    def __init__(self, port: int, addresses: Sequence[str], said: bytes) -> None:
        self.opened = 0
        self.full = trio.Event()
        """Has each opened one?"""
        self._port = port
        self._addresses = addresses
        self._said = said

    async def attack(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            for number in range(HALF_OPEN):
                nursery.start_soon(self._hold, self._addresses[number % len(self._addresses)])

    async def _hold(self, address: str) -> None:
        while True:
            try:
                stream = await come_from(address, self._port)
                self.opened += 1
                if self.opened >= HALF_OPEN:
                    self.full.set()
                async with stream:
                    await stream.send_all(self._said)
                    while await stream.receive_some():
                        pass
            except (OSError, trio.BrokenResourceError):
                pass
            await trio.sleep(PAUSE)


@pytest.mark.slow
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("addresses", [ONE_ADDRESS, MANY_ADDRESSES], ids=["one address", "500 addresses"])
async def test_half_open_handshakes_keep_nobody_out(
    served: Serving, addresses: Sequence[str], said: str, report: Callable[[str], None]
) -> None:
    """
    A thousand at once: who comes like any client is let in, in less than a second.

    Also from the very address that the attackers come from. When they are gone,
    nothing of them is left.
    """
    port = port_of(served)
    seconds: list[float] = []
    async with beside(served):
        crowd = Crowd(port, addresses, SAID[said])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(crowd.attack)
            await crowd.full.wait()
            await connect_often(port, seconds)
            nursery.cancel_scope.cancel()
    seconds.sort()
    p50, p99 = (seconds[int(len(seconds) * part)] for part in (0.5, 0.99))
    report(
        f"{crowd.opened} half-open sockets that say {said}, from {len(addresses)} addresses: "
        f"{CONNECTS} connects, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
        f"worst {seconds[-1] * 1000:.0f} ms"
    )
    assert p99 < MAX_CONNECT


HEADS = {
    "many lines": head()[:-2] + b"X-Line: x\r\n" * 5_000,
    "one long line": head()[:-2] + b"X-Line: " + b"x" * 100_000,
    "a long target": b"GET /" + b"x" * 100_000,
    "a body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n" + b"x" * 100_000,
    "chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 10_000,
    "noise": bytes(range(256)) * 400,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "requests without end": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 500,
}


@pytest.mark.parametrize("kind", HEADS)
async def test_a_flood_of_heads_drowns_nobody_else(
    served: Serving, kind: str, report: Callable[[str], None]
) -> None:
    """Requests that are too much of anything, from sixteen clients at once: nobody else is cut off."""
    async with beside(served) as neighbour, trio.open_nursery() as nursery:
        for _ in range(16):
            nursery.start_soon(pour, port_of(served), HEADS[kind], 20 if is_soak() else 4)
    report(
        f"flood of heads, {kind}: the neighbour's worst answer took {max(neighbour.latencies) * 1000:.0f} ms"
    )


async def pour(port: int, data: bytes, times: int) -> None:
    """Send *data* to so many connections, one after the other, whatever is said to it."""
    for _ in range(times):
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        try:
            async with stream, trio.open_nursery() as nursery:
                nursery.start_soon(_drain, stream, nursery.cancel_scope)
                await stream.send_all(data)
                await stream.send_eof()
        except* trio.BrokenResourceError:
            pass


async def _drain(stream: trio.SocketStream, scope: trio.CancelScope) -> None:
    """Read to the end, and stop sending then."""
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass
    scope.cancel()
