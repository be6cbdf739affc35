"""Bamboo Gateway, embedded, with an agent that says and broadcasts as much as it is asked to."""

from __future__ import annotations

import logging
import time

import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.protocol import AgentToken, encode
from bamboo_gateway.protocol.messages import Json

from ..limits import LIMITS
from ..peers.messages import EVENT_BYTES
from .agent import speak

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    max_connections=100_000,
    heartbeat_interval=3600.0,  # listeners answer no pings
    **LIMITS,  # type: ignore[arg-type] # numbers all of them
)

ROOM = EVENT_BYTES - len(encode(AgentToken("*", "", seq=100, ts=1795415952682, channel="*")))


class Emitter:
    """The agent."""

    def __init__(self) -> None:
        self.gateway = Gateway(CONFIG, agent=self)

    async def __call__(self, turn: Turn) -> None:
        """Answer as the package says."""
        await speak(turn)

    async def call_tool(self, name: str, args: Json) -> Json:
        """Broadcast as many events of `EVENT_BYTES` as asked, each with the time."""
        for _ in range(args["events"]):
            await self.gateway.broadcast(AgentToken("*", f"{time.monotonic_ns()} ".ljust(ROOM, "x")))
            await trio.sleep(args["interval"])


async def main() -> None:
    """Serve until killed."""
    gateway = Emitter().gateway
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(gateway.serve)
        print(addresses[0].port, flush=True)


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
trio.run(main)
