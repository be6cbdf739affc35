"""How late the event loop is: what every wait in the process is longer than it should be."""

from __future__ import annotations

import trio

from .histogram import Histogram, HistogramSnapshot

INTERVAL = 0.5
"""Seconds between two looks: often enough to be seen by a scrape, too seldom to cost anything."""

MAX_LAG = 1.0
"""Seconds late, from which on clients had better go elsewhere."""

_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds. Below the first is the resolution of the system's timers."""


class LoopLag:
    """What was seen of the event loop's delay, in seconds."""

    def __init__(self) -> None:
        self.last = 0.0
        """At the last look."""
        self._histogram = Histogram(_BOUNDS)

    def observe(self, seconds: float) -> None:
        """A task was woken so long after its time."""
        self.last = seconds
        self._histogram.observe(seconds)

    def snapshot(self) -> HistogramSnapshot:
        """All looks."""
        return self._histogram.snapshot()


async def run_loop_watch(lag: LoopLag) -> None:
    """Sleep, and see how late this task is woken, until cancelled."""
    while True:
        due = trio.current_time() + INTERVAL
        await trio.sleep_until(due)
        lag.observe(trio.current_time() - due)
