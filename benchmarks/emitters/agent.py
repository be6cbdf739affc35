"""The agent of the gateway's command line: it says as much as it is asked to, as the package tells."""

from __future__ import annotations

import random
import time

import trio

from bamboo_gateway import Turn


async def speak(turn: Turn) -> None:
    """Answer `COUNT INTERVAL`, or `COUNT INTERVAL silent`."""
    count, interval, *silent = turn.message.content.split()
    pause = float(interval)
    due = trio.current_time() + random.random() * pause
    for _ in range(int(count)):
        if pause:
            await trio.sleep_until(due)
            due += pause
        if not silent:
            await turn.token(f"{time.monotonic_ns()} ")
