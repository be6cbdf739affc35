"""The requests whose answers are waited for: which are yet to be sent, and which event answers which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import attrs
import trio

from ..errors import ErrorCode
from ..protocol.messages import (
    Chat,
    ChatAccepted,
    Command,
    CommandError,
    CommandResult,
    Error,
    GatewayEvent,
)
from .errors import ClosedError, RefusedError

AnswerT = TypeVar("AnswerT", ChatAccepted, CommandResult)


@attrs.define(eq=False)
class Request(Generic[AnswerT]):
    """One message, and the answer that somebody waits for."""

    message: Chat | Command
    kind: type[AnswerT]
    _answer: AnswerT | Error | ClosedError | None = attrs.field(default=None, init=False)
    _arrived: trio.Event = attrs.field(factory=trio.Event, init=False)

    @property
    def is_answered(self) -> bool:
        """Has the answer come? Who waits for it may not have run since then."""
        return self._arrived.is_set()

    async def wait(self) -> AnswerT:
        """
        Return the answer, once it has come.

        Raises:
            RefusedError: The answer is no.
            ClosedError: No answer can come any more.
        """
        await self._arrived.wait()
        match self._answer:
            case Error(code=code, message=message, retryable=retryable, retry_after=retry_after):
                raise RefusedError(code, message, retryable=bool(retryable), retry_after=retry_after)
            case ClosedError() as error:
                raise error
            case answer:
                assert answer is not None, "`settle` comes before the event"
                return answer

    def settle(self, answer: AnswerT | Error | ClosedError) -> None:
        """Wake who waits."""
        self._answer = answer
        self._arrived.set()


class Requests:
    """
    The requests of one client, in the order in which they were made.

    Invariant: a request is listed exactly while somebody waits for its answer,
    so there are no more of them than tasks that wait; those that are yet to be
    sent over the present connection are some of the listed.

    Args:
        comes_back: Will there be another connection after this one? Then a gateway that is about to stop
            has answered nothing: the one after it will.
    """

    def __init__(self, *, comes_back: bool) -> None:
        self._comes_back = comes_back
        self._waiting: dict[str, Request[Any]] = {}
        self._unsent: dict[str, Request[Any]] = {}
        self._closed: ClosedError | None = None
        self._arrival = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def expect(self, message: Chat | Command, kind: type[AnswerT]) -> Iterator[Request[AnswerT]]:
        """
        Have *message* sent, until it is answered by a *kind* or an `Error`, or until the block is left.

        Raises:
            ClosedError: No answer can come any more.
            ValueError: The answer to another request of this id is still waited for.
        """
        key = message.id
        assert key is not None, "answers are told apart by it"
        if self._closed:
            raise self._closed.again()
        if key in self._waiting:
            raise ValueError(f"the answer to the request {key!r} is still waited for")
        request = self._waiting[key] = self._unsent[key] = Request(message, kind)
        self._arrival.unpark()
        try:
            yield request
        finally:
            del self._waiting[key]
            self._unsent.pop(key, None)

    def rewind(self) -> None:
        """A new connection: what is unanswered is to be sent again, ahead of what is still to come."""
        self._unsent = {key: each for key, each in self._waiting.items() if not each.is_answered}

    async def next_unsent(self) -> Chat | Command:
        """Take the next message to send, once there is one; for one task at a time."""
        while not self._unsent:
            await self._arrival.park()
        return self._unsent.pop(next(iter(self._unsent))).message

    def settle(self, event: GatewayEvent) -> bool:
        """Hand *event* to who waits for it; False: nobody does."""
        # An error with a place in the log is the end of a turn, not the answer to a request.
        if not isinstance(event, ChatAccepted | CommandResult | Error) or getattr(event, "seq", None):
            return False
        request = self._waiting.get(event.id or "")
        if request is None or not isinstance(event, request.kind | Error):
            return False
        if not (self._comes_back and _is_left_to_the_next(event)):
            request.settle(event)
        self._unsent.pop(event.id or "", None)
        return True

    def close(self, error: ClosedError) -> None:
        """Tell all who wait, and who comes later, that no answer will come."""
        self._closed = error
        for request in self._waiting.values():
            request.settle(error.again())


def _is_left_to_the_next(event: ChatAccepted | CommandResult | Error) -> bool:
    """Is it no answer but the gateway's word that it is about to stop?"""
    match event:
        case Error(code=code) | CommandResult(error=CommandError(code=code)):
            return code == ErrorCode.STOPPING
        case _:
            return False
