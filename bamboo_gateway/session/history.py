"""The conversation of a session, as a person would read it back: what was said, and the tools called."""

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

MESSAGE_BYTES = 512
"""What a message takes beside its text: nobody may fill the memory with empty ones."""


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
    truncated: bool = False
    """It was longer than a conversation may be: its end is missing here."""


@attrs.define
class _Answer:
    """An assistant message while it grows: tokens are joined once, when somebody reads them."""

    run_id: str
    ts: int
    status: Status = "running"
    size_bytes: int = MESSAGE_BYTES
    truncated: bool = False
    _parts: list[str] = attrs.field(factory=list)
    _tools: dict[str, ToolRecord] = attrs.field(factory=dict)

    def add(self, event: AgentToken | AgentToolStart | AgentToolComplete) -> None:
        if isinstance(event, AgentToken):
            self._parts.append(event.token)
            return
        call_id = event.tool_call_id or event.tool
        if isinstance(event, AgentToolStart):
            self._tools[call_id] = ToolRecord(call_id, event.tool, event.args)
        else:
            started = self._tools.get(call_id, ToolRecord(call_id, event.tool))
            self._tools[call_id] = attrs.evolve(started, result=event.result, ok=event.ok)

    def message(self) -> HistoryMessage:
        content, calls = "".join(self._parts), tuple(self._tools.values())
        return HistoryMessage("assistant", content, self.run_id, self.ts, self.status, calls, self.truncated)


class History:
    """
    The newest messages of one conversation, of *max_bytes* together.

    Invariant: messages stand in the order of their turns, and at most the last
    one is running. The newest is kept whatever its size; an answer is cut before
    it alone is more than *max_bytes*.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._messages: deque[tuple[HistoryMessage, int]] = deque()
        """Each with its size in bytes."""
        self._answer: _Answer | None = None
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._messages) + (self._answer is not None)

    def __iter__(self) -> Iterator[HistoryMessage]:
        yield from (message for message, _ in self._messages)
        if self._answer is not None:
            yield self._answer.message()

    @property
    def dropped(self) -> int:
        """How many of the oldest messages were let go: the number of the first that is left."""
        return self._dropped

    @property
    def size_bytes(self) -> int:
        """What the messages take, about."""
        return self._bytes

    def begin(self, run_id: str, content: str, ts: int) -> None:
        """A turn begins with what the user said."""
        size = MESSAGE_BYTES + len(content.encode())
        self._messages.append((HistoryMessage("user", content, run_id, ts), size))
        self._answer = _Answer(run_id, ts)
        self._add_bytes(size + self._answer.size_bytes)

    def record(self, event: LoggedEvent, size_bytes: int) -> None:
        """
        Fold one event of the running turn into its answer; events of no turn are no conversation.

        Args:
            event: The event.
            size_bytes: Of it, when encoded.
        """
        answer = self._answer
        if answer is None or event.run_id != answer.run_id:
            return
        match event:
            case AgentToken():
                self._extend(answer, event, len(event.token.encode()))
            case AgentToolStart() | AgentToolComplete():
                self._extend(answer, event, size_bytes)
            case AgentComplete():
                self._finish(answer, "complete")
            case Error():
                self._finish(answer, "failed")
            case _:
                pass

    def page(self, limit: int, before: int | None = None) -> tuple[int, list[HistoryMessage]]:
        """The last *limit* messages ahead of number *before*, and the number of the first of them."""
        messages = list(self)
        end = len(messages) if before is None else max(0, min(before - self._dropped, len(messages)))
        start = max(0, end - limit)
        return self._dropped + start, messages[start:end]

    def _extend(
        self, answer: _Answer, event: AgentToken | AgentToolStart | AgentToolComplete, size: int
    ) -> None:
        answer.truncated = answer.truncated or answer.size_bytes + size > self._max_bytes
        if not answer.truncated:
            answer.add(event)
            answer.size_bytes += size
            self._add_bytes(size)

    def _finish(self, answer: _Answer, status: Status) -> None:
        answer.status = status
        self._messages.append((answer.message(), answer.size_bytes))
        self._answer = None
        self._add_bytes(0)

    def _add_bytes(self, size: int) -> None:
        """Count what was added, and let the oldest messages go for it."""
        self._bytes += size
        while self._bytes > self._max_bytes and len(self._messages) > 1:
            self._bytes -= self._messages.popleft()[1]
            self._dropped += 1
