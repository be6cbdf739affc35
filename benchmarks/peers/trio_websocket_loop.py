"""trio-websocket as its documentation has it: a task a connection, and a loop over all of them."""

from __future__ import annotations

import json

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, WebSocketServer

from ..workloads.broadcast import EVENT_INTERVAL
from .messages import make_event, make_reply

clients: set[WebSocketConnection] = set()


async def handle(request: WebSocketRequest) -> None:
    """Serve one client."""
    client = await request.accept()
    clients.add(client)
    try:
        while True:
            message = json.loads(await client.get_message())
            if message["type"] == "command":
                await broadcast(message["args"]["events"])
            else:
                await client.send_message(make_reply(message))
    except ConnectionClosed:
        clients.discard(client)


async def broadcast(events: int) -> None:
    """Send *events* to everybody."""
    for _ in range(events):
        text = make_event()
        for client in list(clients):
            await client.send_message(text)
        await trio.sleep(EVENT_INTERVAL)


async def main() -> None:
    """Serve until killed."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server = WebSocketServer(handle, listeners)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        print(server.port, flush=True)


trio.run(main)
