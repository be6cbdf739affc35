"""
A gateway whose agent says as many tokens as it is asked for; run as a program, it prints its port.

Its argument is a storage: `memory`, or `full` or `normal` and, as a second one, the SQLite file.
"""

from __future__ import annotations

import logging
import random
import sys
import time
from pathlib import Path
from typing import cast

import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.ports import SessionStorage
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.storage.sqlite import SQLiteStorage
from bamboo_gateway.storage.sqlite_file import Synchronous

_PLENTY = 1024**3

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    max_connections=100_000,
    log_max_events=1_000_000,  # nobody shall have to be told of a gap
    log_max_bytes=_PLENTY,
    log_total_bytes=_PLENTY,
)


async def emit(turn: Turn) -> None:
    """Answer `COUNT INTERVAL`: so many tokens, each the time when it was said, so many seconds apart."""
    count, interval = turn.message.content.split()
    pause = float(interval)
    if pause:
        await trio.sleep(random.random() * pause)  # agents are not in step
    for _ in range(int(count)):
        await turn.token(f"{time.monotonic_ns()} ")
        if pause:
            await trio.sleep(pause)


def make_storage(kind: str, *path: str) -> SessionStorage:
    """Make the storage that the arguments name."""
    return SQLiteStorage(Path(*path), cast(Synchronous, kind)) if path else MemoryStorage()


async def main() -> None:
    """Serve until killed."""
    gateway = Gateway(CONFIG, agent=emit, storage=make_storage(*sys.argv[1:]))
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(gateway.serve)
        print(addresses[0].port, flush=True)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    trio.run(main)
