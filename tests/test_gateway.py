from __future__ import annotations

import datetime
import platform
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
import trio.testing
from trio.testing import MockClock, memory_stream_pair, open_stream_to_socket_listener, wait_all_tasks_blocked

from bamboo_gateway import AgentError, ConfigError, Gateway, GatewayConfig, GatewayError, Turn, __version__
from bamboo_gateway.config import Address, UnixAddress
from bamboo_gateway.errors import StorageError
from bamboo_gateway.gateway import table_limits
from bamboo_gateway.principal import Principal, Quotas
from bamboo_gateway.protocol.messages import AgentToken, ChannelMessage, Connected, TokenUsage
from bamboo_gateway.session.effects import Change, SaveSession
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.session import ConnectionHandle, Session
from bamboo_gateway.session.stored import StoredState
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.connection.raw_client import HANG, TEXT, RawClient

ANY_PORT = GatewayConfig(bind="127.0.0.1:0")
STOPPING = (1001, "the gateway stops")


async def echo(turn: Turn) -> TokenUsage:
    """Say what was said."""
    await turn.token(turn.message.content)
    return TokenUsage(1, 2, 3)


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncIterator[Address]:
    """A gateway that serves while the block runs."""
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        yield address
        await gateway.stop()


@asynccontextmanager
async def dialled(address: Address) -> AsyncIterator[RawClient]:
    """A client on a TCP connection, which has said nothing yet."""
    stream = await trio.open_tcp_stream(address.host, address.port)
    async with stream:
        yield RawClient(stream)


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


# ── serving ──────────────────────────────────────────────────────────────────


async def test_a_gateway_under_a_nursery() -> None:
    """`nursery.start` returns the bound addresses, and there it accepts: a chat goes through."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as client:
        assert address.host == "127.0.0.1"
        assert address.port > 0
        session_id = (await client.connect())["session_id"]
        await client.say("chat", content="hello", session_id=session_id)
        assert (await client.event("agent_token"))["token"] == "hello"
        assert (await client.event("agent_complete"))["usage"]["total_tokens"] == 3


def test_a_gateway_as_a_whole_program() -> None:
    """`trio.run(gateway.serve)` is enough, and returns when the gateway is stopped."""
    gateway = Gateway(ANY_PORT, agent=echo)

    async def stop_from_the_agent(turn: Turn) -> None:
        trio.lowlevel.spawn_system_task(gateway.stop)

    gateway = Gateway(ANY_PORT, agent=stop_from_the_agent)

    async def ask() -> None:
        session = await gateway.sessions.create("somebody")
        ours, theirs = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gateway.serve_stream, theirs)
            client = RawClient(ours)
            await client.connect(session_id=session.id)
            await client.say("chat", content="stop", session_id=session.id)
            await client.event("error", "agent_complete")
            await client.leave()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await gateway.serve()

    trio.run(main)


@pytest.mark.parametrize("bind", ["localhost:0", "[::1]:0"])
async def test_other_ways_to_name_this_machine(bind: str) -> None:
    """A name may stand for several addresses, IPv6 among them; each that is returned accepts."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    gateway = Gateway(GatewayConfig(bind=bind), agent=echo)
    async with trio.open_nursery() as nursery:
        addresses: Sequence[Address] = await nursery.start(gateway.serve)
        assert addresses
        for address in addresses:
            async with dialled(address) as client:
                await client.connect()
        await gateway.stop()


async def test_a_taken_port() -> None:
    """That it cannot listen is an `OSError`, plainly; when the port is free the same gateway can serve."""
    async with serving(Gateway(ANY_PORT)) as address:
        before = descriptors()
        second = Gateway(GatewayConfig(bind=str(address)), agent=echo)
        with pytest.raises(OSError, match="in use"):
            await second.serve()
        assert descriptors() == before
    async with serving(second), dialled(address) as client:
        await client.connect()


async def test_a_gateway_serves_once() -> None:
    """While it serves, even before it listens, and afterwards, a second `serve` is an error."""
    gateway = Gateway(ANY_PORT)
    raised = 0

    async def serve() -> None:
        nonlocal raised
        try:
            await gateway.serve()
        except RuntimeError:
            raised += 1
            await gateway.stop()

    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            nursery.start_soon(serve)
    assert raised == 1
    with pytest.raises(RuntimeError, match="with the same storage"):
        await gateway.serve()


class FailingStorage(MemoryStorage):
    """A storage that cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.is_closed = False

    async def open(self, log_limits: LogLimits) -> StoredState:
        """Fail."""
        raise StorageError("the disk is on fire")

    async def aclose(self) -> None:
        """Remember it."""
        self.is_closed = True


async def test_a_storage_that_cannot_be_read() -> None:
    """`serve` raises what the storage raised, and holds neither socket nor storage any more."""
    before = descriptors()
    storage = FailingStorage()
    gateway = Gateway(ANY_PORT, storage=storage)
    with pytest.raises(StorageError, match="on fire"):
        await gateway.serve()
    assert descriptors() == before
    assert storage.is_closed
    with pytest.raises(trio.BrokenResourceError):
        await gateway.sessions.list()
    await gateway.stop()


class WrongStorage(MemoryStorage):
    """A storage that has a bug."""

    async def commit(self, changes: Sequence[Change]) -> None:
        """Fail."""
        raise LookupError("a slip")


async def test_a_bug_in_the_storage_ends_the_gateway_loudly() -> None:
    """What cannot be made durable is not let out: `serve` raises, and whoever is there is told."""
    gateway = Gateway(ANY_PORT, agent=echo, storage=WrongStorage())
    before = descriptors()
    with pytest.RaisesGroup(LookupError, flatten_subgroups=True):
        async with trio.open_nursery() as nursery:
            [address] = await nursery.start(gateway.serve)
            with trio.CancelScope(shield=True), trio.fail_after(HANG):
                async with dialled(address) as client:
                    await client.upgrade()
                    await client.say("connect")
                    assert await client.close_frame() == STOPPING
                with pytest.raises(trio.BrokenResourceError):
                    await gateway.sessions.create("somebody")
    assert descriptors() == before


class ShyStorage(MemoryStorage):
    """A storage that can be made to fail."""

    fails = False

    async def commit(self, changes: Sequence[Change]) -> None:
        """Fail, or not."""
        if self.fails:
            raise StorageError("the disk is full")
        await super().commit(changes)


@pytest.mark.parametrize("heals", [True, False])
async def test_a_stop_in_the_midst_of_an_outage(heals: bool, autojump_clock: MockClock) -> None:
    """It waits a little for the storage; if that is in vain, the log says what is lost."""
    storage = ShyStorage()
    gateway = Gateway(ANY_PORT, storage=storage)
    with structlog.testing.capture_logs() as logs:
        async with serving(gateway):
            session = await gateway.sessions.create("somebody")
            storage.fails = True
            with pytest.raises(GatewayError, match="STORAGE_UNAVAILABLE"):
                await gateway.sessions.rename(session.id, "new")
            storage.fails = not heals
    [stored] = await storage.list(None, 0, 9)
    assert stored.name == ("new" if heals else None)
    lost = {"event": "what was not committed is lost", "log_level": "error", "steps": 1}
    assert (lost in logs) is not heals


async def test_a_channel_that_cannot_be_made() -> None:
    """A mistake in the channels' names fails the start, and gives the port back."""
    before = descriptors()

    class Nowhere:
        async def send(self, message: ChannelMessage) -> None:
            """Drop it."""

    gateway = Gateway(ANY_PORT, channels={"*": Nowhere()})
    with pytest.RaisesGroup(GatewayError):
        await gateway.serve()
    assert descriptors() == before


# ── stopping ─────────────────────────────────────────────────────────────────


async def serve_within(
    scope: trio.CancelScope,
    gateway: Gateway,
    *,
    task_status: trio.TaskStatus[Sequence[Address | UnixAddress]],
) -> None:
    """Serve until *scope* is cancelled."""
    with scope:
        await gateway.serve(task_status=task_status)


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_a_gateway_that_stops_tells_its_clients(way: str) -> None:
    """Stopped or cancelled: `shutdown` where the protocol knows it, then 1001, then the end of the stream."""
    gateway, scope = Gateway(ANY_PORT, agent=echo), trio.CancelScope()
    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            [address] = await nursery.start(serve_within, scope, gateway)
            async with dialled(address) as old, dialled(address) as new, dialled(address) as stranger:
                await old.connect()
                await new.connect(protocol=2)
                await stranger.upgrade()
                if way == "stop":
                    nursery.start_soon(gateway.stop)
                else:
                    scope.cancel()
                assert (await new.event())["type"] == "shutdown"
                for client in (old, new, stranger):
                    assert await client.close_frame() == STOPPING
                    assert await client.end() == b""
    assert gateway.statistics().connections.open == 0
    assert gateway.statistics().connections.closed == {"1001": 3}


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_clients_that_never_answer_do_not_hold_up_a_stop(way: str, mock_clock: MockClock) -> None:
    """Silent or deaf: clients take `close_timeout` at most, together; one in mid-handshake takes no time."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", close_timeout=2), agent=echo)
    scope = trio.CancelScope()
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(serve_within, scope, gateway)
        async with dialled(address) as silent, dialled(address) as stalled, dialled(address) as late:
            await silent.connect()
            session_id = (await stalled.connect())["session_id"]
            while not gateway.statistics().connections.behind:
                await gateway.send_to(session_id, AgentToken(session_id, "x" * 100_000))
            await late.send(b"GET / HTTP/1.1\r\n")
            await wait_all_tasks_blocked()
            if way == "stop":
                nursery.start_soon(gateway.stop)
            else:
                scope.cancel()
            await wait_all_tasks_blocked()
            assert gateway.statistics().connections.open == 2
            mock_clock.jump(2)
            await wait_all_tasks_blocked()
            assert gateway.statistics().connections.open == 0
            assert not nursery.child_tasks


async def test_nobody_new_is_taken_in_while_it_stops() -> None:
    """From `stop` on the port is closed."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        async with dialled(address) as client:
            await client.connect()
            nursery.start_soon(gateway.stop)
            await client.close_frame()
            with pytest.raises(OSError, match="failed"):
                await trio.open_tcp_stream(address.host, address.port)


async def test_stopping_what_does_not_serve() -> None:
    """Before `serve` there is nothing to wait for; afterwards, neither."""
    gateway = Gateway(ANY_PORT)
    with trio.fail_after(HANG):
        await gateway.stop()
        await gateway.serve()  # told to stop before it began
        await gateway.stop()


# ── draining and reloading; what drain does is in tests/connection/test_drain.py ─


async def test_a_gateway_knows_how_far_it_is() -> None:
    """Only between its start and its end does it take in clients."""
    gateway = Gateway(ANY_PORT)
    states = [(gateway.state, gateway.is_ready)]
    async with serving(gateway):
        states.append((gateway.state, gateway.is_ready))
        await gateway.drain()
        states.append((gateway.state, gateway.is_ready))
    assert states == [("starting", False), ("serving", True), ("stopped", False)]


async def test_draining_what_does_not_serve() -> None:
    """Before `serve` there is nothing to wait for; afterwards, neither."""
    gateway = Gateway(ANY_PORT)
    with trio.fail_after(HANG):
        await gateway.drain()
        states = [gateway.state]
        await gateway.serve()  # told to stop before it began
        await gateway.drain()
        assert [*states, gateway.state] == ["draining", "stopped"]


async def never(turn: Turn) -> None:
    """Come to no end."""
    await trio.sleep_forever()


@asynccontextmanager
async def draining(scope: trio.CancelScope) -> AsyncIterator[tuple[Gateway, RawClient, trio.Nursery]]:
    """A gateway that drains for as long as its one turn runs, which is for ever."""
    gateway = Gateway(ANY_PORT, agent=never)
    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            [address] = await nursery.start(serve_within, scope, gateway)
            async with dialled(address) as client:
                session_id = (await client.connect(protocol=2))["session_id"]
                await client.say("chat", content="go", session_id=session_id)
                await client.event("agent_start")
                nursery.start_soon(gateway.drain)
                await client.event("shutdown")
                yield gateway, client, nursery


@pytest.mark.parametrize("way", ["stop", "cancel"])
async def test_a_drain_is_cut_short_by_a_stop(way: str) -> None:
    """Whoever is in a hurry need not wait for turns; the clients are told (1001), and `drain` returns."""
    scope = trio.CancelScope()
    async with draining(scope) as (gateway, client, nursery):
        if way == "stop":
            nursery.start_soon(gateway.stop)
        else:
            scope.cancel()
        assert (await client.event("shutdown"))["reason"] == "the gateway stops"
        assert await client.close_frame() == STOPPING


async def test_a_second_drain_waits_with_the_first() -> None:
    """Nothing is cut short by it."""
    async with draining(trio.CancelScope()) as (gateway, client, nursery):
        nursery.start_soon(gateway.drain)
        assert (await client.event("shutdown"))["reason"] == "the gateway restarts"
        assert gateway.statistics().turns.running == 1
        await client.say("command", name="session.abort", args={})
        await client.event("error")
        await client.event("command_result")
        assert await client.close_frame() == (1012, "the gateway restarts")


async def test_a_registry_that_is_gone_ends_a_drain() -> None:
    """`serve` was cancelled before it was asked: there is nobody to be seen out."""
    gateway, scope = Gateway(ANY_PORT), trio.CancelScope()
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_within, scope, gateway)
        nursery.start_soon(gateway.drain)
        scope.cancel()
    assert gateway.state == "stopped"


async def test_reloading_changes_what_can_be_changed() -> None:
    """What cannot is named; the rest is in force for the next request, and told to who comes."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", auth_token="old"))
    async with serving(gateway) as address:
        config = GatewayConfig(bind="127.0.0.1:1", auth_token="new", max_queued_chats=3, log_max_events=5)
        assert await gateway.reload(config) == ("bind", "log_max_events")
        assert (gateway.config.bind, gateway.config.max_queued_chats) == ("127.0.0.1:0", 3)
        async with dialled(address) as client:
            connected = await client.connect(auth="new")
            assert connected["limits"]["max_queued_chats"] == 3
        assert await gateway.reload(gateway.config) == ()


@pytest.mark.parametrize("bind", ["127.0.0.1:0", "0.0.0.0:0"])
async def test_reloading_what_is_unusable_changes_nothing(bind: str) -> None:
    """Whether it could not even start anew, or does not fit to what has to stay."""
    gateway = Gateway(ANY_PORT)
    async with serving(gateway):
        tls = GatewayConfig(bind=bind, tls_cert="cert.pem", tls_key="key.pem", max_queued_chats=3)
        with pytest.raises(ConfigError):
            await gateway.reload(tls)
        assert gateway.config == ANY_PORT


async def test_what_is_asked_of_a_gateway_that_has_stopped() -> None:
    """Whoever holds on to a stopped gateway is told, and does not wait for ever."""
    gateway = Gateway(ANY_PORT)
    async with serving(gateway):
        session = await gateway.sessions.create("somebody")
    for ask in (
        partial(gateway.sessions.get, session.id),
        partial(gateway.broadcast, AgentToken("", "x")),
        partial(gateway.send_to, session.id, AgentToken(session.id, "x")),
    ):
        with trio.fail_after(HANG), pytest.raises(trio.BrokenResourceError):
            await ask()


async def test_what_is_left_of_a_gateway() -> None:
    """After connections of every kind and a stop, tasks and descriptors are as before."""
    await wait_all_tasks_blocked()
    tasks, files = trio.lowlevel.current_statistics().tasks_living, descriptors()
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address:
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(visit, address, number)
        with trio.fail_after(HANG):
            while gateway.statistics().connections.open:
                await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        serving_tasks = trio.lowlevel.current_statistics().tasks_living
        async with dialled(address) as client:
            await client.connect()
        with trio.fail_after(HANG):
            while gateway.statistics().connections.open:
                await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == serving_tasks
    await wait_all_tasks_blocked()
    assert (trio.lowlevel.current_statistics().tasks_living, descriptors()) == (tasks, files)


async def visit(address: Address, number: int) -> None:
    """Come, do something, and vanish."""
    async with dialled(address) as client:
        if number % 5:
            session_id = (await client.connect())["session_id"]
            if number % 2:
                await client.say("chat", content="hi", session_id=session_id)
                await client.event("agent_complete")


# ── events of the embedder's own ─────────────────────────────────────────────


async def test_a_broadcast_reaches_who_is_connected() -> None:
    """Connected clients hear it, in order; a socket that has not connected does not, nor hears it later."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with (
        serving(gateway) as address,
        dialled(address) as one,
        dialled(address) as other,
        dialled(address) as stranger,
    ):
        await one.connect()
        await other.connect(protocol=2)
        await stranger.upgrade()
        assert await gateway.broadcast(AgentToken("", "a")) == 1
        assert await gateway.broadcast(AgentToken("", "b")) == 2
        for client in (one, other):
            heard = [await client.event() for _ in range(2)]
            told = [(event["token"], event["seq"], event["channel"]) for event in heard]
            assert told == [("a", 1, "*"), ("b", 2, "*")]
        await stranger.say("connect")
        assert (await stranger.event())["type"] == "connected"
        await gateway.broadcast(AgentToken("", "c"))
        assert (await stranger.event())["token"] == "c"


async def test_a_broadcast_waits_for_no_client() -> None:
    """A client that does not read holds up neither the embedder nor the other clients."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as stalled, dialled(address) as live:
        await stalled.connect()
        await live.connect()
        with trio.fail_after(HANG):
            for number in range(100):
                await gateway.broadcast(AgentToken("", "x" * 100_000))
                assert (await live.event())["seq"] == number + 1
        connections = gateway.statistics().connections
        assert connections.behind == 1
        assert connections.waiting_bytes < 1_000_000
        await stalled.leave()


@pytest.mark.parametrize(
    "event", [ChannelMessage("news", "x"), Connected("s"), AgentToken("s", "\ud800"), "text"]
)
async def test_an_event_that_cannot_be_sent(event: Any) -> None:
    """An embedder's slip is told to the embedder, and reaches no client."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as client:
        session_id = (await client.connect())["session_id"]
        for send in (gateway.broadcast, partial(gateway.send_to, session_id)):
            with pytest.raises(GatewayError) as caught:
                await send(event)
            assert caught.value.code == "INVALID_EVENT"
        await gateway.send_to(session_id, AgentToken(session_id, "fine"))
        assert (await client.event())["token"] == "fine"


async def test_send_to_a_session() -> None:
    """The event is an entry of that session's log: its watchers hear it, and nobody else."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as one, dialled(address) as other:
        session_id = (await one.connect())["session_id"]
        await other.connect()
        assert await gateway.send_to(session_id, AgentToken(session_id, "for you")) == 1
        event = await one.event()
        assert (event["token"], event["seq"], "channel" in event) == ("for you", 1, False)
        with pytest.raises(GatewayError) as caught:
            await gateway.send_to("unknown", AgentToken("unknown", "x"))
        assert caught.value.code == "SESSION_NOT_FOUND"
        await gateway.broadcast(AgentToken("", "for all"))
        assert (await other.event())["token"] == "for all"


# ── sessions ─────────────────────────────────────────────────────────────────


async def test_an_embedder_moves_a_live_connection() -> None:
    """`attach_connection` greets it with the other session; `detach_connection` silences it, once."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as client:
        first_id = (await client.connect(protocol=2))["session_id"]
        first = await gateway.sessions.get(first_id)
        assert first is not None
        [handle] = first.connections
        second = await gateway.sessions.create("somebody", name="second")
        attached = await gateway.sessions.attach_connection(second.id, handle)
        assert attached.connections == (handle,)
        greeting = await client.event()
        assert (greeting["type"], greeting["session_id"]) == ("connected", second.id)
        await gateway.send_to(first_id, AgentToken(first_id, "not heard"))
        await client.say("chat", content="hi", session_id=second.id)
        assert (await client.event("agent_token"))["token"] == "hi"
        await client.event("agent_complete")
        assert not await gateway.sessions.detach_connection(first_id, handle)
        assert await gateway.sessions.detach_connection(second.id, handle)
        assert not await gateway.sessions.detach_connection(second.id, handle)
        await gateway.send_to(second.id, AgentToken(second.id, "not heard either"))
        await client.say("chat", content="hi", session_id=second.id)
        assert (await client.event())["code"] == "NOT_CONNECTED"
        await client.say("connect", session_id=second.id)
        assert (await client.event())["resumed"]


async def test_a_connection_that_is_no_more() -> None:
    """An embedder that attaches a connection which has ended meanwhile harms nobody."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as client:
        session = await gateway.sessions.create("somebody")
        handle = ConnectionHandle("no such connection", "somebody")
        await gateway.sessions.attach_connection(session.id, handle)
        await client.connect(session_id=session.id)
        await gateway.send_to(session.id, AgentToken(session.id, "heard"))
        assert (await client.event())["token"] == "heard"
        assert await gateway.sessions.detach_connection(session.id, handle)


async def test_sessions_outlive_a_gateway_with_their_storage() -> None:
    """A second gateway with the same storage goes on with the first one's sessions, in the same epoch."""
    storage = MemoryStorage()
    async with serving(Gateway(ANY_PORT, agent=echo, storage=storage)) as address, dialled(address) as client:
        before = await client.connect(protocol=2)
        await client.say("command", name="session.rename", args={"name": "mine"})
        assert (await client.event("command_result"))["ok"]
    second = Gateway(ANY_PORT, agent=echo, storage=storage)
    async with serving(second) as address, dialled(address) as client:
        session = await second.sessions.get(before["session_id"])
        assert session is not None
        assert (session.name, session.connections, session.state) == ("mine", (), "idle")
        after = await client.connect(session_id=before["session_id"], protocol=2)
        assert after["resumed"]
        assert after["epoch"] == before["epoch"]


async def test_two_gateways_do_not_meet() -> None:
    """Sessions, broadcasts and statistics of two gateways in one process are each their own."""
    one, other = Gateway(ANY_PORT, agent=echo), Gateway(ANY_PORT, agent=echo)
    async with (
        serving(one) as here,
        serving(other) as there,
        dialled(here) as client,
        dialled(there) as stranger,
    ):
        session_id = (await client.connect())["session_id"]
        assert not (await stranger.connect(session_id=session_id))["resumed"]
        await one.broadcast(AgentToken("", "one"))
        await other.broadcast(AgentToken("", "other"))
        assert (await client.event())["token"] == "one"
        assert (await stranger.event())["token"] == "other"
        assert await other.sessions.get(session_id) is None
        assert one.statistics().connections.accepted == other.statistics().connections.accepted == 1


LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


async def storage_of(*session_ids: str) -> MemoryStorage:
    """A storage with sessions that were last active long ago."""
    storage = MemoryStorage()
    await storage.commit([SaveSession(Session(each, "somebody", LONG_AGO, LONG_AGO)) for each in session_ids])
    return storage


async def test_inactive_sessions_are_deleted_on_a_schedule(autojump_clock: MockClock) -> None:
    """With `session_max_age` a session that nobody watches and that runs nothing is gone at the next look."""
    config = GatewayConfig(bind="127.0.0.1:0", session_max_age=3_600, cleanup_interval=60)
    gateway = Gateway(config, agent=echo, storage=await storage_of("idle", "watched"))
    async with trio.open_nursery() as nursery:
        await nursery.start(gateway.serve)
        new = await gateway.sessions.create("somebody")
        handle = ConnectionHandle("connection", "somebody")
        await gateway.sessions.attach_connection("watched", handle)
        with structlog.testing.capture_logs() as logs:
            await trio.sleep(59)
            assert await gateway.sessions.get("idle") is not None
            await trio.sleep(2)
            assert await gateway.sessions.get("idle") is None
        assert [(log["event"], log["count"]) for log in logs] == [("inactive sessions deleted", 1)]
        for session_id in ("watched", new.id):
            assert await gateway.sessions.get(session_id) is not None
        nursery.cancel_scope.cancel()


async def test_without_an_age_sessions_stay(autojump_clock: MockClock) -> None:
    """Nothing is deleted that nobody asked to be."""
    gateway = Gateway(ANY_PORT, agent=echo, storage=await storage_of("idle"))
    async with trio.open_nursery() as nursery:
        await nursery.start(gateway.serve)
        await trio.sleep(3600)
        assert await gateway.sessions.get("idle") is not None
        nursery.cancel_scope.cancel()


# ── parts ────────────────────────────────────────────────────────────────────


async def test_a_stream_from_elsewhere() -> None:
    """A stream that the embedder has accepted is served like the gateway's own."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway), trio.open_nursery() as nursery:
        ours, theirs = memory_stream_pair()
        nursery.start_soon(gateway.serve_stream, theirs)
        client = RawClient(ours)
        await client.connect(protocol=2)
        assert gateway.statistics().connections.open == 1
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            assert (await client.event())["type"] == "shutdown"
            assert await client.close_frame() == STOPPING
            await client.leave()


async def test_a_gateway_without_an_agent_says_so() -> None:
    """A chat is answered by an error that names the remedy; everything else works."""
    gateway = Gateway(ANY_PORT)
    async with serving(gateway) as address, dialled(address) as client:
        session_id = (await client.connect())["session_id"]
        await client.say("chat", content="hello", session_id=session_id)
        error = await client.event()
        assert error["code"] == "AGENT_ERROR"
        assert "agent=my_agent" in error["message"]
        await client.say("ping", timestamp=1)
        assert (await client.event())["type"] == "pong"


async def test_an_agent_that_fails_ends_its_turn_and_nothing_else() -> None:
    """What an agent means to say is told; what escapes it is not, but that it failed."""

    async def fail(turn: Turn) -> None:
        if turn.message.content == "known":
            raise AgentError("the model is asleep")
        raise LookupError("a secret")

    gateway = Gateway(ANY_PORT, agent=fail)
    with structlog.testing.capture_logs():
        async with serving(gateway) as address, dialled(address) as client:
            session_id = (await client.connect())["session_id"]
            await client.say("chat", content="known", session_id=session_id)
            assert (await client.event())["message"] == "the model is asleep"
            await client.say("chat", content="unknown", session_id=session_id)
            assert (await client.event())["message"] == "the agent failed with LookupError"
            assert gateway.statistics().turns.failed == 2


async def test_statistics_count_what_there_is() -> None:
    """Connections by state and end, sessions, watchers, turns, events."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address:
        async with dialled(address) as client, dialled(address) as other:
            session_id = (await client.connect())["session_id"]
            await other.connect(session_id=session_id)
            await client.say("chat", content="hi", session_id=session_id)
            await client.event("agent_complete")
            statistics = gateway.statistics()
            table = statistics.registry.table
            assert (statistics.connections.open, statistics.connections.accepted) == (2, 2)
            assert (table.sessions, table.watchers, table.turns_running) == (1, 2, 0)
            assert table.events_appended == 4
            assert (statistics.turns.running, statistics.turns.completed) == (0, 1)
            assert statistics.uptime >= 0
            histograms = gateway.histograms()
            assert histograms["turn_duration"].count == 1
            assert histograms["delivery_lag"].count > 0
        with trio.fail_after(HANG):
            while gateway.statistics().connections.open:
                await trio.lowlevel.checkpoint()
        assert gateway.statistics().connections.closed == {"1006": 2}
    assert gateway.version == __version__


async def test_clients_are_told_what_they_are_held_to() -> None:
    """`connected.limits` are the settings."""
    config = GatewayConfig(
        bind="127.0.0.1:0", max_message_bytes=2_000, max_queued_chats=3, heartbeat_interval=7
    )
    gateway = Gateway(config, agent=echo)
    async with serving(gateway) as address, dialled(address) as client:
        limits = (await client.connect())["limits"]
    assert limits == {"max_message_bytes": 2_000, "max_queued_chats": 3, "heartbeat_interval": 7.0}


def test_a_gateway_does_not_stand_open_to_the_network() -> None:
    """Beyond loopback a token is required, before anything listens; the default is loopback."""
    with pytest.raises(ConfigError, match="auth_token"):
        Gateway(GatewayConfig(bind="0.0.0.0:0"))
    assert Gateway().config.bind == "127.0.0.1:18790"
    Gateway(GatewayConfig(bind="0.0.0.0:0", auth_token="secret"))


async def test_a_token_is_asked_for() -> None:
    """With `auth_token`, who does not know it gets no session."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", auth_token="secret"), agent=echo)
    async with serving(gateway) as address, dialled(address) as stranger, dialled(address) as member:
        await stranger.upgrade()
        await stranger.say("connect", auth="guess")
        assert (await stranger.frame()).opcode == TEXT
        assert (await stranger.close_frame())[0] == 4001
        await member.connect(auth="secret")


async def test_a_dead_listener_is_no_gateway() -> None:
    """An address that was returned is gone when the gateway is."""
    async with serving(Gateway(ANY_PORT)) as address:
        pass
    listener = (await trio.open_tcp_listeners(address.port, host=address.host))[0]
    async with listener, await open_stream_to_socket_listener(listener):
        pass


def test_a_quota_of_zero_is_none() -> None:
    """0 switches a limit off, in the settings as in a principal's own quotas."""
    for number, quota in ((0, None), (7, 7)):
        config = GatewayConfig(
            max_sessions_per_principal=number,
            max_channels_per_principal=number,
            max_queued_chats_per_principal=number,
        )
        held = table_limits(config, Gateway(config).limits).quotas_of(Principal("ann"))
        assert held == Quotas(max_sessions=quota, max_channels=quota, max_queued_chats=quota)


# ── what it measures ─────────────────────────────────────────────────────────


def samples(gateway: Gateway) -> dict[str, float]:
    """What a scrape gives, by series."""
    lines = (line for line in gateway.metrics().decode().splitlines() if not line.startswith("#"))
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}


async def test_a_scrape_tells_what_has_happened() -> None:
    """Connections by state, deliveries, resumes and gaps, turns, commits and closes, as clients saw them."""
    gateway = Gateway(ANY_PORT, agent=echo)
    async with serving(gateway) as address, dialled(address) as client, dialled(address) as stranger:
        connected = await client.connect(protocol=2)
        await stranger.upgrade()
        await client.say("chat", content="hello", session_id=connected["session_id"])
        await client.event("agent_complete")
        async with dialled(address) as late:
            await late.connect(session_id=connected["session_id"], protocol=2, last_seq=9)
            await late.event("agent_complete")
            while not gateway.statistics().deliveries.caught_up:
                await trio.lowlevel.checkpoint()
            seen = samples(gateway)
            await late.leave()
    build = f'python="{platform.python_version()}",trio="{trio.__version__}",version="{__version__}"'
    expected = {
        f"bamboo_build_info{{{build}}}": 1,
        'bamboo_connections{state="connected"}': 2,
        'bamboo_connections{state="unauthenticated"}': 1,
        "bamboo_connections_accepted_total": 3,
        "bamboo_events_appended_total": 4,  # what was said, its start, the token and the end
        'bamboo_events_delivered_total{way="live"}': 4,
        'bamboo_events_delivered_total{way="caught_up"}': 4,
        "bamboo_resumes_total": 1,
        'bamboo_gaps_total{cause="cursor_unknown"}': 1,
        'bamboo_turns_total{outcome="completed"}': 1,
        'bamboo_turn_duration_seconds_count{outcome="completed"}': 1,
        "bamboo_storage_failing": 0,
    }
    assert {name: seen[name] for name in expected} == expected
    assert seen["bamboo_delivery_lag_seconds_count"] >= seen["bamboo_journal_commit_changes_count"] > 0
    after = samples(gateway)
    assert sum(after[f'bamboo_connections_closed_total{{code="{code}"}}'] for code in (1000, 1001, 1006)) == 3
    assert sum(after[f'bamboo_connections{{state="{state}"}}'] for state in ("connected", "behind")) == 0


async def test_no_series_comes_with_the_load() -> None:
    """A hundred sessions and users later there are as many series as before."""
    gateway = Gateway(ANY_PORT, agent=echo)
    before = set(samples(gateway))
    async with serving(gateway):
        for number in range(100):
            session = await gateway.sessions.create(f"user-{number}")
            await gateway.send_to(session.id, AgentToken(session.id, "hello"))
        assert set(samples(gateway)) == before


async def test_a_turn_stays_in_its_trace_over_a_restart(tmp_path: Path) -> None:
    """Also a chat that had to wait: the storage has the whole of it."""
    traces = [f"00-{digit * 32}-{'b' * 16}-01" for digit in "12"]

    async def hang(turn: Turn) -> None:
        await trio.sleep_forever()

    class Tracer:
        resume = True

        def __init__(self) -> None:
            self.seen: list[str | None] = []

        async def __call__(self, turn: Turn) -> None:
            self.seen.append(turn.traceparent)

    hang.resume = True  # type: ignore[attr-defined]  # how an agent says that it can go on
    gateway = Gateway(ANY_PORT, agent=hang, storage=SQLiteStorage(tmp_path / "db"))
    async with serving(gateway) as address, dialled(address) as client:
        session_id = (await client.connect(protocol=2))["session_id"]
        for trace in traces:
            metadata = {"traceparent": trace}
            await client.say("chat", content="hi", session_id=session_id, metadata=metadata)
            await client.event("chat_accepted")
    tracer = Tracer()
    again = Gateway(ANY_PORT, agent=tracer, storage=SQLiteStorage(tmp_path / "db"))
    async with serving(again):
        with trio.fail_after(HANG):
            while len(tracer.seen) < 2:
                await trio.lowlevel.checkpoint()
    assert tracer.seen == traces
