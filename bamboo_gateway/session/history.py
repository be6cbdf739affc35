"""The conversation of a session, as a person would read it back: user and assistant messages with their tool calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Literal

import attrs

from ..protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Error,
    Json,
    LoggedEvent,
)

Status = Literal["running", "complete", "failed"]


@attrs.frozen
class ToolRecord:
    """One tool call of an assistant message."""

    id: str
    tool: str
    args: Json = None
    result: str | None = None
    """None: it has not come back."""
    ok: bool | None = None


@attrs.frozen
class HistoryMessage:
    """One message of the conversation."""

    role: Literal["user", "assistant"]
    content: str
    run_id: str
    ts: int
    """Unix milliseconds when it began."""
    status: Status = "complete"
    """`failed`: the content is partial; the turn was aborted or its agent raised."""
    tool_calls: tuple[ToolRecord, ...] = ()


@attrs.define
class _Answer:
    """An assistant message while it grows: tokens are joined once, when somebody reads them."""

    run_id: str
    ts: int
    parts: list[str] = attrs.field(factory=list)
    tools: dict[str, ToolRecord] = attrs.field(factory=dict)
    status: Status = "running"

    def message(self) -> HistoryMessage:
        return HistoryMessage(
            "assistant", "".join(self.parts), self.run_id, self.ts, self.status, tuple(self.tools.values())
        )


class History:
    """
    The newest messages of one conversation, within *max_bytes* of text.

    Invariant: messages stand in the order of their turns, and at most the last
    one is running.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._messages: deque[HistoryMessage] = deque()
        self._answer: _Answer | None = None
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._messages) + (self._answer is not None)

    def __iter__(self) -> Iterator[HistoryMessage]:
        yield from self._messages
        if self._answer is not None:
            yield self._answer.message()

    @property
    def dropped(self) -> int:
        """How many of the oldest messages were let go: the number of the first that is left."""
        return self._dropped

    def begin(self, run_id: str, content: str, ts: int) -> None:
        """A turn begins with what the user said."""
        self._keep(HistoryMessage("user", content, run_id, ts))
        self._answer = _Answer(run_id, ts)

    def record(self, event: LoggedEvent, ts: int) -> None:
        """Fold one event of the running turn into its answer; events of no turn are no conversation."""
        answer = self._answer
        if answer is None or event.run_id != answer.run_id:
            return
        match event:
            case AgentToken():
                answer.parts.append(event.token)
                self._bytes += len(event.token)
            case AgentToolStart():
                call_id = event.tool_call_id or event.tool
                answer.tools[call_id] = ToolRecord(call_id, event.tool, event.args)
            case AgentToolComplete():
                call_id = event.tool_call_id or event.tool
                started = answer.tools.get(call_id, ToolRecord(call_id, event.tool))
                answer.tools[call_id] = attrs.evolve(started, result=event.result, ok=event.ok)
                self._bytes += len(event.result)
            case AgentComplete() | Error():
                self._finish("complete" if isinstance(event, AgentComplete) else "failed")
            case _:
                pass

    def page(self, limit: int, before: int | None = None) -> tuple[int, list[HistoryMessage]]:
        """The last *limit* messages ahead of number *before*, and the number of the first of them."""
        messages = list(self)
        end = len(messages) if before is None else max(0, min(before - self._dropped, len(messages)))
        start = max(0, end - limit)
        return self._dropped + start, messages[start:end]

    def _finish(self, status: Status) -> None:
        if self._answer is not None:
            self._answer.status = status
            message = self._answer.message()
            self._answer = None
            self._bytes -= _size(message)
            self._keep(message)

    def _keep(self, message: HistoryMessage) -> None:
        self._messages.append(message)
        self._bytes += _size(message)
        while self._bytes > self._max_bytes and len(self._messages) > 1:
            self._bytes -= _size(self._messages.popleft())
            self._dropped += 1


def _size(message: HistoryMessage) -> int:
    """Characters of text: what grows. Tool arguments are bounded by the agent's own reasoning, not by time."""
    return len(message.content) + sum(len(call.result or "") for call in message.tool_calls)
