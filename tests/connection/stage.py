"""Everything behind a listener: the real parts of a gateway, and clients that come by any kind of stream."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio
from trio.testing import memory_stream_pair, open_stream_to_socket_listener, wait_all_tasks_blocked

from bamboo_gateway.channel_manager import ChannelManager
from bamboo_gateway.channels.local import LocalChannel
from bamboo_gateway.commands import Services
from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.admission import Admission
from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.fanout import Fanout
from bamboo_gateway.connection.host import Host
from bamboo_gateway.connection.pool import ConnectionPool
from bamboo_gateway.connection.reauthentication import Reauthentication
from bamboo_gateway.connection.roster import Roster
from bamboo_gateway.gateway import Gateway, table_limits
from bamboo_gateway.http.endpoints import Endpoints
from bamboo_gateway.http.pages import Pages
from bamboo_gateway.identity.directory import TokenDirectory
from bamboo_gateway.identity.gatekeeper import Gatekeeper
from bamboo_gateway.journal import Journal
from bamboo_gateway.listener.front_door import FrontDoor
from bamboo_gateway.ports import Agent, Authenticator, SessionStorage
from bamboo_gateway.protocol.messages import TokenUsage
from bamboo_gateway.registry import SessionRegistry
from bamboo_gateway.router import MessageRouter
from bamboo_gateway.session.stored import StoredSession, StoredState
from bamboo_gateway.session.table import SessionTable
from bamboo_gateway.session_catalog import SessionCatalog
from bamboo_gateway.session_manager import SessionManager
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn
from bamboo_gateway.turns import TurnRunner

from .raw_client import HANG, RawClient


async def echo(turn: Turn) -> TokenUsage:
    """Say what was said."""
    await turn.token(turn.message.content)
    return TokenUsage(1, 1, 2)


@attrs.define
class Stage:
    """A gateway without a socket of its own."""

    host: Host
    door: FrontDoor
    registry: SessionRegistry
    table: SessionTable
    fanout: Fanout
    sessions: SessionManager
    nursery: trio.Nursery
    """Of the connections."""
    backstage: trio.CancelScope
    """Of what is behind them."""
    clients: list[RawClient] = attrs.field(factory=list)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)
    _scopes: list[trio.CancelScope] = attrs.field(factory=list, init=False)

    @property
    def connections(self) -> Sequence[Connection]:
        """Those that are open now, oldest first."""
        return list(self.host.pool)

    def memory(self) -> RawClient:
        """A client on a stream in memory, as fast as it reads."""
        ours, theirs = memory_stream_pair()
        return self.serve(ours, theirs)

    def socket(self, buffer_bytes: int | None = None) -> RawClient:
        """A client on a real socket; what it does not read fills *buffer_bytes* and a little."""
        ours, theirs = stream_pair(buffer_bytes)
        return self.serve(ours, theirs)

    async def tcp(self) -> RawClient:
        """A client on a TCP connection."""
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        ours = await open_stream_to_socket_listener(listener)
        theirs = await listener.accept()
        await listener.aclose()
        return self.serve(ours, theirs)

    def serve(self, ours: trio.abc.HalfCloseableStream, theirs: trio.abc.Stream) -> RawClient:
        """A client on one end of a pair; the gateway has the other."""
        self.nursery.start_soon(self._serve, theirs)
        self.clients.append(RawClient(ours))
        return self.clients[-1]

    async def until_empty(self) -> None:
        """Wait until no connection is left."""
        await self.until_left(0)

    async def until_left(self, count: int) -> None:
        """Wait until so many connections are left, and nothing more happens."""
        with trio.fail_after(HANG):
            while self.host.pool.statistics().open > count:
                await self._ended.wait()
            await wait_all_tasks_blocked()

    def stop(self) -> None:
        """Cancel every connection, as a gateway does that stops."""
        for scope in self._scopes:
            scope.cancel()

    async def _serve(self, stream: trio.abc.Stream) -> None:
        scope = trio.CancelScope()
        self._scopes.append(scope)
        with scope:
            await self.door.serve_stream(stream)
        self._ended.set()
        self._ended = trio.Event()


def stream_pair(buffer_bytes: int | None = None) -> tuple[trio.SocketStream, trio.SocketStream]:
    """Two ends of a socket pair, of which the second has a send buffer as small as wanted."""
    ours, theirs = trio.socket.socketpair()
    if buffer_bytes is not None:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
    return trio.SocketStream(ours), trio.SocketStream(theirs)


@asynccontextmanager
async def stage(
    config: GatewayConfig | None = None,
    agent: Agent = echo,
    storage: SessionStorage | None = None,
    authenticate: Authenticator | None = None,
    pages: Pages | None = None,
) -> AsyncIterator[Stage]:
    """The parts of a gateway for as long as the block runs."""
    storage = storage or MemoryStorage()
    gateway = Gateway(config, agent=agent)
    config = gateway.config
    table = SessionTable(table_limits(config, gateway.limits))
    table.open(StoredState("epoch"))
    registry = SessionRegistry(table, time.time, journal := Journal(storage), partial(_load, storage, table))
    catalog = SessionCatalog(registry, storage)
    turns = TurnRunner(agent, registry)
    pool = ConnectionPool(Admission())
    fanout = Fanout(pool, turns)
    channels = ChannelManager(registry, LocalChannel(registry), {}, send_timeout=10.0)
    gatekeeper = Gatekeeper(authenticate or TokenDirectory(config), lambda: host.config, trio.current_time)
    services = Services(
        registry, catalog, channels, gateway, Reauthentication(pool, gatekeeper), Roster(pool)
    )
    router = MessageRouter(services, agent, config.command_timeout)
    host = Host(config, gatekeeper, pool, registry, router, channels)
    async with trio.open_nursery() as nursery:
        backstage = trio.CancelScope()
        await nursery.start(_run, backstage, registry, journal, fanout, turns)
        async with trio.open_nursery() as connections:
            sessions = SessionManager(registry, catalog, time.time)
            door = FrontDoor(host, Endpoints(gateway, gatekeeper, pages or Pages()))
            parts = Stage(host, door, registry, table, fanout, sessions, connections, backstage)
            try:
                yield parts
            finally:
                for client in parts.clients:
                    await client.leave()
            connections.cancel_scope.cancel()
        nursery.cancel_scope.cancel()


async def _load(storage: SessionStorage, table: SessionTable, session_id: str) -> StoredSession | None:
    limits = table.limits.session
    return await storage.load(session_id, limits.log, limits.history_bytes)


async def _run(
    scope: trio.CancelScope,
    registry: SessionRegistry,
    journal: Journal,
    fanout: Fanout,
    turns: TurnRunner,
    *,
    task_status: trio.TaskStatus[None],
) -> None:
    with scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(registry.run)
            nursery.start_soon(journal.run, fanout.carry_out)
            await nursery.start(turns.run)
            task_status.started()
