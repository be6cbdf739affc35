"""
The tasks in which agents answer.

A turn never touches session state; it asks the registry. Its end, too, is told
to the registry, which closes the turn and begins the next in one step.
"""

from __future__ import annotations

import traceback
from collections import Counter
from functools import partial
from typing import Literal, TypeAlias, get_args

import attrs
import structlog
import trio
from structlog.contextvars import bind_contextvars

from .errors import AgentError, ErrorCode, explain
from .histogram import Histogram, HistogramSnapshot
from .ports import Agent
from .protocol import codec
from .protocol.messages import AgentComplete, Chat, Error, TokenUsage
from .registry import SessionRegistry
from .session.effects import StartTurn
from .session.requests import EndTurn
from .trace_context import TraceContext
from .turn import Turn

log = structlog.get_logger(__name__)

Outcome: TypeAlias = Literal["completed", "failed", "aborted"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_DURATION_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds: an agent may look something up, ask a model, or work for an hour."""


@attrs.frozen
class TurnStatistics:
    """How many turns run, and how the others ended."""

    running: int
    completed: int
    failed: int
    aborted: int


class TurnRunner:
    """
    Runs the agent, one task a turn.

    Invariant: a scope is listed exactly while its turn's task runs; a turn that
    the registry cancelled says nothing more.
    """

    def __init__(self, agent: Agent, registry: SessionRegistry) -> None:
        self._agent = agent
        self._registry = registry
        self._scopes: dict[str, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self._is_ending = False
        self._ended = trio.lowlevel.ParkingLot()
        self._outcomes: Counter[Outcome] = Counter()
        self._durations = {outcome: Histogram(_DURATION_BOUNDS) for outcome in OUTCOMES}

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the tasks of all turns until cancelled."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            try:
                await trio.sleep_forever()
            finally:
                self._is_ending = True

    def stop(self) -> None:
        """Cancel every turn, without closing any: what they have said stands, and they say nothing more."""
        for scope in self._scopes.values():
            scope.cancel()

    async def wait_idle(self) -> None:
        """Wait until no turn runs; what they have said is then on its way through the registry."""
        while self._scopes:
            await self._ended.park()

    def start(self, effect: StartTurn) -> None:
        """Begin a turn; it ends by itself, by `cancel`, or with `run`, after which none begins."""
        assert self._nursery is not None, "turns begin only while `run` runs"
        if self._is_ending:
            return  # a commit came through when the gateway was cancelled; who comes next finds it stored
        scope = self._scopes[effect.run_id] = trio.CancelScope()
        self._nursery.start_soon(self._run_turn, effect, scope)

    def cancel(self, run_id: str) -> None:
        """Cancel a turn which the registry has closed; one that is over stays over."""
        if scope := self._scopes.get(run_id):
            scope.cancel()

    def statistics(self) -> TurnStatistics:
        """Count the turns that run and how the others ended."""
        return TurnStatistics(len(self._scopes), **{name: self._outcomes[name] for name in OUTCOMES})

    def durations(self) -> dict[Outcome, HistogramSnapshot]:
        """How many seconds the turns took that are over."""
        return {outcome: histogram.snapshot() for outcome, histogram in self._durations.items()}

    async def _run_turn(self, effect: StartTurn, scope: trio.CancelScope) -> None:
        session_id, run_id, began = effect.session.id, effect.run_id, trio.current_time()
        # The task's own: whatever is logged in it, also by the agent and its libraries, says whose it is.
        bind_contextvars(session=session_id, run=run_id, **_trace(effect.chat))
        try:
            with scope:
                outcome = await self._answer(effect)
                # An agent, who has the most to tell, waits while the storage fails.
                await self._registry.wait_well()
                await self._registry.tell(EndTurn(session_id, run_id, outcome))
                self._count("completed" if isinstance(outcome, AgentComplete) else "failed", began)
            if scope.cancelled_caught:
                self._count("aborted", began)
        finally:
            del self._scopes[run_id]
            self._ended.unpark_all()

    def _count(self, outcome: Outcome, began: float) -> None:
        self._outcomes[outcome] += 1
        self._durations[outcome].observe(trio.current_time() - began)

    async def _answer(self, effect: StartTurn) -> AgentComplete | Error:
        """Call the agent. Whatever it raises, also while it is cancelled, ends this turn and nothing else."""
        session_id, run_id = effect.session.id, effect.run_id

        emit = partial(self._registry.emit, session_id, run_id)
        turn = Turn(effect.session, run_id, effect.chat, effect.history, emit, partial=effect.partial)
        outcome: AgentComplete | Error
        try:
            outcome = AgentComplete(session_id, _checked(await self._agent(turn)))
        except* AgentError as group:
            log.info("turn failed", session=session_id, run=run_id)
            outcome = Error(ErrorCode.AGENT_ERROR, explain(group, "the agent"), session_id=session_id)
        # `sys.exit()` in some library that an agent uses is no wish to stop the gateway.
        except* (Exception, SystemExit) as group:  # noqa: BLE001 -- logged, without local variables
            log.error("agent raised", exception=traceback.format_exc(), session=session_id, run=run_id)
            outcome = Error(ErrorCode.AGENT_ERROR, explain(group, "the agent"), session_id=session_id)
        return outcome


def _trace(chat: Chat) -> dict[str, str]:
    context = TraceContext.of(chat)
    return {"trace_id": context.trace_id} if context else {}


def _checked(usage: object) -> TokenUsage:
    if usage is None:
        return TokenUsage()
    if not isinstance(usage, TokenUsage):
        raise TypeError(f"an agent returns TokenUsage or None, not {type(usage).__name__}")
    return codec.structure(codec.unstructure(usage), TokenUsage)
