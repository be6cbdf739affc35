"""Bamboo Gateway, embedded."""

from __future__ import annotations

import logging

import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.protocol import AgentToken, encode
from bamboo_gateway.protocol.messages import Json

from ..limits import LIMITS
from .messages import EVENT_BYTES, TICK

ROOM = EVENT_BYTES - len(encode(AgentToken("*", "", seq=100, ts=1795415952682, channel="*")))
EVENT = AgentToken("*", "x" * ROOM)

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    max_connections=100_000,
    max_sessions=100_000,
    **LIMITS,  # type: ignore[arg-type] # numbers all of them
)


class Broadcaster:
    """An agent that says as many tokens as a chat asks for, with one tool: the command `broadcast`."""

    def __init__(self) -> None:
        self.gateway = Gateway(CONFIG, agent=self)

    async def __call__(self, turn: Turn) -> None:
        """Say them as fast as it may."""
        for number in range(int(turn.message.content)):
            await turn.token(f"{number} ")

    async def call_tool(self, name: str, args: Json) -> Json:
        """Broadcast as many as asked: those of a tick at once, or each when the one before is logged."""
        for _ in range(args["ticks"]):
            async with trio.open_nursery() as nursery:
                for _ in range(args["events"]):
                    if args["at_once"]:
                        nursery.start_soon(self.gateway.broadcast, EVENT)
                    else:
                        await self.gateway.broadcast(EVENT)
            await trio.sleep(TICK)


async def main() -> None:
    """Serve until killed."""
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(Broadcaster().gateway.serve)
        print(addresses[0].port, flush=True)


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
trio.run(main)
