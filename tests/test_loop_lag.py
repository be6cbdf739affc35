from __future__ import annotations

import time

import trio
from trio.testing import MockClock

from bamboo_gateway.loop_lag import INTERVAL, LoopLag, run_loop_watch


async def test_a_loop_that_is_on_time_has_no_lag(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    """It is looked at twice a second."""
    lag = LoopLag()
    nursery.start_soon(run_loop_watch, lag)
    await trio.sleep(10 * INTERVAL + 0.1)
    assert lag.last == 0
    assert lag.snapshot().counts[0] == lag.snapshot().count == 10


async def test_what_holds_the_loop_is_seen(nursery: trio.Nursery) -> None:
    """Whoever blocks past the next look is at fault for what is measured then."""
    lag = LoopLag()
    nursery.start_soon(run_loop_watch, lag)
    await trio.testing.wait_all_tasks_blocked()
    time.sleep(INTERVAL + 0.05)  # noqa: ASYNC251 -- that is the fault
    while not lag.snapshot().count:
        await trio.lowlevel.checkpoint()
    assert lag.last > 0.02
    assert lag.snapshot().sum == lag.last
