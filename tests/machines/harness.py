"""
Trio as the guest of a Hypothesis state machine.

Hypothesis calls rules as plain functions, one after the other, while the tasks
of a gateway live from the first rule to the last. So Trio runs in guest mode:
each rule lends it the thread until one async function has come to its end.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import Any, TypeVar

import trio
from outcome import Error, Outcome, Value
from trio.testing import MockClock

ResultT = TypeVar("ResultT")

HANG = 3600.0
"""Seconds of Trio's clock after which what a rule does counts as hung; they pass in no time."""


class TrioGuest:
    """
    One Trio program and its nursery, driven from outside.

    Invariant: nothing moves between two calls of `run`, neither a task nor time.
    During one, time jumps whenever all tasks wait.
    """

    def __init__(self) -> None:
        self._due: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._nursery: trio.Nursery | None = None
        self._end: Outcome[None] | None = None
        self._clock = MockClock()
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._due.put,
            done_callback=self._set_end,
            clock=self._clock,
        )
        self._token = trio.lowlevel.current_trio_token()
        while self._nursery is None:
            self._lend()

    @property
    def nursery(self) -> trio.Nursery:
        """Of the tasks that live from one `run` to the next."""
        assert self._nursery is not None
        return self._nursery

    def run(self, function: Callable[..., Awaitable[ResultT]], *args: Any) -> ResultT:
        """
        Run an async function, and all other tasks with it, until it returns.

        Raises:
            trio.TooSlowError: It takes longer than `HANG`.
            BaseExceptionGroup: A task of the nursery has raised; the program is over.
        """
        self._check_alive()
        outcomes: list[Outcome[ResultT]] = []

        async def call() -> None:
            self._clock.autojump_threshold = 0
            try:
                with trio.fail_after(HANG):
                    outcomes.append(Value(await function(*args)))
            except Exception as error:  # noqa: BLE001 – it is raised where `run` was called
                outcomes.append(Error(error))
            # Not if the program is cancelled: those who say goodbye have deadlines.
            self._clock.autojump_threshold = math.inf

        self._token.run_sync_soon(self.nursery.start_soon, call)
        while not outcomes:
            self._lend()
        return outcomes[0].unwrap()

    def close(self) -> None:
        """Cancel the nursery, and raise what the program leaves behind."""
        if self._end is None:
            self._token.run_sync_soon(self._cancel)
            self._wait_end().unwrap()

    def _wait_end(self) -> Outcome[None]:
        while (end := self._end) is None:
            self._due.get()()
        return end

    def _cancel(self) -> None:
        self._clock.autojump_threshold = 0
        self.nursery.cancel_scope.cancel()

    def _lend(self) -> None:
        """Let Trio do what it wants to do next."""
        self._due.get()()
        self._check_alive()

    def _check_alive(self) -> None:
        if self._end is not None:
            self._end.unwrap()
            raise AssertionError("the program is over")

    async def _main(self) -> None:
        async with trio.open_nursery() as self._nursery:
            await trio.sleep_forever()

    def _set_end(self, end: Outcome[None]) -> None:
        self._end = end
