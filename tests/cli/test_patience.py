from __future__ import annotations

import pytest
import trio

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.cli.patience import ask_patiently
from bamboo_gateway.client import RefusedError, connect


async def test_a_command_waits_until_the_gateway_takes_it() -> None:
    """More of them than may come at once are carried out all the same, each once and in order."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", message_rate=2))
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        async with connect(f"ws://{address}", reconnect=None) as client:
            for number in range(22):
                assert await ask_patiently(client, "ping", {"timestamp": number}) == {"timestamp": number}
        await gateway.stop()


async def test_any_other_refusal_is_told() -> None:
    """It would only come again."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"))
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        async with connect(f"ws://{address}", reconnect=None) as client:
            with pytest.raises(RefusedError, match="SESSION_NOT_FOUND"):
                await ask_patiently(client, "session.get", {"session_id": "nil"})
        await gateway.stop()
