"""What an agent is given: one chat to answer, and the ways to answer it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import attrs

from .errors import explain
from .protocol import strict_json
from .protocol.messages import AgentToken, AgentToolComplete, AgentToolStart, Chat, Json, LoggedEvent
from .session.history import HistoryMessage
from .session.session import Session
from .trace_context import TraceContext


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
    """The newest part of the conversation before `message`, oldest first."""
    _emit: Callable[[LoggedEvent], Awaitable[None]] = attrs.field(repr=False)
    """Adds an event to the session's log; waits while the gateway is busy, or its storage fails."""
    partial: HistoryMessage | None = attrs.field(default=None, kw_only=True)
    """
    The answer as far as it had come when an earlier gateway ended: to be gone on with, not to be said again.

    Only for an agent that declares itself resumable (`resume = True`).
    """

    @property
    def traceparent(self) -> str | None:
        """
        The trace that this turn is part of, as the header `traceparent` of W3C Trace Context; None: of none.

        It is what the chat's `metadata.traceparent` says, if that is valid. An agent
        sends it on with whatever it asks of others.
        """
        context = TraceContext.of(self.message)
        return context.traceparent if context else None

    @property
    def tracestate(self) -> str | None:
        """The header `tracestate` that belongs to `traceparent`, from `metadata.tracestate`."""
        context = TraceContext.of(self.message)
        return context.tracestate if context else None

    async def token(self, text: str) -> None:
        """
        Stream a piece of the answer to every watcher.

        Gives way to other tasks when the gateway is behind with this turn, and
        waits while the storage fails; it does not wait for any client. A cancel
        is felt at each call. An empty *text* is nothing.
        """
        if text:
            await self._emit(AgentToken(self.session.id, text))

    @asynccontextmanager
    async def tool(self, name: str, args: Json = None) -> AsyncIterator[ToolCall]:
        """
        Show a tool call to every watcher: its start on entry, its outcome on leaving.

        An exception that leaves the block is shown as the tool's failure
        (`ok: false`; its text only if it is an `AgentError`) and goes on. So
        does a result that is no JSON.
        """
        call = ToolCall(uuid.uuid4().hex, name, args)
        await self._emit(AgentToolStart(self.session.id, name, tool_call_id=call.id, args=args))
        try:
            yield call
            result = call.result if isinstance(call.result, str) else strict_json.dump(call.result).decode()
        except Exception as error:
            await self._complete(call, explain(error, "the tool"), ok=False)
            raise
        await self._complete(call, result, ok=True)

    async def _complete(self, call: ToolCall, result: str, *, ok: bool) -> None:
        await self._emit(AgentToolComplete(self.session.id, call.name, result, tool_call_id=call.id, ok=ok))
