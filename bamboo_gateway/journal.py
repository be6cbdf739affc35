"""
What the registry decided, made durable and then let out.

Nobody sees what the gateway could forget: a batch is committed, then its
effects are carried out, then its replies are given. While one commit lasts, the
batches behind it gather, and the next commit takes them all (group commit).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias, get_args

import attrs
import trio

from .ports import SessionStorage
from .session.effects import Change, Effect
from .session.requests import Request

Deliver: TypeAlias = Callable[[Sequence[Effect]], Awaitable[None]]


@attrs.define(eq=False)
class Call:
    """One request on its way: who asked waits for `settle`."""

    request: Request[Any]
    wants_reply: bool
    reply: Any = None
    error: Exception | None = None
    _settled: trio.Event = attrs.field(factory=trio.Event, init=False)

    def settle(self) -> None:
        """Give the reply, or the error, to who asked."""
        self._settled.set()

    async def wait(self) -> Any:
        """Wait for the reply."""
        await self._settled.wait()
        if self.error is not None:
            raise self.error
        return self.reply


@attrs.frozen
class Batch:
    """What the registry did in one go."""

    calls: Sequence[Call]
    effects: Sequence[Effect]


async def run_journal(
    batches: trio.MemoryReceiveChannel[Batch], storage: SessionStorage, deliver: Deliver
) -> None:
    """Commit and let out batches, in order, until the registry closes its end."""
    async for first in batches:
        gathered = [first, *_waiting(batches)]
        effects = [effect for batch in gathered for effect in batch.effects]
        changes = [effect for effect in effects if isinstance(effect, _CHANGES)]
        if changes:
            await storage.commit(changes)
        await deliver(effects)
        for batch in gathered:
            for call in batch.calls:
                call.settle()


_CHANGES = get_args(Change)


def _waiting(batches: trio.MemoryReceiveChannel[Batch]) -> list[Batch]:
    """What the channel holds by now: it is bounded, and so is this."""
    waiting: list[Batch] = []
    try:
        while True:
            waiting.append(batches.receive_nowait())
    except (trio.WouldBlock, trio.EndOfChannel):
        return waiting
