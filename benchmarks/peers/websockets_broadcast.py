"""websockets with its own `broadcast`, on asyncio; on uvloop, where the argument says so."""

from __future__ import annotations

import asyncio
import json
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

from .messages import TICK, is_broadcast, make_event, make_reply

clients: set[ServerConnection] = set()


async def handle(client: ServerConnection) -> None:
    """Serve one client."""
    clients.add(client)
    try:
        async for text in client:
            message = json.loads(text)
            if is_broadcast(message):
                for _ in range(message["args"]["ticks"]):
                    for _ in range(message["args"]["events"]):
                        broadcast(clients, make_event())
                    await asyncio.sleep(TICK)
            else:
                await client.send(make_reply(message, len(clients)))
    except ConnectionClosed:
        pass
    finally:
        clients.discard(client)


async def main() -> None:
    """Serve until killed."""
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


(uvloop if sys.argv[1:] == ["uvloop"] else asyncio).run(main())
