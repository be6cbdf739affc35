"""python-socketio on uvicorn, with uvloop. Its messages are the others', each in Socket.IO's envelope."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import socketio  # type: ignore[import-untyped] # it ships no types

from .messages import TICK, is_broadcast, make_event, make_reply
from .uvicorn_server import serve

server = socketio.AsyncServer(async_mode="asgi", transports=["websocket"])
clients: set[str] = set()


async def connect(client: str, *_: object) -> None:
    """Count one more."""
    clients.add(client)


async def disconnect(client: str, *_: object) -> None:
    """Count one less."""
    clients.discard(client)


async def message(client: str, message: dict[str, Any]) -> None:
    """Answer one client, or send events to everybody."""
    if not is_broadcast(message):
        await server.send(json.loads(make_reply(message, len(clients))), to=client)
        return
    for _ in range(message["args"]["ticks"]):
        for _ in range(message["args"]["events"]):
            await server.send(json.loads(make_event()))
        await asyncio.sleep(TICK)


for handler in (connect, disconnect, message):
    server.on(handler.__name__, handler)
serve(socketio.ASGIApp(server))
