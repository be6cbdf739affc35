"""A gateway that answers by echo, on a loopback socket, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.agents.echo import EchoAgent

TOKEN = "open sesame"


@asynccontextmanager
async def served(**settings: Any) -> AsyncIterator[tuple[Gateway, str]]:
    """Serve; yields the gateway and its URL."""
    config = GatewayConfig(**{"bind": "127.0.0.1:0"} | settings)
    gateway = Gateway(config, agent=EchoAgent(word_interval=0))
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        yield gateway, f"ws://{address}"
        await gateway.stop()
