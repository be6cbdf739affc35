"""
The conversation of a session, as a person would read it back: what was said, and the tools called.

The storage has all of it. Here is its newest part: what agents are given as
context, and the answer that is just being given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

import attrs

from ..errors import ErrorCode
from ..protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Error,
    Json,
    LoggedEvent,
    TokenUsage,
)

Status = Literal["running", "complete", "failed", "interrupted"]

MESSAGE_BYTES = 512
"""What a message takes beside its text: nobody may fill the memory with empty ones."""

MAX_REASON = 1000
"""Characters of what is kept of why a turn failed; the event in the log has all of it."""

_ALL = 2**63 - 1
"""A `seq` beyond every other: an answer that was cut grows no more."""


@attrs.frozen
class ToolRecord:
    """One tool call of an assistant message."""

    id: str
    tool: str
    args: Json = None
    result: str | None = None
    """None: it has not come back."""
    ok: bool | None = None
    started_at: int | None = None
    """Unix milliseconds; left out: nobody knows, as in what an older version has stored."""
    completed_at: int | None = None
    """Unix milliseconds; left out: it has not come back, or nobody knows."""
    position: int | None = None
    """Characters (code points) of `content` that came before the call; left out: nobody knows."""


@attrs.frozen
class TurnError:
    """Why a turn did not come to its end."""

    code: str
    """A row of the table of error codes."""
    message: str
    """For people; cut, if it is very long."""


@attrs.frozen
class HistoryMessage:
    """One message of the conversation."""

    role: Literal["user", "assistant"]
    content: str
    run_id: str
    ts: int
    """Unix milliseconds when it began."""
    status: Status = "complete"
    """
    `failed`: the content is partial; the turn was aborted or its agent raised.
    `interrupted`: the same, because the gateway ended in the midst of it.
    """
    tool_calls: tuple[ToolRecord, ...] = ()
    truncated: bool = False
    """It was longer than an answer may be: its end is missing here."""
    usage: TokenUsage | None = None
    """What a complete answer has cost; left out where an older version has stored it."""
    error: TurnError | None = None
    """Why an answer failed or was interrupted; left out where an older version has stored it."""


@attrs.frozen
class NumberedMessage:
    """A message and its place in the conversation."""

    number: int
    """From 0, without holes."""
    message: HistoryMessage
    seq: int = 0
    """Of a message that is still running: the last event of the log that is in it."""
    size_bytes: int = 0
    """What it takes, about."""


@attrs.define
class _Answer:
    """An assistant message while it grows: tokens are joined once, when somebody reads them."""

    run_id: str
    ts: int
    status: Status = "running"
    size_bytes: int = MESSAGE_BYTES
    truncated: bool = False
    seq: int = 0
    """The last event that was folded in."""
    usage: TokenUsage | None = None
    error: TurnError | None = None
    _parts: list[str] = attrs.field(factory=list)
    _length: int = 0
    """Characters of all parts."""
    _tools: dict[str, ToolRecord] = attrs.field(factory=dict)

    @classmethod
    def resume(cls, stored: NumberedMessage) -> _Answer:
        """Go on with what was stored of an answer."""
        said = stored.message
        tools = {call.id: call for call in said.tool_calls}
        return cls(
            said.run_id,
            said.ts,
            size_bytes=stored.size_bytes,
            truncated=said.truncated,
            seq=stored.seq,
            parts=[said.content],
            length=len(said.content),
            tools=tools,
        )

    def add(self, event: AgentToken | AgentToolStart | AgentToolComplete, ts: int) -> None:
        if isinstance(event, AgentToken):
            self._parts.append(event.token)
            self._length += len(event.token)
            return
        call_id = event.tool_call_id or event.tool
        if isinstance(event, AgentToolStart):
            self._tools[call_id] = ToolRecord(
                call_id, event.tool, event.args, started_at=ts, position=self._length
            )
        else:
            started = self._tools.get(call_id, ToolRecord(call_id, event.tool, position=self._length))
            self._tools[call_id] = attrs.evolve(started, result=event.result, ok=event.ok, completed_at=ts)

    def end(self, outcome: AgentComplete | Error) -> None:
        if isinstance(outcome, AgentComplete):
            self.status, self.usage = "complete", outcome.usage
            return
        self.status = "interrupted" if outcome.code == ErrorCode.AGENT_INTERRUPTED else "failed"
        self.error = TurnError(str(outcome.code), outcome.message[:MAX_REASON])

    def message(self) -> HistoryMessage:
        return HistoryMessage(
            "assistant",
            "".join(self._parts),
            self.run_id,
            self.ts,
            self.status,
            tuple(self._tools.values()),
            self.truncated,
            self.usage,
            self.error,
        )


class History:
    """
    The newest messages of one conversation, of *max_bytes* together.

    Invariant: messages stand in the order of their turns, and at most the last
    one is running. The newest is kept whatever its size; an answer is cut before
    it alone is more than *max_bytes*.

    Args:
        max_bytes: What is kept here.
        stored: The newest messages that the storage has.
    """

    def __init__(self, max_bytes: int, stored: Sequence[NumberedMessage] = ()) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._messages: deque[NumberedMessage] = deque()
        self._answer: _Answer | None = None
        self._dropped = stored[0].number if stored else 0
        self._saved_seq = 0
        """The last event that is in what the storage has of the answer."""
        for each in stored:
            if each.message.status == "running":
                self._answer, self._saved_seq = _Answer.resume(each), each.seq
            else:
                self._messages.append(each)
            self._add_bytes(each.size_bytes)

    def __len__(self) -> int:
        return len(self._messages) + (self._answer is not None)

    def __iter__(self) -> Iterator[HistoryMessage]:
        yield from (each.message for each in self._messages)
        if self._answer is not None:
            yield self._answer.message()

    @property
    def dropped(self) -> int:
        """How many of the oldest messages are not here: the number of the first that is."""
        return self._dropped

    @property
    def size_bytes(self) -> int:
        """What the messages take, about."""
        return self._bytes

    @property
    def running(self) -> HistoryMessage | None:
        """The answer that is just being given, as far as it has come."""
        return self._answer.message() if self._answer else None

    def knows(self, run_id: str) -> bool:
        """Has this turn begun? Then what its user said stands here, or the answer behind it."""
        return any(message.run_id == run_id for message in self)

    def begin(self, run_id: str, content: str, ts: int) -> NumberedMessage:
        """A turn begins with what the user said; returns that, to be stored."""
        size = MESSAGE_BYTES + len(content.encode())
        said = self._append(HistoryMessage("user", content, run_id, ts), size)
        self.answer(run_id, ts)
        self._add_bytes(size)
        return said

    def answer(self, run_id: str, ts: int) -> None:
        """The turn's answer begins, of which nothing is known yet."""
        self._answer, self._saved_seq = _Answer(run_id, ts), 0
        self._add_bytes(MESSAGE_BYTES)

    def record(self, event: LoggedEvent, run_id: str | None, seq: int, size_bytes: int, ts: int) -> None:
        """
        Fold one event of the running turn into its answer; events of no turn are no conversation.

        Args:
            event: The event.
            run_id: Its turn.
            seq: Its place in the log.
            size_bytes: Of it, when encoded.
            ts: Unix milliseconds when it was appended.
        """
        answer = self._answer
        if answer is None or run_id != answer.run_id or seq <= answer.seq:
            return
        answer.seq = seq
        match event:
            case AgentToken():
                self._extend(answer, event, len(event.token.encode()), ts)
            case AgentToolStart() | AgentToolComplete():
                self._extend(answer, event, size_bytes, ts)
            case _:
                pass

    def finish(self, outcome: AgentComplete | Error) -> NumberedMessage:
        """
        The turn is over, and with it the answer; returns that, to be stored.

        Only the turn itself says so: an embedding program may send an end in its name.
        """
        answer, self._answer = self._answer, None
        assert answer is not None, "a turn that runs has an answer"
        answer.end(outcome)
        finished = self._append(answer.message(), answer.size_bytes)
        self._add_bytes(0)
        return finished

    def save(self, first_seq: int) -> NumberedMessage | None:
        """
        What must be stored of the running answer before the log is cut to *first_seq*; None: nothing.

        Until then the events of the log tell of it; who comes back after a crash
        reads both.
        """
        answer = self._answer
        if answer is None or self._saved_seq >= min(first_seq - 1, answer.seq):
            return None
        self._saved_seq = _ALL if answer.truncated else answer.seq
        number = self._dropped + len(self._messages)
        return NumberedMessage(number, answer.message(), answer.seq, answer.size_bytes)

    def page(self, limit: int, before: int | None = None) -> tuple[int, list[HistoryMessage]]:
        """The last *limit* messages ahead of number *before*, and the number of the first of them."""
        messages = list(self)
        end = len(messages) if before is None else max(0, min(before - self._dropped, len(messages)))
        start = max(0, end - limit)
        return self._dropped + start, messages[start:end]

    def _append(self, message: HistoryMessage, size_bytes: int) -> NumberedMessage:
        number = self._dropped + len(self._messages)
        self._messages.append(NumberedMessage(number, message, size_bytes=size_bytes))
        return self._messages[-1]

    def _extend(
        self, answer: _Answer, event: AgentToken | AgentToolStart | AgentToolComplete, size: int, ts: int
    ) -> None:
        answer.truncated = answer.truncated or answer.size_bytes + size > self._max_bytes
        if not answer.truncated:
            answer.add(event, ts)
            answer.size_bytes += size
            self._add_bytes(size)

    def _add_bytes(self, size: int) -> None:
        """Count what was added, and let the oldest messages go for it."""
        self._bytes += size
        while self._bytes > self._max_bytes and len(self._messages) > 1:
            self._bytes -= self._messages.popleft().size_bytes
            self._dropped += 1
