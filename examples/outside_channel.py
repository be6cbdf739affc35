"""
A channel whose other end is outside of the gateway: a queue in this process, in real life a chat service.

    .venv/bin/python examples/outside_channel.py

What a session sends to the channel `lobby` goes to the queue, and what comes back from there reaches every
session that has joined.
"""

from __future__ import annotations

import attrs
import trio

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.client import connect
from bamboo_gateway.protocol import ChannelMessage

MAX_WAITING = 100


@attrs.frozen
class QueueChannel:
    """The adapter, a `bamboo_gateway.ports.Channel`: `send` is called for each message to the channel."""

    _outbound: trio.MemorySendChannel[str]

    async def send(self, message: ChannelMessage) -> None:
        """Pass *message* on; an exception would be the sender's `error{CHANNEL_ERROR}`."""
        await self._outbound.send(message.content)


async def run_bot(gateway: Gateway, outbound: trio.MemoryReceiveChannel[str]) -> None:
    """Be the outside: answer whatever comes, louder."""
    async for content in outbound:
        await gateway.channels.publish("lobby", content.upper(), user_id="bot")


async def main() -> None:
    """Serve a gateway with such a channel, and say something in it as a client does."""
    outbound_send, outbound_receive = trio.open_memory_channel[str](MAX_WAITING)
    channels = {"lobby": QueueChannel(outbound_send)}
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), channels=channels)
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        nursery.start_soon(run_bot, gateway, outbound_receive)
        async with connect(f"ws://{address}") as client:
            await client.command("channel.join", {"name": "lobby"})
            await client.chat("anybody here?", metadata={"channel": "lobby"})
            heard = 0
            while heard < 2:  # our own words, as every session hears them, and the answer
                event = await anext(client)
                if isinstance(event, ChannelMessage):
                    print(f"{event.user_id}: {event.content}")
                    heard += 1
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
