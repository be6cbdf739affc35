"""
Bamboo Gateway, embedded, with an agent that says and broadcasts as much as it is asked to.

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
from bamboo_gateway.protocol import AgentToken, encode
from bamboo_gateway.protocol.messages import Json
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.storage.sqlite import SQLiteStorage
from bamboo_gateway.storage.sqlite_file import Synchronous

from ..workloads.broadcast import EVENT_BYTES

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    max_connections=100_000,
    heartbeat_interval=3600.0,  # listeners answer no pings
)

ROOM = EVENT_BYTES - len(encode(AgentToken("*", "", seq=100, ts=1795415952682, channel="*")))


class Emitter:
    """The agent."""

    def __init__(self, storage: SessionStorage) -> None:
        self.gateway = Gateway(CONFIG, agent=self, storage=storage)

    async def __call__(self, turn: Turn) -> None:
        """Answer as the package says."""
        count, interval, *silent = turn.message.content.split()
        pause = float(interval)
        due = trio.current_time() + random.random() * pause
        for _ in range(int(count)):
            if pause:
                await trio.sleep_until(due)
                due += pause
            if not silent:
                await turn.token(f"{time.monotonic_ns()} ")

    async def call_tool(self, name: str, args: Json) -> Json:
        """Broadcast as many events of `EVENT_BYTES` as asked, each with the time."""
        for _ in range(args["events"]):
            await self.gateway.broadcast(AgentToken("*", f"{time.monotonic_ns()} ".ljust(ROOM, "x")))
            await trio.sleep(args["interval"])


def make_storage(kind: str = "memory", *path: str) -> SessionStorage:
    """Make the storage that the arguments name."""
    return SQLiteStorage(Path(*path), cast(Synchronous, kind)) if path else MemoryStorage()


async def main() -> None:
    """Serve until killed."""
    gateway = Emitter(make_storage(*sys.argv[1:])).gateway
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(gateway.serve)
        print(addresses[0].port, flush=True)


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
trio.run(main)
