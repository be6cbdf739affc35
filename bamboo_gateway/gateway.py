"""The composition root: it wires the parts of one gateway, and holds no behaviour of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal

import structlog
import trio

from .channel_manager import ChannelManager
from .channels.local import LocalChannel
from .commands import Services
from .config import Address, GatewayConfig, UnixAddress
from .connection.admission import Admission
from .connection.deliveries import Deliveries
from .connection.drain import drain, end_turns
from .connection.fanout import Fanout
from .connection.host import Host
from .connection.pool import ConnectionPool
from .connection.reauthentication import Reauthentication
from .connection.revocation import revoke, run_revocation
from .connection.roster import Roster
from .errors import AgentError
from .histogram import HistogramSnapshot
from .http.endpoints import Endpoints
from .identity.directory import TokenDirectory
from .identity.gatekeeper import Gatekeeper
from .journal import Journal
from .listener.front_door import FrontDoor
from .listener.listening import PatientListener, bound_address, open_listeners
from .listener.tls import make_context
from .loop_lag import MAX_LAG, LoopLag, run_loop_watch
from .metrics import expose
from .ports import Agent, Authenticator, Channel, SessionStorage, asks_who, is_resumable
from .principal import Quotas
from .protocol.messages import Limits, LoggedEvent
from .registry import SessionRegistry
from .router import MessageRouter
from .session.limits import SessionLimits, TableLimits
from .session.log import LogLimits
from .session.outcomes import OutcomeLimits
from .session.requests import AppendEvent, BroadcastEvent, ReplaceLimits
from .session.stored import StoredSession, StoredState
from .session.table import SessionTable
from .session_catalog import SessionCatalog
from .session_manager import SessionManager, run_cleanup
from .statistics import GatewayStatistics, Measurements, named_histograms
from .storage.memory import MemoryStorage
from .turn import Turn
from .turns import TurnRunner
from .upkeep import UpkeepSchedule, end_temporary, run_recovery, run_upkeep
from .version import __version__

log = structlog.get_logger(__name__)


class Gateway:
    """
    One gateway: `trio.run(gateway.serve)`, or `await nursery.start(gateway.serve)`.

    Invariant: two gateways share nothing; one serves once.

    Args:
        config: Its settings.
        agent: Answers chats; without one they are refused with `AGENT_ERROR`.
        channels: Outside channels by their name.
        storage: Where sessions are kept; in memory by default.
        authenticate: Tells whose credentials a client shows, in place of `config.auth_token` and
            `config.principals`.

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
        authenticate = authenticate or TokenDirectory(self.config)
        self.config.refuse_to_stand_open(asks_who=asks_who(authenticate))
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
        self._deliveries = Deliveries()
        self._loop_lag = LoopLag()
        self._open = trio.CancelScope()
        self._stopped = trio.Event()
        self._has_served = False
        self._accepts = False
        catalog = SessionCatalog(self._registry, self._storage)
        self.sessions = SessionManager(self._registry, catalog, time.time)
        self.channels = ChannelManager(
            self._registry, LocalChannel(self._registry), channels or {}, self.config.command_timeout
        )
        gatekeeper = Gatekeeper(authenticate, lambda: self._host.config)
        reauthenticate = Reauthentication(self._pool, gatekeeper)
        roster = Roster(self._pool)
        services = Services(self._registry, catalog, self.channels, self, reauthenticate, roster)
        router = MessageRouter(services, self._agent, self.config.command_timeout)
        self._host = Host(self.config, gatekeeper, self._pool, self._registry, router, self.channels)
        self._door = FrontDoor(self._host, Endpoints(self, gatekeeper))

    @property
    def state(self) -> Literal["starting", "serving", "draining", "stopped"]:
        """How far it is; only while it is `serving` does it take in anybody new."""
        if self._stopped.is_set():
            return "stopped"
        if self._host.is_draining or self._open.cancel_called:
            return "draining"
        return "serving" if self._accepts else "starting"

    @property
    def asks_who(self) -> bool:
        """Do clients have to say who they are?"""
        return self._host.gatekeeper.asks

    @property
    def is_ready(self) -> bool:
        """Does it take in clients?"""
        return self.state == "serving"

    @property
    def has_console(self) -> bool:
        """Are the web console and the client module served?"""
        return self.config.console

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
                self._accepts = True
                task_status.started([bound_address(listener) for listener in listeners])
                with self._open:
                    await trio.serve_listeners(self._door.serve_socket, list(listeners))
                # Up to here the parts have run, so that the last client could be told.
                await end_turns(self._host, self._turns)
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

    async def drain(self) -> None:
        """
        Stop without cutting anybody short, and wait until `serve` is through.

        Nothing new is taken in (`STOPPING`), every client is told; turns that run
        get `drain_timeout` to come to their end, chats that wait are left to the
        next gateway; then the clients are let go of, one after the other (1012).

        Cancelled, it stays as far as it has come: `stop`, or drain again.
        """
        if self._accepts and not self._open.cancel_called:
            with suppress(trio.BrokenResourceError):  # `serve` was ended otherwise meanwhile
                await drain(self._host, self._turns)
        await self.stop()

    async def stop(self) -> None:
        """Take in nobody new, tell every client, and wait until `serve` is through: some `close_timeout`."""
        self._open.cancel()
        if self._has_served:
            await self._stopped.wait()

    async def reload(self, config: GatewayConfig) -> Sequence[str]:
        """
        Go on with the settings of *config*, as far as a gateway that runs can.

        Clients that are connected keep what was agreed with them: their
        heartbeat, the deadlines of their connection.

        Returns:
            The names of the settings that are others there, and wait for a restart.

        Raises:
            ConfigError: It cannot go on with these; nothing has changed.
            trio.BrokenResourceError: It has stopped.
        """
        config.refuse_to_stand_open(asks_who=self._host.gatekeeper.asks)
        config, waiting = self.config.succeeded_by(config)
        context = make_context(config)  # refuses what is of no use, as does what follows; then nothing may
        self._host.gatekeeper.configure(config)
        self._door.show(context)
        self.config = self._host.config = config
        await self._registry.ask(ReplaceLimits(table_limits(config, self.limits)))
        return waiting

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

    def revoke(self, user_id: str) -> int:
        """
        Close every connection of *user_id* (4006); returns how many there were.

        For a program that brings its own `authenticate`, which has to refuse them
        from then on; the tokens of the gateway's own are watched by itself.
        """
        return revoke(self._host, user_id)

    def statistics(self) -> GatewayStatistics:
        """Count everything; costs a look at each session and connection."""
        return GatewayStatistics(
            uptime=round(time.time() - self.started_at, 3),
            loop_lag=self._loop_lag.last,
            connections=self._pool.statistics(),
            deliveries=self._deliveries.statistics(),
            registry=self._registry.statistics(),
            journal=self._journal.statistics(),
            turns=self._turns.statistics(),
        )

    def histograms(self) -> Mapping[str, HistogramSnapshot]:
        """How long things took since the start, in seconds, as `gateway.stats` shows it."""
        return named_histograms(
            self._journal.histograms(), self._turns.durations(), self._loop_lag.snapshot()
        )

    def metrics(self) -> bytes:
        """
        Write the metrics as text for Prometheus; the content type is `metrics.CONTENT_TYPE`.

        Costs what `statistics` does and a millisecond more; the first call some 50, for an import.
        """
        return expose(self.measure())

    def measure(self) -> Measurements:
        """Everything that the metrics are read from."""
        statistics = self.statistics()
        return Measurements(
            statistics=statistics,
            rate_limited=self._host.rates.refused,
            journal=self._journal.histograms(),
            turn_durations=self._turns.durations(),
            loop_lag=self._loop_lag.snapshot(),
        )

    def why_not_ready(self) -> str | None:
        """Why no client should be sent here now; None: it may."""
        if not self.is_ready:
            return self.state
        if self._journal.is_failing:
            return "storage failing"
        return "event loop lagging" if self._loop_lag.last > MAX_LAG else None

    async def _listen(self) -> Sequence[PatientListener]:
        try:
            return await open_listeners(self.config.address)
        except OSError:
            self._has_served = False  # it may try again, when the port is free
            raise

    async def _start_parts(self, nursery: trio.Nursery, state: StoredState) -> None:
        config = self.config
        fanout = Fanout(self._pool, self._turns, self._deliveries)
        nursery.start_soon(self._registry.run)
        nursery.start_soon(self._journal.run, fanout.carry_out)
        await nursery.start(self._turns.run)
        nursery.start_soon(run_revocation, self._host)
        nursery.start_soon(run_loop_watch, self._loop_lag)
        nursery.start_soon(run_upkeep, self._registry, self._storage, _schedule(config), time.time)
        if config.session_max_age is not None:
            nursery.start_soon(run_cleanup, self.sessions, config.session_max_age, config.cleanup_interval)
        await self.channels.open()
        await end_temporary(self._registry, state.temporary)  # before somebody comes back to one
        ended = frozenset(state.temporary)
        unfinished = [each for each in state.unfinished if each not in ended]
        if unfinished:
            nursery.start_soon(run_recovery, self._registry, unfinished)

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
        quotas=Quotas(
            max_sessions=config.max_sessions_per_principal,
            max_channels=config.max_channels_per_principal,
            max_queued_chats=config.max_queued_chats_per_principal,
        ),
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
