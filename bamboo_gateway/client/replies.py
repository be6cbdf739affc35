"""Which event answers which request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import attrs
import trio

from ..protocol.messages import ChatAccepted, CommandResult, Error, GatewayEvent
from .errors import ClosedError, RefusedError

AnswerT = TypeVar("AnswerT", ChatAccepted, CommandResult)


@attrs.define(eq=False)
class Reply(Generic[AnswerT]):
    """One answer that somebody waits for."""

    kind: type[AnswerT]
    _answer: AnswerT | Error | ClosedError | None = attrs.field(default=None, init=False)
    _arrived: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def wait(self) -> AnswerT:
        """
        Return the answer, once it has come.

        Raises:
            RefusedError: The answer is no.
            ClosedError: The connection ended first.
        """
        await self._arrived.wait()
        match self._answer:
            case Error(code=code, message=message, retryable=retryable):
                raise RefusedError(code, message, retryable=bool(retryable))
            case ClosedError() as error:
                raise error
            case answer:
                assert answer is not None, "`settle` comes before the event"
                return answer

    def settle(self, answer: AnswerT | Error | ClosedError) -> None:
        """Wake who waits."""
        self._answer = answer
        self._arrived.set()


class Replies:
    """
    The answers that are waited for.

    Invariant: an id is listed exactly while somebody waits for its answer;
    after `close` nobody waits any more.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Reply[Any]] = {}
        self._closed: ClosedError | None = None

    @contextmanager
    def expect(self, request_id: str, kind: type[AnswerT]) -> Iterator[Reply[AnswerT]]:
        """
        Hold a place for the answer to *request_id*, a *kind* or an `Error`.

        Raises:
            ClosedError: No answer can come any more.
            ValueError: The answer to another request of this id is still waited for.
        """
        if self._closed:
            raise self._closed.again()
        if request_id in self._waiting:
            raise ValueError(f"the answer to the request {request_id!r} is still waited for")
        reply = self._waiting[request_id] = Reply(kind)
        try:
            yield reply
        finally:
            del self._waiting[request_id]

    def settle(self, event: GatewayEvent) -> bool:
        """Hand *event* to who waits for it; False: nobody does."""
        # An error with a place in the log is the end of a turn, not the answer to a request.
        if not isinstance(event, ChatAccepted | CommandResult | Error) or getattr(event, "seq", None):
            return False
        reply = self._waiting.get(event.id or "")
        if reply is None or not isinstance(event, reply.kind | Error):
            return False
        reply.settle(event)
        return True

    def close(self, error: ClosedError) -> None:
        """Tell all who wait, and who comes later, that no answer will come."""
        self._closed = error
        for reply in self._waiting.values():
            reply.settle(error.again())
