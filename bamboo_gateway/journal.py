"""
What the registry decided, made durable and then let out.

Nobody sees what the gateway could forget: a batch is committed, then its
effects are carried out, then its replies are given. While one commit lasts, the
batches behind it gather, and the next commit takes them all (group commit).
Where a commit waits for nothing, none need gather: the registry's own task
carries each through.

When the storage fails, what could not be committed is held, and tried again
until it can; who asked for it is told, and nothing of it is seen. Meanwhile the
registry takes no more changes, so what is held is bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Protocol, TypeAlias, TypeGuard, get_args

import attrs
import structlog
import trio

from .errors import ErrorCode, GatewayError, StorageError
from .histogram import Histogram, HistogramSnapshot
from .ports import SessionStorage, is_instant
from .session.effects import Change, Dismiss, Effect, Follow, SaveSession, Unfollow, Watch

log = structlog.get_logger(__name__)

Deliver: TypeAlias = Callable[[Sequence[Effect]], Awaitable[None]]

JOURNAL_SIZE = 4
"""
Batches that may wait for a commit, which takes them all at once.

Of 200 agents at full speed, 16 took 7 % more events a second than 4 do, and let
each wait 2.3 times as long (measured).
"""

RETRY_INTERVAL = 0.1
"""Seconds between two tries to commit, at first; a storage that is locked is free again in no time."""

MAX_RETRY_INTERVAL = 2.0
"""What they grow to: a person who has made room on the disk shall not have to wait."""

_CHANGES_BOUNDS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
"""Changes in one commit: one batch of the registry's is some 256 at most, and a commit takes five."""

_COMMIT_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds. A good disk takes a millisecond, a locked file a second."""

_LAG_BOUNDS = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
)
"""Seconds: a commit, and up to 70 ms of writes to ten thousand connections."""


class Asker(Protocol):
    """Somebody who waits until a step is through."""

    def settle(self) -> None:
        """What the step promised is durable."""
        ...

    def refuse(self, error: Exception) -> None:
        """Nothing can be promised."""
        ...


class _Nobody:
    """Who has been answered already."""

    def settle(self) -> None:
        pass

    def refuse(self, error: Exception) -> None:
        pass


@attrs.frozen(eq=False)
class Step:
    """One request, and what follows from it."""

    asker: Asker
    effects: Sequence[Effect] = ()
    may_go_on: bool = False
    """Does it promise nothing that a failing storage could break?"""

    @property
    def changes(self) -> list[Change]:
        """What has to be committed first."""
        return [effect for effect in self.effects if _is_change(effect)]

    @property
    def moves(self) -> set[str]:
        """The connections that are to follow other logs than before."""
        return {effect.connection_id for effect in self.effects if isinstance(effect, _MOVES)}


Batch: TypeAlias = Sequence[Step]
"""What the registry did in one go."""


@attrs.frozen
class JournalStatistics:
    """How the journal is doing."""

    is_failing: bool
    """Does the storage refuse what it is given?"""
    held: int
    """Requests whose effects wait until it is well again."""
    commits: int
    failures: int
    """Tries to commit that were in vain."""
    changes: int
    """All that was committed; through the number of commits, the size of a group."""


@attrs.frozen
class JournalHistograms:
    """How much the journal has done at a time, and how long it took."""

    changes: HistogramSnapshot
    """Of each commit."""
    commit_time: HistogramSnapshot
    """Seconds of each commit; of a storage that waits for nothing none is measured."""
    delivery_lag: HistogramSnapshot
    """Seconds for which each batch was on its way: from the registry, which applied it, through fan-out."""


class Journal:
    """
    The way out of the registry, through the storage.

    Invariant: effects are let out in the order of their steps, and only after
    the changes of their steps were committed. While the storage fails, steps that
    `may_go_on` overtake those that are held, but for those that move the same
    connection: what they save waits in its place among the others, all else of
    them is let out.

    Args:
        storage: Makes changes durable.
    """

    def __init__(self, storage: SessionStorage) -> None:
        self._storage = storage
        self._is_in_place = is_instant(storage)
        """May `write` carry a batch through?"""
        self._queued = 0
        """Batches that are `run`'s to let out: none may overtake them. An outage leaves it above 0."""
        self._deliver: Deliver | None = None
        self._batches_send, self.batches = trio.open_memory_channel[Batch](JOURNAL_SIZE)
        self._held: list[Step] = []
        self._saves: dict[str, Step] = {}
        """Those of the held steps that are but the newest save of a session that went on meanwhile."""
        self._moved: set[str] = set()
        """Connections that held steps are to move."""
        self._well = trio.Event()
        self._well.set()
        self._commits = self._failures = self._changes = 0
        self._applied: deque[float] = deque()
        """When the batches in the channel were taken, by `perf_counter`."""
        self._change_counts = Histogram(_CHANGES_BOUNDS)
        self._commit_times = Histogram(_COMMIT_BOUNDS)
        self._delivery_lags = Histogram(_LAG_BOUNDS)

    @property
    def is_failing(self) -> bool:
        """Does the storage refuse what it is given?"""
        return not self._well.is_set()

    async def wait_well(self) -> None:
        """Wait until the storage takes what it is given; where it does, this is no trip to the scheduler."""
        if self.is_failing:
            await self._well.wait()

    def statistics(self) -> JournalStatistics:
        """Count what was committed and what is held."""
        held = len(self._held) - len(self._saves)
        return JournalStatistics(self.is_failing, held, self._commits, self._failures, self._changes)

    def histograms(self) -> JournalHistograms:
        """What was measured since the start; what an outage has held up is in none of it."""
        return JournalHistograms(
            self._change_counts.snapshot(), self._commit_times.snapshot(), self._delivery_lags.snapshot()
        )

    async def write(self, batch: Batch) -> None:
        """
        Take *batch*; for one task alone. Waits while there is no room for more.

        Of an instant storage it returns when all of it is let out: a trip to the
        task of `run` would cost each event more than all else does (measured).
        """
        applied = perf_counter()
        if self._is_in_place and self._deliver is not None and not self._queued:
            with suppress(StorageError):  # `run` will see for itself
                await self._commit(batch)
                await _let_out(batch, self._deliver)
                self._delivery_lags.observe(perf_counter() - applied)
                return
        self._queued += 1
        self._applied.append(applied)
        await self._batches_send.send(batch)

    def close(self) -> None:
        """No more batches will come."""
        self._batches_send.close()

    async def run(self, deliver: Deliver) -> None:
        """Commit and let out batches, in order, until `close`."""
        self._deliver = deliver
        async for first in self.batches:
            batches = [first, *self._waiting()]
            steps = [step for batch in batches for step in batch]
            applied = [self._applied.popleft() for _ in batches]
            try:
                await self._commit(steps)
            except StorageError as error:
                log.error("storage failed", error=str(error))
                await self._hold_out(steps, deliver)
            else:
                await _let_out(steps, deliver)
                self._queued -= len(batches)
                now = perf_counter()
                for each in applied:
                    self._delivery_lags.observe(now - each)

    async def _commit(self, steps: Batch) -> None:
        changes = [change for step in steps for change in step.changes]
        if not changes:
            return
        began = 0.0 if self._is_in_place else perf_counter()
        try:
            await self._storage.commit(changes)
        except StorageError:
            self._failures += 1
            raise
        # A commit that waits for nothing is not worth two looks at a clock, for each event of a lone turn.
        if not self._is_in_place:
            self._commit_times.observe(perf_counter() - began)
        self._change_counts.observe(len(changes))
        self._commits += 1
        self._changes += len(changes)

    async def _hold_out(self, steps: Batch, deliver: Deliver) -> None:
        """Hold *steps* until they can be committed; or until the registry ends, and they are lost unseen."""
        self._well = trio.Event()
        try:
            await self._sort(steps, deliver)
            await self._retry(deliver)
        finally:
            if self.is_failing:
                log.error("what was not committed is lost", steps=self.statistics().held)
        if self.is_failing:
            return
        log.info("storage is well again", held=self.statistics().held)
        held = [step for step in self._held if not isinstance(step.asker, _Nobody)]
        self._held, self._saves, self._moved = [], {}, set()
        await _let_out(held, deliver)

    async def _retry(self, deliver: Deliver) -> None:
        """Try to commit, again and again; once more when the registry has ended, and then no more."""
        interval, has_ended = RETRY_INTERVAL, False
        while self.is_failing and not has_ended:
            has_ended = await self._go_on(trio.current_time() + interval, deliver)
            interval = min(2 * interval, MAX_RETRY_INTERVAL)
            with suppress(StorageError):
                await self._commit(self._held)
                self._well.set()

    async def _go_on(self, deadline: float, deliver: Deliver) -> bool:
        """Sort what comes until *deadline*; True: the registry has ended."""
        while True:
            batch: Batch = ()
            with trio.move_on_at(deadline) as scope:
                try:
                    batch = await self.batches.receive()
                    self._applied.popleft()
                except trio.EndOfChannel:
                    return True
            if scope.cancelled_caught:
                return False
            await self._sort(batch, deliver)

    async def _sort(self, steps: Batch, deliver: Deliver) -> None:
        """Let out what may go on; hold the others, and tell who asked."""
        for step in steps:
            # What moves a connection late would undo what has moved it since.
            if step.may_go_on and not step.moves & self._moved:
                self._keep_saves(step)
                await _let_out([step], deliver)
            else:
                self._held.append(step)
                self._moved |= step.moves
                step.asker.refuse(unavailable())

    def _keep_saves(self, step: Step) -> None:
        """In their place: a session may be saved otherwise, or dropped, by a step that comes behind."""
        for save in step.changes:
            assert isinstance(save, SaveSession), "nothing else may go on"
            if older := self._saves.pop(save.session.id, None):
                self._held.remove(older)
            self._saves[save.session.id] = Step(_Nobody(), [save])
            self._held.append(self._saves[save.session.id])

    def _waiting(self) -> list[Batch]:
        """What the channel holds by now: it is bounded, and so is this."""
        waiting: list[Batch] = []
        try:
            while True:
                waiting.append(self.batches.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            return waiting


async def _let_out(steps: Batch, deliver: Deliver) -> None:
    await deliver([effect for step in steps for effect in step.effects])
    for step in steps:
        step.asker.settle()


def unavailable() -> GatewayError:
    """Why nothing can be promised."""
    return GatewayError(
        ErrorCode.STORAGE_UNAVAILABLE,
        "the storage fails at the moment; ask again, with the same id",
        retry_after=MAX_RETRY_INTERVAL,
    )


def _is_change(effect: Effect) -> TypeGuard[Change]:
    """To look the type up takes a fifth of what `isinstance` takes for ten of them."""
    return type(effect) in _CHANGES


_CHANGES = frozenset(get_args(Change))
_MOVES = (Watch, Follow, Unfollow, Dismiss)
