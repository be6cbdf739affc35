"""websockets with its own `broadcast`, on asyncio."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from ..workloads.broadcast import EVENT_INTERVAL
from .messages import make_event, make_reply

clients: set[ServerConnection] = set()


async def handle(client: ServerConnection) -> None:
    """Serve one client."""
    clients.add(client)
    try:
        async for text in client:
            message = json.loads(text)
            if message["type"] == "command":
                for _ in range(message["args"]["events"]):
                    broadcast(clients, make_event())
                    await asyncio.sleep(EVENT_INTERVAL)
            else:
                await client.send(make_reply(message))
    except ConnectionClosed:
        clients.discard(client)


async def main() -> None:
    """Serve until killed."""
    async with serve(handle, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
