"""The composition root: it wires the parts of one gateway, and holds no behaviour of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import attrs
import structlog
import trio

from .channel_manager import ChannelManager
from .channels.local import LocalChannel
from .commands import Services
from .config import Address, GatewayConfig, UnixAddress
from .connection.admission import Admission
from .connection.fanout import Fanout
from .connection.host import Host
from .connection.pool import ConnectionPool, PoolStatistics
from .errors import AgentError, GatewayError
from .http.endpoints import Endpoints
from .identity.gatekeeper import Gatekeeper
from .identity.one_token import OneToken
from .journal import Journal, JournalStatistics
from .listener.front_door import FrontDoor
from .listener.listening import PatientListener, bound_address, open_listeners
from .ports import Agent, Authenticator, Channel, SessionStorage, is_resumable
from .protocol.messages import Limits, LoggedEvent
from .registry import RegistryStatistics, SessionRegistry
from .router import MessageRouter
from .session.log import LogLimits
from .session.outcomes import OutcomeLimits
from .session.requests import AppendEvent, BroadcastEvent, Flush
from .session.residents import SessionLimits
from .session.stored import StoredSession, StoredState
from .session.table import SessionTable, TableLimits
from .session_catalog import SessionCatalog
from .session_manager import SessionManager, run_cleanup
from .storage.memory import MemoryStorage
from .turn import Turn
from .turns import TurnRunner, TurnStatistics
from .upkeep import UpkeepSchedule, run_recovery, run_upkeep
from .version import __version__

log = structlog.get_logger(__name__)


@attrs.frozen
class GatewayStatistics:
    """How a gateway is doing."""

    uptime: float
    """Seconds."""
    connections: PoolStatistics
    registry: RegistryStatistics
    journal: JournalStatistics
    turns: TurnStatistics


class Gateway:
    """
    One gateway: `trio.run(gateway.serve)`, or `await nursery.start(gateway.serve)`.

    Invariant: two gateways share nothing; one serves once.

    Args:
        config: Its settings.
        agent: Answers chats; without one they are refused with `AGENT_ERROR`.
        channels: Outside channels by their name.
        storage: Where sessions are kept; in memory by default.
        authenticate: Tells whose credentials a client shows, in place of `config.auth_token`.

    Raises:
        ConfigError: A setting is unusable.
    """

    version = __version__

    def __init__(
        self,
        config: GatewayConfig | None = None,
        *,
        agent: Agent | None = None,
        channels: Mapping[str, Channel] | None = None,
        storage: SessionStorage | None = None,
        authenticate: Authenticator | None = None,
    ) -> None:
        self.config = config or GatewayConfig()
        if authenticate is None and self.config.auth_token is not None:
            authenticate = OneToken(self.config.auth_token)
        self.config.refuse_to_stand_open(asks_who=authenticate is not None)
        self.started_at = time.time()
        self._agent = agent or _no_agent
        self._storage = storage or MemoryStorage()
        self._table = SessionTable(
            table_limits(self.config, self.limits), resume_turns=is_resumable(self._agent)
        )
        self._journal = Journal(self._storage)
        self._registry = SessionRegistry(self._table, time.time, self._journal, self._load)
        self._turns = TurnRunner(self._agent, self._registry)
        self._pool = ConnectionPool(Admission())
        self._open = trio.CancelScope()
        self._stopped = trio.Event()
        self._has_served = False
        catalog = SessionCatalog(self._registry, self._storage)
        self.sessions = SessionManager(self._registry, catalog, time.time)
        self.channels = ChannelManager(
            self._registry, LocalChannel(self._registry), channels or {}, self.config.command_timeout
        )
        services = Services(self._registry, catalog, self.channels, self)
        router = MessageRouter(services, self._agent, self.config.command_timeout)
        gatekeeper = Gatekeeper(authenticate)
        host = Host(self.config, gatekeeper, self._pool, self._registry, router, self.channels)
        self._door = FrontDoor(host, Endpoints(self, gatekeeper))

    @property
    def limits(self) -> Limits:
        """What clients are held to, as they are told."""
        return Limits(
            max_message_bytes=self.config.max_message_bytes,
            max_queued_chats=self.config.max_queued_chats,
            heartbeat_interval=self.config.heartbeat_interval,
        )

    async def serve(
        self, *, task_status: trio.TaskStatus[Sequence[Address | UnixAddress]] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """
        Serve until cancelled or stopped; either way each client is told (1001) first.

        Under `nursery.start` it returns the bound addresses once it accepts.

        Raises:
            OSError: It cannot listen there.
            StorageError: The storage cannot be used; the text says why and what to do.
            RuntimeError: This gateway has served before.
        """
        if self._has_served:
            raise RuntimeError(
                "a gateway serves once: make a new one, with the same storage to keep its sessions"
            )
        self._has_served = True
        listeners = await self._listen()
        try:
            state = await self._storage.open(self._table.limits.session.log)
            self._table.open(state)
            async with trio.open_nursery() as nursery:
                await self._start_parts(nursery, state)
                task_status.started([bound_address(listener) for listener in listeners])
                with self._open:
                    await trio.serve_listeners(self._door.serve_socket, list(listeners))
                # Up to here the parts have run, so that the last client could be told.
                await self._flush()
                nursery.cancel_scope.cancel()
        finally:
            self._registry.close()  # it has not run, if the storage could not be read
            self._stopped.set()
            with trio.move_on_after(self.config.close_timeout, shield=True):
                for listener in listeners:
                    await listener.aclose()
                await self._storage.aclose()

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """
        Serve one client that was accepted elsewhere (by a proxy of your own, say), and close its stream.

        `serve` must run meanwhile; whoever stops it also cancels this, which
        tells the client (1001).
        """
        await self._door.serve_stream(stream)

    async def stop(self) -> None:
        """Take in nobody new, tell every client, and wait until `serve` is through: some `close_timeout`."""
        self._open.cancel()
        if self._has_served:
            await self._stopped.wait()

    async def broadcast(self, event: LoggedEvent) -> int:
        """
        Send *event* to every connected client; returns its `seq` among the broadcasts.

        Waits for no client: who is slow catches up.

        Raises:
            GatewayError: `INVALID_EVENT`: the event is none that a log takes, or cannot be encoded.
        """
        return await self._registry.ask(BroadcastEvent(event))

    async def send_to(self, session_id: str, event: LoggedEvent) -> int:
        """
        Append *event* to a session's log and send it to who watches; returns its `seq`.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`, or `INVALID_EVENT` as for `broadcast`.
        """
        return await self._registry.ask(AppendEvent(session_id, event))

    def statistics(self) -> GatewayStatistics:
        """Count everything; costs a look at each session and connection."""
        uptime = round(time.time() - self.started_at, 3)
        return GatewayStatistics(
            uptime,
            self._pool.statistics(),
            self._registry.statistics(),
            self._journal.statistics(),
            self._turns.statistics(),
        )

    def why_not_ready(self) -> str | None:
        """Why no client should be sent here now; None: it may."""
        return "storage_failing" if self._journal.statistics().is_failing else None

    def metrics(self) -> bytes:
        """All metrics, in the text format of Prometheus."""
        return b""

    async def _listen(self) -> Sequence[PatientListener]:
        try:
            return await open_listeners(self.config.address)
        except OSError:
            self._has_served = False  # it may try again, when the port is free
            raise

    async def _start_parts(self, nursery: trio.Nursery, state: StoredState) -> None:
        config = self.config
        fanout = Fanout(self._pool, self._turns)
        nursery.start_soon(self._registry.run)
        nursery.start_soon(self._journal.run, fanout.carry_out)
        await nursery.start(self._turns.run)
        nursery.start_soon(run_upkeep, self._registry, self._storage, _schedule(config), time.time)
        if config.session_max_age is not None:
            nursery.start_soon(run_cleanup, self.sessions, config.session_max_age, config.cleanup_interval)
        await self.channels.open()
        if state.unfinished:
            nursery.start_soon(run_recovery, self._registry, state.unfinished)

    async def _flush(self) -> None:
        """End the turns, as a crash would: who comes next closes them. What was said so far is kept."""
        self._turns.stop()
        with trio.move_on_after(self.config.close_timeout), suppress(GatewayError):
            await self._registry.wait_well()
            await self._registry.ask(Flush())

    async def _load(self, session_id: str) -> StoredSession | None:
        limits = self._table.limits.session
        return await self._storage.load(session_id, limits.log, limits.history_bytes)


def table_limits(config: GatewayConfig, wire: Limits) -> TableLimits:
    """What *config* says of sessions and channels."""
    outcomes = OutcomeLimits(
        config.idempotency_max_age, config.idempotency_max_count, config.idempotency_max_bytes
    )
    return TableLimits(
        session=SessionLimits(
            log=LogLimits(config.log_max_events, config.log_max_bytes, config.log_max_age),
            history_bytes=config.history_max_bytes,
            outcomes=outcomes,
        ),
        total_log_bytes=config.log_total_bytes,
        max_sessions=config.max_sessions,
        max_channels=config.max_channels,
        max_queued_chats=config.max_queued_chats,
        wire=wire,
    )


def _schedule(config: GatewayConfig) -> UpkeepSchedule:
    return UpkeepSchedule(
        interval=config.upkeep_interval,
        max_idle=config.session_idle_timeout,
        log_max_age=config.log_max_age,
        log_total_bytes=config.log_total_bytes,
        outcome_max_age=config.idempotency_max_age,
    )


async def _no_agent(turn: Turn) -> None:
    raise AgentError("this gateway has no agent: give it one, as in Gateway(config, agent=my_agent)")
