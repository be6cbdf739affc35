"""A session with an agent behind it and no network in front: the real registry, journal and turns."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import attrs
import trio

from bamboo_gateway.journal import Journal
from bamboo_gateway.ports import Agent
from bamboo_gateway.principal import Quotas
from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Chat,
    Error,
    Json,
    Limits,
    LoggedEvent,
    TokenUsage,
)
from bamboo_gateway.registry import SessionRegistry
from bamboo_gateway.session.effects import CancelTurn, Deliver, Effect, StartTurn
from bamboo_gateway.session.limits import SessionLimits, TableLimits
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.outcomes import OutcomeLimits
from bamboo_gateway.session.requests import OPERATOR, AbortTurn, Attach, Caller, SubmitChat
from bamboo_gateway.session.session import ConnectionHandle
from bamboo_gateway.session.table import SessionTable
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turns import TurnRunner

HANG = 30.0
"""Seconds after which a test that waits in vain fails."""

LIMITS = TableLimits(
    session=SessionLimits(
        log=LogLimits(max_events=10_000, max_bytes=10_000_000),
        history_bytes=1_000_000,
        outcomes=OutcomeLimits(max_age=1.0, max_count=1, max_bytes=1),
    ),
    total_log_bytes=10_000_000,
    max_sessions=1,
    max_channels=1,
    max_queued_chats=1,
    quotas=Quotas(),
    wire=Limits(max_message_bytes=1, max_queued_chats=1, heartbeat_interval=1.0),
)


@attrs.frozen
class Answer:
    """The events of one turn."""

    events: Sequence[LoggedEvent]

    @property
    def tokens(self) -> list[str]:
        """The pieces of the answer, as they came."""
        return [event.token for event in self.events if isinstance(event, AgentToken)]

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self.tokens)

    @property
    def tool_calls(self) -> list[tuple[AgentToolStart, AgentToolComplete]]:
        """The tool calls with their results, in order."""
        starts = [event for event in self.events if isinstance(event, AgentToolStart)]
        ends = [event for event in self.events if isinstance(event, AgentToolComplete)]
        return list(zip(starts, ends, strict=True))

    @property
    def usage(self) -> TokenUsage:
        """What a turn that went well has cost."""
        assert isinstance(self.events[-1], AgentComplete), self.events[-1]
        return self.events[-1].usage

    @property
    def error(self) -> str:
        """What a turn that failed says."""
        assert isinstance(self.events[-1], Error), self.events[-1]
        assert self.events[-1].code == "AGENT_ERROR"
        return self.events[-1].message


class Conversation:
    """One session; chats go in, events come out."""

    def __init__(self, agent: Agent) -> None:
        self._journal = Journal(MemoryStorage())
        self._registry = SessionRegistry(SessionTable(LIMITS), time.time, self._journal, _load_nothing)
        self._runner = TurnRunner(agent, self._registry)
        self._caller = Caller(OPERATOR.principal, "connection")
        self._events: list[LoggedEvent] = []
        self._grown = trio.Event()
        self._runs = 0

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the session until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._registry.run)
            nursery.start_soon(self._journal.run, self._deliver)
            await nursery.start(self._runner.run)
            watcher = ConnectionHandle("connection", OPERATOR.principal.user_id)
            await self._registry.ask(Attach(self._caller, watcher, None, new_session_id="session"))
            task_status.started()

    async def say(self, content: str, metadata: dict[str, Json] | None = None) -> Answer:
        """Send a chat; return the answer when it is over."""
        await self.begin(content, metadata)
        return await self.answer(lambda answer: isinstance(answer.events[-1], AgentComplete | Error))

    async def begin(self, content: str, metadata: dict[str, Json] | None = None) -> None:
        """Send a chat."""
        self._runs += 1
        chat = Chat(content, "session", metadata=metadata)
        await self._registry.ask(SubmitChat(self._caller, chat, f"run-{self._runs}"))

    async def answer(self, is_enough: Callable[[Answer], bool]) -> Answer:
        """Wait until the newest answer is as far as *is_enough* wants it."""
        with trio.fail_after(HANG):
            while True:
                run_id = f"run-{self._runs}"
                answer = Answer([event for event in self._events if event.run_id == run_id])
                if answer.events and is_enough(answer):
                    return answer
                await self._grown.wait()

    async def abort(self) -> None:
        """Abort the turn, and wait until its task is gone."""
        await self._registry.ask(AbortTurn(self._caller))
        with trio.fail_after(HANG):
            while self._runner.statistics().running:
                await trio.lowlevel.checkpoint()

    async def _deliver(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case StartTurn():
                    self._runner.start(effect)
                case CancelTurn():
                    self._runner.cancel(effect.run_id)
                case Deliver():
                    effect.log.show(effect.entry.seq)
                    self._events.append(effect.entry.event)
                case _:
                    pass  # for connections, of which there are none
        self._grown.set()
        self._grown = trio.Event()


async def _load_nothing(session_id: str) -> None:
    """The one session is in memory."""


@asynccontextmanager
async def conversation(agent: Agent) -> AsyncIterator[Conversation]:
    """A session with *agent*, for as long as the block lasts."""
    talk = Conversation(agent)
    async with trio.open_nursery() as nursery:
        await nursery.start(talk.run)
        yield talk
        nursery.cancel_scope.cancel()
