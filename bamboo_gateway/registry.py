"""
The session registry: the one task that changes sessions.

Everybody else sends it requests. It applies them in order to a pure table and
hands the outcome to the journal; it never waits for a network or a disk, only
for the journal when that is full. So nothing needs a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import trio

from .errors import GatewayError
from .journal import Batch, Call
from .session.effects import Effect
from .session.requests import Request
from .session.table import SessionTable, TableStatistics

ReplyT = TypeVar("ReplyT")

INBOX_SIZE = 1024
"""Requests that may wait. Who finds it full waits: an agent that floods feels the gateway's pace."""

BATCH_SIZE = 256
"""Requests applied before their effects go out: enough to share a commit, too few to stall anybody."""

JOURNAL_SIZE = 16
"""Batches that may wait for a commit, which takes them all at once."""


@attrs.frozen
class RegistryStatistics:
    """How the registry is doing."""

    inbox: int
    """Requests that wait."""
    handled: int
    refused: int
    table: TableStatistics


class SessionRegistry:
    """
    The way to the session table.

    Invariant: the table is touched by `run` alone. A bug in it ends `run`, and
    with it the gateway, loudly: better than to limp on with half a change.
    """

    def __init__(self, table: SessionTable, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock
        self._inbox_send, self._inbox = trio.open_memory_channel[Call](INBOX_SIZE)
        self._batches_send, self.batches = trio.open_memory_channel[Batch](JOURNAL_SIZE)
        self._unsettled: set[Call] = set()
        self._handled = 0
        self._refused = 0

    async def ask(self, request: Request[ReplyT]) -> ReplyT:
        """
        Have the registry apply *request*; return its reply once it is durable and let out.

        Cancellation abandons the reply, not the request: once the registry has
        taken it, the change stands.

        Raises:
            GatewayError: The registry refused; no state changed.
            trio.BrokenResourceError: The registry has stopped.
        """
        call = Call(request, wants_reply=True)
        self._unsettled.add(call)
        try:
            await self._inbox_send.send(call)
            reply: ReplyT = await call.wait()
        finally:
            self._unsettled.discard(call)
        return reply

    async def tell(self, request: Request[Any]) -> None:
        """
        Have the registry apply *request*, without waiting until it has.

        Waits for room in the inbox. A refusal is only counted.

        Raises:
            trio.BrokenResourceError: The registry has stopped.
        """
        await self._inbox_send.send(Call(request, wants_reply=False))

    def statistics(self) -> RegistryStatistics:
        """Count what waits, what was done and what there is."""
        waiting = self._inbox_send.statistics().current_buffer_used
        return RegistryStatistics(waiting, self._handled, self._refused, self._table.statistics())

    async def run(self) -> None:
        """Apply requests until cancelled; then `close`."""
        try:
            async for first in self._inbox:
                await self._batches_send.send(self._apply(first))
        finally:
            self.close()

    def close(self) -> None:
        """Take no more requests, and tell whoever still waits for a reply."""
        self._inbox.close()
        self._batches_send.close()
        for call in self._unsettled:
            call.error = trio.BrokenResourceError("the session registry has stopped")
            call.settle()

    def _apply(self, first: Call) -> Batch:
        now = self._clock()
        effects: list[Effect] = []
        calls = [first]
        self._handle(first, now, effects)
        try:
            while len(calls) < BATCH_SIZE:
                calls.append(self._inbox.receive_nowait())
                self._handle(calls[-1], now, effects)
        except trio.WouldBlock:
            pass
        return Batch([call for call in calls if call.wants_reply], effects)

    def _handle(self, call: Call, now: float, effects: list[Effect]) -> None:
        self._handled += 1
        try:
            call.reply, wanted = self._table.handle(call.request, now)
        except GatewayError as error:
            self._refused += 1
            call.error = error
        else:
            effects += wanted
