"""
One answer of the agent: the `Turn` it streams through, and the tasks that run turns.

A turn never touches session state; it asks the registry. Its end, too, is told
to the registry, which closes the turn and begins the next in one step.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias, get_args

import attrs
import structlog
import trio

from .errors import AgentError, ErrorCode
from .ports import Agent
from .protocol import codec, strict_json
from .protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Chat,
    Error,
    Json,
    LoggedEvent,
    TokenUsage,
)
from .registry import SessionRegistry
from .session.effects import StartTurn
from .session.history import HistoryMessage
from .session.requests import EmitEvent, EndTurn
from .session.session import Session

log = structlog.get_logger(__name__)

Outcome: TypeAlias = Literal["completed", "failed", "aborted"]


@attrs.frozen
class TurnStatistics:
    """How many turns run, and how the others ended."""

    running: int
    completed: int
    failed: int
    aborted: int


@attrs.define
class ToolCall:
    """One call of a tool; set `result` before the block ends."""

    id: str
    name: str
    args: Json
    result: Json = None
    """Shown to clients as text: a string as it is, anything else as JSON."""


@attrs.frozen
class Turn:
    """What an agent is given: a chat to answer, and the ways to answer it."""

    session: Session
    """As it was when the turn began."""
    run_id: str
    message: Chat
    history: Sequence[HistoryMessage]
    """The conversation before `message`, oldest first."""
    _registry: SessionRegistry = attrs.field(repr=False)

    async def token(self, text: str) -> None:
        """
        Stream a piece of the answer to every watcher.

        Waits while the gateway is busy; it does not wait for any client. An
        empty *text* is nothing.
        """
        if text:
            await self._emit(AgentToken(self.session.id, text))

    @asynccontextmanager
    async def tool(self, name: str, args: Json = None) -> AsyncIterator[ToolCall]:
        """
        Show a tool call to every watcher: its start on entry, its outcome on leaving.

        An exception that leaves the block is shown as the tool's failure
        (`ok: false`) and goes on.
        """
        call = ToolCall(uuid.uuid4().hex, name, args)
        await self._emit(AgentToolStart(self.session.id, name, tool_call_id=call.id, args=args))
        try:
            yield call
        except Exception as error:
            await self._emit(self._complete(call, f"{type(error).__name__}: {error}", ok=False))
            raise
        result = call.result if isinstance(call.result, str) else strict_json.dump(call.result).decode()
        await self._emit(self._complete(call, result, ok=True))

    def _complete(self, call: ToolCall, result: str, *, ok: bool) -> AgentToolComplete:
        return AgentToolComplete(self.session.id, call.name, result, tool_call_id=call.id, ok=ok)

    async def _emit(self, event: LoggedEvent) -> None:
        await self._registry.tell(EmitEvent(self.session.id, self.run_id, event))


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
        self._outcomes: Counter[Outcome] = Counter()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold the tasks of all turns until cancelled."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await trio.sleep_forever()

    def start(self, effect: StartTurn) -> None:
        """Begin a turn; it ends by itself, by `cancel`, or with `run`."""
        assert self._nursery is not None, "turns begin only while `run` runs"
        scope = self._scopes[effect.run_id] = trio.CancelScope()
        self._nursery.start_soon(self._run_turn, effect, scope)

    def cancel(self, run_id: str) -> None:
        """Cancel a turn which the registry has closed; one that is over stays over."""
        if scope := self._scopes.get(run_id):
            scope.cancel()

    def statistics(self) -> TurnStatistics:
        """Count the turns that run and how the others ended."""
        return TurnStatistics(len(self._scopes), **{name: self._outcomes[name] for name in get_args(Outcome)})

    async def _run_turn(self, effect: StartTurn, scope: trio.CancelScope) -> None:
        session_id, run_id = effect.session.id, effect.run_id
        try:
            with scope:
                outcome = await self._answer(effect)
                self._outcomes["completed" if isinstance(outcome, AgentComplete) else "failed"] += 1
                await self._registry.tell(EndTurn(session_id, run_id, outcome))
            if scope.cancelled_caught:
                self._outcomes["aborted"] += 1
        finally:
            del self._scopes[run_id]

    async def _answer(self, effect: StartTurn) -> AgentComplete | Error:
        """Call the agent. Whatever it raises ends this turn and nothing else."""
        session_id = effect.session.id
        turn = Turn(effect.session, effect.run_id, effect.chat, effect.history, self._registry)
        try:
            usage = await self._agent(turn)
            return AgentComplete(session_id, _checked(usage))
        except AgentError as error:
            log.info("turn failed", session=session_id, run=effect.run_id, error=type(error).__name__)
            message = _printable(str(error))
        except Exception as error:
            # The text of an unforeseen error may hold anything: it is for the operator, not for the client.
            log.exception("agent raised", session=session_id, run=effect.run_id)
            message = f"the agent failed with {type(error).__name__}"
        return Error(ErrorCode.AGENT_ERROR, message, session_id=session_id)


def _checked(usage: object) -> TokenUsage:
    if usage is None:
        return TokenUsage()
    if not isinstance(usage, TokenUsage):
        raise TypeError(f"an agent returns TokenUsage or None, not {type(usage).__name__}")
    return codec.structure(codec.unstructure(usage), TokenUsage)


def _printable(text: str) -> str:
    """Error texts come from anywhere; a lone surrogate in one could not be sent."""
    return text.encode(errors="replace").decode()
