"""Bamboo Gateway, embedded."""

from __future__ import annotations

import logging

import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.protocol import AgentToken, encode
from bamboo_gateway.protocol.messages import Json

from ..workloads.broadcast import EVENT_BYTES, EVENT_INTERVAL

ROOM = EVENT_BYTES - len(encode(AgentToken("*", "", seq=100, ts=1795415952682, channel="*")))
EVENT = AgentToken("*", "x" * ROOM)


class Broadcaster:
    """An agent whose one tool is asked for by the command `broadcast`."""

    def __init__(self) -> None:
        self.gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", max_connections=100_000), agent=self)

    async def __call__(self, turn: Turn) -> None:
        """No chat comes in these workloads."""

    async def call_tool(self, name: str, args: Json) -> Json:
        """Broadcast as many events as asked."""
        for _ in range(args["events"]):
            await self.gateway.broadcast(EVENT)
            await trio.sleep(EVENT_INTERVAL)


async def main() -> None:
    """Serve until killed."""
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(Broadcaster().gateway.serve)
        print(addresses[0].port, flush=True)


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
trio.run(main)
