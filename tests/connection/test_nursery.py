from __future__ import annotations

import fcntl
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import structlog
import trio
import trio.testing
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.fanout import FanoutStatistics
from bamboo_gateway.connection.host import Host
from bamboo_gateway.connection.nursery import RETRY_AFTER
from bamboo_gateway.listener.front_door import MAX_REFUSALS
from bamboo_gateway.protocol.closing import CloseCode, Closing
from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.router import MessageRouter, RouteResult
from bamboo_gateway.session.requests import AppendEvent, Caller
from tests.connection.raw_client import CLOSE, HANG, TEXT, RawClient, close, head, text
from tests.connection.stage import stage, stream_pair

STOPPING = (1001, "the gateway stops")
FAILED = (1011, "the gateway failed on this connection")
FULL = (1013, "the gateway is full")


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def reset(client: RawClient) -> None:
    """Vanish with a TCP reset."""
    assert isinstance(client.stream, trio.SocketStream)
    client.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.stream.socket.close()


# ── the boundary ─────────────────────────────────────────────────────────────


class FailingRouter(MessageRouter):
    """A router with a bug."""

    async def route(self, caller: Caller, message: object) -> RouteResult:
        """Fail as no request has ever failed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(_raise, ExceptionGroup("two", [LookupError("one"), OSError("other")])))
        raise AssertionError("unreachable")


async def _raise(error: Exception) -> None:
    raise error


def break_router(host: Host) -> None:
    """From here on its router fails."""
    router = host.router
    host.router = FailingRouter(router._services, router._agent, router._command_timeout)


async def test_an_error_that_nobody_foresaw_ends_one_connection() -> None:
    """An exception out of a task, groups included, is told (1011), logged once, and harms nobody else."""
    async with stage() as parts:
        neighbour = parts.socket()
        await neighbour.connect()
        router = parts.host.router
        break_router(parts.host)
        with structlog.testing.capture_logs() as logs:
            client = parts.socket()
            await client.connect()
            await client.say("ping", timestamp=1)
            assert await client.close_frame() == FAILED
            assert await client.end() == b""
            await client.leave()
            await parts.until_left(1)
        parts.host.router = router
        assert [log["event"] for log in logs] == ["connection failed", "connection closed"]
        assert parts.host.pool.statistics().closed == {"1011": 1}
        await neighbour.say("ping", timestamp=1)
        assert (await neighbour.event())["type"] == "pong"


async def test_a_listener_survives_an_error_that_nobody_foresaw() -> None:
    """The listener goes on accepting after a connection of its own has failed."""
    async with stage() as parts:
        break_router(parts.host)
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        parts.nursery.start_soon(partial(trio.serve_listeners, parts.door.serve_socket, listeners))
        with structlog.testing.capture_logs():
            for _ in range(3):
                client = RawClient(await trio.testing.open_stream_to_socket_listener(listeners[0]))
                parts.clients.append(client)
                await client.connect()
                await client.say("ping", timestamp=1)
                assert await client.close_frame() == FAILED


class WholeStream(trio.abc.Stream):
    """A stream of an embedder's that may fail in a way of its own, once the upgrade is through."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, fault: str = "") -> None:
        self._stream = stream
        self._fault = fault
        self._is_open = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive, or fail."""
        data = await self._stream.receive_some(max_bytes)
        self._fail("receive_some")
        return bytes(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or fail."""
        self._fail("send_all")
        await self._stream.send_all(data)
        self._is_open = True

    async def wait_send_all_might_not_block(self) -> None:
        """As the real one."""
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """As the real one."""
        await self._stream.aclose()

    def _fail(self, what: str) -> None:
        if self._is_open and self._fault == what:
            raise ZeroDivisionError(what)


class OddStream(WholeStream, trio.abc.HalfCloseableStream):
    """The same, half-closeable."""

    async def send_eof(self) -> None:
        """Send the end, or fail."""
        self._fail("send_eof")
        await self._stream.send_eof()


@pytest.mark.parametrize("fault", ["receive_some", "send_all", "send_eof"])
async def test_a_stream_that_fails_in_a_way_of_its_own(fault: str, autojump_clock: MockClock) -> None:
    """Whichever task meets it, reader, writer or goodbye: the connection ends, and nothing else does."""
    async with stage() as parts:
        ours, theirs = memory_stream_pair()
        client = parts.serve(ours, OddStream(theirs, fault))
        with structlog.testing.capture_logs() as logs:
            await client.upgrade()
            await client.say("connect")
            if fault == "send_eof":
                await client.send(close(1000))
            await parts.until_empty()
        assert [log["event"] for log in logs].count("connection failed") == 1
        assert parts.host.pool.statistics().closed == {"1000" if fault == "send_eof" else "1011": 1}


# ── capacity ─────────────────────────────────────────────────────────────────


async def test_the_last_but_one_is_told_that_the_gateway_is_full() -> None:
    """Beyond `max_connections` a client is told so and closed; a slot that is free again is given."""
    async with stage(GatewayConfig(max_connections=2)) as parts:
        members = [parts.socket(), parts.socket()]
        for member in members:
            await member.connect()
        for _ in range(3):
            refused = parts.socket()
            await refused.upgrade()
            error = await refused.event()
            assert (error["code"], error["retryable"]) == ("CAPACITY_EXCEEDED", True)
            assert await refused.close_frame() == FULL
            assert await refused.end() == b""
            await refused.leave()
        await members[0].leave()
        await parts.until_left(1)
        newcomer = parts.socket()
        await newcomer.connect()
        statistics = parts.host.pool.statistics()
        assert (statistics.open, statistics.accepted, statistics.refused) == (2, 6, {})
        assert statistics.closed == {"1013": 3, "1006": 1}


async def test_what_a_refused_client_says_is_not_heard() -> None:
    """A client that has sent its `connect` at once reads the refusal all the same: no reset takes it away."""
    async with stage(GatewayConfig(max_connections=1)) as parts:
        await parts.socket().connect()
        for _ in range(10):
            client = await parts.tcp()
            await client.send(head(), b"\x81\xff" + b"x" * 100_000)
            await client.answer()
            assert (await client.event())["code"] == "CAPACITY_EXCEEDED"
            assert await client.close_frame() == FULL
            await client.leave()
        assert parts.table.statistics().sessions == 1


async def test_a_flood_beyond_capacity_is_dropped() -> None:
    """Only so many are told at a time that there is no room; more sockets are closed without a word."""
    async with stage(GatewayConfig(max_unauthenticated_connections=1)) as parts:
        await parts.memory().upgrade()
        waiting = [parts.memory() for _ in range(MAX_REFUSALS)]
        await wait_all_tasks_blocked()
        assert await parts.memory().end() == b""
        for client in waiting:
            assert (await client.answer()).startswith(b"HTTP/1.1 503 ")
        # The others have yet to hang up.
        assert parts.host.pool.statistics().refused == {"capacity": 1}


async def test_the_last_seat_is_given_once() -> None:
    """Of two who have yet to say who they are one gets the last seat; the other is told when it connects."""
    async with stage(GatewayConfig(max_connections=1)) as parts:
        first, second = parts.memory(), parts.memory()
        await first.upgrade()
        await second.upgrade()
        await second.say("connect")
        await second.event("connected")
        await first.say("connect")
        assert (await first.event())["code"] == "CAPACITY_EXCEEDED"
        assert await first.close_frame() == FULL
        await second.say("connect")
        await second.event("connected")


# ── the goodbye ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["memory", "socket", "tcp"])
async def test_a_cancel_tells_the_clients(kind: str) -> None:
    """Protocol 2 hears `shutdown` first, protocol 1 has no word for it; both read the close frame."""
    async with stage() as parts:
        clients: list[RawClient] = []
        for protocol in (1, 2):
            made = getattr(parts, kind)()
            client: RawClient = await made if kind == "tcp" else made
            await client.connect(protocol=protocol)
            clients.append(client)
        unconnected = parts.memory()
        await unconnected.upgrade()
        parts.stop()
        assert await clients[0].close_frame() == STOPPING
        shutdown = {"type": "shutdown", "reason": "the gateway stops", "retry_after": RETRY_AFTER}
        assert await clients[1].event("shutdown") == shutdown
        assert await clients[1].close_frame() == STOPPING
        assert await unconnected.close_frame() == STOPPING


async def test_a_cancel_leaves_nobody_watching() -> None:
    """Whoever cancels one connection, and not the gateway, finds its session unwatched: it may be idle."""
    async with stage() as parts:
        client = parts.socket()
        session_id = (await client.connect())["session_id"]
        parts.stop()
        assert await client.close_frame() == STOPPING
        await client.leave()
        await parts.until_empty()
        session = await parts.sessions.get(session_id)
        assert session is not None
        assert session.connections == ()
        assert parts.fanout.statistics() == FanoutStatistics(logs=0, followers=0)


async def test_a_peer_that_never_answers_the_close(autojump_clock: MockClock) -> None:
    """The close handshake has a deadline, for each reason to close alike."""
    async with stage(GatewayConfig(close_timeout=2, connect_timeout=10)) as parts:
        began = trio.current_time()
        client = parts.memory()
        await client.upgrade()
        await client.event("error")
        assert (await client.close_frame())[0] == 4002
        assert await client.end() == b""
        assert trio.current_time() - began == pytest.approx(10)
        await parts.until_empty()
        assert trio.current_time() - began == pytest.approx(12)


async def test_a_peer_that_never_reads_is_left_at_the_deadline(mock_clock: MockClock) -> None:
    """A goodbye that cannot be written is given up in time, and so is the socket; its buffer is let go."""
    async with stage(GatewayConfig(close_timeout=2)) as parts:
        client = parts.socket(4_096)
        session_id = (await client.connect())["session_id"]
        [connection] = parts.connections
        for _ in range(20):
            await parts.registry.ask(AppendEvent(session_id, AgentToken(session_id, "x" * 10_000)))
        assert connection.outbox.behind
        connection.close(Closing(CloseCode.NORMAL, "enough"))
        await wait_all_tasks_blocked()
        assert parts.host.pool.statistics().open == 1
        mock_clock.jump(2)
        await parts.until_empty()
        assert connection.outbox.broken
        assert connection.outbox.waiting_bytes == 0


async def test_a_client_that_reads_late_still_reads_why() -> None:
    """What waits is delivered before the close frame, if the client takes it in time."""
    async with stage(GatewayConfig(close_timeout=100)) as parts:
        client = parts.socket(4_096)
        session_id = (await client.connect())["session_id"]
        [connection] = parts.connections
        for _ in range(20):
            await parts.registry.ask(AppendEvent(session_id, AgentToken(session_id, "x" * 10_000)))
        connection.close(Closing(CloseCode.NORMAL, "enough"))
        await wait_all_tasks_blocked()
        count = 0
        while (found := await client.frame()).opcode == TEXT:
            count += 1
        assert 1 <= count < 20
        assert (found.opcode, found.payload[2:]) == (CLOSE, b"enough")
        assert await client.end() == b""


async def test_an_ended_connection_writes_to_nobody(mock_clock: MockClock) -> None:
    """Its descriptor may be another's by now: whoever still holds its outbox can do no harm with it."""
    victim, another = socket.socketpair()
    with victim, another:
        async with stage(GatewayConfig(close_timeout=2)) as parts:
            client = parts.socket(4_096)
            await client.connect()
            [connection] = parts.connections
            # More than the socket takes, and not yet found out: no flush has tried.
            connection.outbox.push(b"\x8a\x00" * 100_000)
            connection.close(Closing(CloseCode.NORMAL, "enough"))
            await wait_all_tasks_blocked()
            mock_clock.jump(2)
            await parts.until_empty()
            number = connection.outbox._fileno
            assert number is not None
            reused = fcntl.fcntl(another.fileno(), fcntl.F_DUPFD, number)
            assert reused == number
            connection.outbox.push(b"meant for somebody else")
            connection.outbox.flush()
            os.close(reused)
        victim.setblocking(False)
        with pytest.raises(BlockingIOError):
            victim.recv(1)


async def test_a_slow_client_is_told_why_when_it_wakes(mock_clock: MockClock) -> None:
    """Past the write deadline the connection ends with 4005, which it reads if it reads in time."""
    async with stage(GatewayConfig(write_timeout=20, close_timeout=2, heartbeat_interval=1_000)) as parts:
        client = parts.socket(4_096)
        session_id = (await client.connect())["session_id"]
        for _ in range(20):
            await parts.registry.ask(AppendEvent(session_id, AgentToken(session_id, "x" * 10_000)))
        await wait_all_tasks_blocked()
        mock_clock.jump(20)
        await wait_all_tasks_blocked()
        while (found := await client.frame()).opcode == TEXT:
            pass
        assert (int.from_bytes(found.payload[:2], "big"), found.payload[2:]) == (
            4005,
            b"no data was taken for 20 seconds",
        )
        await client.leave()
        await parts.until_empty()
        assert parts.host.pool.statistics().closed == {"4005": 1}


async def test_a_stream_in_memory_hears_every_last_word() -> None:
    """A stream without a descriptor (TLS) is not cut in the midst of a write: the last words arrive."""
    async with stage(GatewayConfig(auth_token="secret", max_connections=50, max_failed_tokens=0)) as parts:
        for _ in range(50):  # trio runs what is ready in a random order
            client = parts.memory()
            await client.upgrade()
            await client.say("connect", auth="wrong")
            assert (await client.event())["code"] == "UNAUTHORIZED"
            assert (await client.close_frame())[0] == 4001


async def test_a_stream_that_cannot_half_close(autojump_clock: MockClock) -> None:
    """TLS knows no half-closed stream: the goodbye is said, and the client's end is waited for."""
    async with stage(GatewayConfig(close_timeout=2, connect_timeout=10)) as parts:
        ours, theirs = memory_stream_pair()
        client = parts.serve(ours, WholeStream(theirs))
        await client.connect()
        [connection] = parts.connections
        connection.close(Closing(CloseCode.NORMAL, "enough"))
        assert await client.close_frame() == (1000, "enough")
        assert await client.end() == b""
        assert trio.current_time() == pytest.approx(2)


# ── what is left ─────────────────────────────────────────────────────────────


async def vanish(client: RawClient) -> None:
    """Close the socket without a word."""
    await client.leave()


async def reset_it(client: RawClient) -> None:
    """Have the kernel say that the connection is no more."""
    reset(client)
    await trio.lowlevel.checkpoint()


async def half_close(client: RawClient) -> None:
    """Send the end of the stream and no close frame."""
    await client.stream.send_eof()
    assert (await client.end()).partition(b"\r\n")[0] in (b"", b"HTTP/1.1 400 Bad Request")
    await client.leave()


async def say_goodbye(client: RawClient) -> None:
    """Leave as one should."""
    await client.send(close(1000))
    assert await client.close_frame() == (1000, "")
    await client.leave()


@pytest.mark.parametrize("leave", [vanish, reset_it, half_close, say_goodbye])
@pytest.mark.parametrize("upgraded", [False, True])
async def test_nothing_is_left_of_a_client(
    leave: Callable[[RawClient], Awaitable[None]], *, upgraded: bool
) -> None:
    """However clients leave: tasks, descriptors, slots, followers and watchers are as before."""
    if leave is say_goodbye and not upgraded:
        return
    async with stage() as parts:
        await wait_all_tasks_blocked()
        tasks, files = trio.lowlevel.current_statistics().tasks_living, descriptors()
        session = await parts.sessions.create("somebody")
        for _ in range(5):
            clients = [await parts.tcp() for _ in range(10)]
            for client in clients:
                await (client.connect(session_id=session.id) if upgraded else client.send(head()[:20]))
            assert not upgraded or parts.fanout.statistics().followers == 20
            for client in clients:
                await leave(client)
            await parts.until_empty()
        assert parts.table.statistics().watchers == 0
        assert parts.fanout.statistics() == FanoutStatistics(logs=0, followers=0)
        assert (trio.lowlevel.current_statistics().tasks_living, descriptors()) == (tasks, files)


async def test_nothing_is_left_of_clients_that_are_ended() -> None:
    """The same when the gateway is stopped under a hundred of them."""
    async with stage(GatewayConfig(max_unauthenticated_per_address=0)) as parts:
        await wait_all_tasks_blocked()
        tasks, files = trio.lowlevel.current_statistics().tasks_living, descriptors()
        clients = [await parts.tcp() for _ in range(100)]
        for client in clients:
            await client.connect()
        with trio.fail_after(HANG):
            async with trio.open_nursery() as nursery:
                for connection in parts.connections:
                    connection.close(Closing(CloseCode.GOING_AWAY, "off"))
                for client in clients:
                    nursery.start_soon(read_goodbye, client)
        await parts.until_empty()
        assert (trio.lowlevel.current_statistics().tasks_living, descriptors()) == (tasks, files)


async def read_goodbye(client: RawClient) -> None:
    """Hear the close frame, and hang up."""
    assert await client.close_frame() == (1001, "off")
    await client.leave()


async def test_a_cancel_between_any_two_steps() -> None:
    """
    Whenever a connection is cancelled, its slot, its tasks and its socket are given back.

    And once the client has a WebSocket, it is told.
    """
    async with stage() as parts:
        await wait_all_tasks_blocked()
        tasks, files = trio.lowlevel.current_statistics().tasks_living, descriptors()
        ends: set[tuple[int, str] | None] = set()
        for steps in range(40):
            ours, theirs = stream_pair()
            client = RawClient(ours)
            client.send_now(head() + text("connect", protocol=2) + text("command", name="status", args=None))
            async with trio.open_nursery() as beside:
                # Reads meanwhile, and hangs up: so no goodbye is a race against `close_timeout`.
                beside.start_soon(read_end, client, ends)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(parts.door.serve_stream, theirs)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                    nursery.cancel_scope.cancel()
            await wait_all_tasks_blocked()
            assert parts.host.pool.statistics().open == 0
            assert not parts.connections
        assert ends == {None, STOPPING}
        assert (trio.lowlevel.current_statistics().tasks_living, descriptors()) == (tasks, files)


async def read_end(client: RawClient, ends: set[tuple[int, str] | None]) -> None:
    """Note how it ended, and hang up."""
    ends.add(await how_it_ended(client))
    await client.leave()


async def how_it_ended(client: RawClient) -> tuple[int, str] | None:
    """The close frame, behind whatever came before it; None: there never was a WebSocket."""
    try:
        await client.answer()
    except (AssertionError, trio.BrokenResourceError):
        return None
    while True:
        found = await client.frame()
        if found.opcode == CLOSE:
            return int.from_bytes(found.payload[:2], "big"), found.payload[2:].decode()


async def test_each_end_is_logged_once() -> None:
    """One line a connection, with code and reason; no token, no content."""
    async with stage(GatewayConfig(auth_token="a-secret-token")) as parts:
        with structlog.testing.capture_logs() as logs:
            good, bad = parts.socket(), parts.socket()
            await good.connect(auth="a-secret-token")
            await good.send(close(1000, "bye"))
            await bad.upgrade()
            await bad.say("connect", auth="another-secret")
            await bad.event("error")
            for client in (good, bad):
                await client.close_frame()
                await client.leave()
            await parts.until_empty()
        assert sorted((log["event"], log["code"], log["reason"]) for log in logs) == [
            ("connection closed", 1000, "bye"),
            ("connection closed", 4001, "the token is missing or wrong"),
        ]
        assert "secret" not in str(logs)
