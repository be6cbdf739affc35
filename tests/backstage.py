"""
A gateway without its sockets: the real registry, journal, turns, channels and router, run as a gateway does.

In the place of connections stands a record of all that was let out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs
import trio

from bamboo_gateway.channel_manager import ChannelManager
from bamboo_gateway.channels.local import LocalChannel
from bamboo_gateway.commands import Services
from bamboo_gateway.commands.context import ConnectionInfo
from bamboo_gateway.histogram import HistogramSnapshot
from bamboo_gateway.journal import Journal
from bamboo_gateway.ports import Agent, Channel, SessionStorage, is_resumable
from bamboo_gateway.principal import Principal, Scope
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import (
    AgentToken,
    Chat,
    Command,
    CommandResult,
    Json,
    Limits,
    LoggedEvent,
)
from bamboo_gateway.registry import SessionRegistry
from bamboo_gateway.router import MessageRouter, Response
from bamboo_gateway.session.effects import CancelTurn, Deliver, Effect, StartTurn
from bamboo_gateway.session.requests import AppendEvent, Attach, Caller, Request, SubmitChat
from bamboo_gateway.session.session import ConnectionHandle
from bamboo_gateway.session.stored import StoredSession
from bamboo_gateway.session_catalog import SessionCatalog
from bamboo_gateway.session_manager import SessionManager
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn
from bamboo_gateway.turns import TurnRunner
from tests.session.tables import EPOCH, NOW, WIRE, new_table

ReplyT = TypeVar("ReplyT")

HANG = 20.0
"""Seconds after which a test that waits in vain fails."""


ALL = frozenset(Scope) - {Scope.ADMIN}
"""Whatever a principal can be allowed, and nobody else's sessions."""


async def mute(turn: Turn) -> None:
    """An agent that has nothing to say."""


@attrs.frozen
class Statistics:
    """How this gateway does."""

    connections: int = 3
    closed: dict[str, int] = attrs.field(factory=lambda: {"1001": 2})


@attrs.frozen
class Report:
    """What this gateway says of itself."""

    version: str = "1.2.3"
    started_at: float = NOW
    limits: Limits = WIRE

    def statistics(self) -> Statistics:
        """Count."""
        return Statistics()

    def histograms(self) -> dict[str, HistogramSnapshot]:
        """Measure."""
        return {"loop_lag": HistogramSnapshot((0.5, 1.0), (3, 2, 1), 4.25)}


class Backstage:
    """
    The parts of one gateway.

    Args:
        agent: Answers chats.
        storage: Keeps the sessions.
        outside: Channels that go on elsewhere.
        limits: Override those of `tests.session.tables.LIMITS`.
    """

    def __init__(
        self,
        agent: Agent = mute,
        storage: SessionStorage | None = None,
        outside: Mapping[str, Channel] | None = None,
        **limits: Any,
    ) -> None:
        self.now = NOW
        """What the registry's clock shows."""
        self.storage = storage or MemoryStorage()
        self.table = new_table(resume_turns=is_resumable(agent), **limits)
        self.journal = Journal(self.storage)
        self.registry = SessionRegistry(self.table, lambda: self.now, self.journal, self.load)
        self.turns = TurnRunner(agent, self.registry)
        self.catalog = SessionCatalog(self.registry, self.storage)
        self.sessions = SessionManager(self.registry, self.catalog, lambda: self.now)
        self.channels = ChannelManager(
            self.registry, LocalChannel(self.registry), outside or {}, send_timeout=10.0
        )
        self.services = Services(
            self.registry,
            self.catalog,
            self.channels,
            Report(),
            self.reauthenticate,
            self.list_connections,
        )
        self.router = MessageRouter(self.services, agent, command_timeout=5.0)
        self.effects: list[Effect] = []
        """All that was let out."""
        self.events: dict[str, list[LoggedEvent]] = {}
        """The entries of each log, by its name."""
        self._changed = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run all the parts until cancelled."""
        limits = self.table.limits.session
        self.table.open(attrs.evolve(await self.storage.open(limits.log), epoch=EPOCH))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.registry.run)
            nursery.start_soon(self.journal.run, self.deliver)
            await nursery.start(self.turns.run)
            await self.channels.open()
            task_status.started()

    async def load(self, session_id: str) -> StoredSession | None:
        """Read a session from the storage."""
        limits = self.table.limits.session
        return await self.storage.load(session_id, limits.log, limits.history_bytes)

    async def reauthenticate(self, connection_id: str | None, token: str) -> Principal:
        """The token says whose it is."""
        return Principal(token, ALL)

    def list_connections(self, after: int, limit: int) -> tuple[Sequence[ConnectionInfo], int | None]:
        """Some that are always there."""
        page = [
            ConnectionInfo(f"c{number}", "ann", "s1", 2, None, "unix", number, "live", 0)
            for number in range(after + 1, 6)
        ][:limit]
        following = after + limit
        return page, following if following < 5 else None

    async def deliver(self, effects: Sequence[Effect]) -> None:
        """Let *effects* out."""
        self.effects += effects
        for effect in effects:
            match effect:
                case StartTurn():
                    self.turns.start(effect)
                case CancelTurn(run_id):
                    self.turns.cancel(run_id)
                case Deliver(log, entry):
                    log.show(entry.seq)
                    heard = self.events.setdefault(log.name, [])
                    chunk = log.read(len(heard), 10**9)
                    heard += [entry.event for entry in chunk.entries]
                case _:
                    pass  # for connections, or for the storage
        self._changed.set()
        self._changed = trio.Event()

    # ── what tests do with it ────────────────────────────────────────────────

    async def ask(self, request: Request[ReplyT]) -> ReplyT:
        """Ask the registry."""
        with trio.fail_after(HANG):
            return await self.registry.ask(request)

    async def connect(
        self,
        connection_id: str = "c1",
        session_id: str = "s1",
        user_id: str = "ann",
        protocol: int = 2,
        scopes: frozenset[Scope] = ALL,
    ) -> Caller:
        """A connection that watches the session, which is made if there is none."""
        caller = Caller(Principal(user_id, scopes), connection_id)
        watcher = ConnectionHandle(connection_id, user_id, protocol=protocol)
        await self.ask(Attach(caller, watcher, session_id, new_session_id=session_id))
        return caller

    async def chat(
        self, caller: Caller, content: str = "hi", run_id: str = "r1", session_id: str = "s1"
    ) -> None:
        """A chat to the agent."""
        await self.ask(SubmitChat(caller, Chat(content, session_id), run_id))

    async def ask_to_append(self, text: str, session_id: str = "s1") -> int:
        """An embedder's token."""
        return await self.ask(AppendEvent(session_id, AgentToken(session_id, text)))

    async def command(
        self, caller: Caller, name: str, args: Json = None, session_id: str | None = None
    ) -> CommandResult:
        """What a client is answered to a command."""
        with trio.fail_after(HANG):
            routed = await self.router.route(caller, Command(name, args, session_id=session_id))
        assert isinstance(routed, Response)
        assert isinstance(routed.event, CommandResult)
        codec.encode(routed.event)
        return routed.event

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that was let out, or a turn's end, has made *condition* true."""
        with trio.fail_after(HANG):
            while not condition():
                await self._changed.wait()

    async def settle(self) -> None:
        """Wait until every turn's task has ended."""
        with trio.fail_after(HANG):
            while self.turns.statistics().running:
                await trio.lowlevel.checkpoint()

    def turn(self, run_id: str = "r1", session_id: str = "s1") -> list[LoggedEvent]:
        """What was let out of one turn, without its time."""
        stamp: dict[str, Any] = {"ts": None, "seq": None}
        events = self.events.get(session_id, [])
        return [attrs.evolve(event, **stamp) for event in events if event.run_id == run_id]


@asynccontextmanager
async def backstage(agent: Agent = mute, **settings: Any) -> AsyncIterator[Backstage]:
    """The parts of one gateway, for as long as the block lasts."""
    stage = Backstage(agent, **settings)
    async with trio.open_nursery() as nursery:
        await nursery.start(stage.run)
        yield stage
        nursery.cancel_scope.cancel()
