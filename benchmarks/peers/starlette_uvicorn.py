"""Starlette on uvicorn, with uvloop: a coroutine a connection, and a loop over all of them."""

from __future__ import annotations

import asyncio
import json

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from .messages import TICK, is_broadcast, make_event, make_reply
from .uvicorn_server import serve

clients: set[WebSocket] = set()


async def handle(client: WebSocket) -> None:
    """Serve one client."""
    await client.accept()
    clients.add(client)
    try:
        async for text in client.iter_text():
            message = json.loads(text)
            if is_broadcast(message):
                await broadcast(**message["args"])
            else:
                await client.send_text(make_reply(message, len(clients)))
    finally:
        clients.discard(client)


async def broadcast(ticks: int, events: int, at_once: bool) -> None:
    """Send *events* to everybody, in each tick."""
    for _ in range(ticks):
        for _ in range(events):
            text = make_event()
            for client in list(clients):
                await client.send_text(text)
        await asyncio.sleep(TICK)


serve(Starlette(routes=[WebSocketRoute("/", handle)]))
