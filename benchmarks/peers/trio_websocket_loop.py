"""trio-websocket as its documentation has it: a task a connection, and a loop over all of them."""

from __future__ import annotations

import json

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest, WebSocketServer

from .messages import TICK, is_broadcast, make_event, make_reply

clients: set[WebSocketConnection] = set()


async def handle(request: WebSocketRequest) -> None:
    """Serve one client."""
    client = await request.accept()
    clients.add(client)
    try:
        while True:
            message = json.loads(await client.get_message())
            if is_broadcast(message):
                await broadcast(**message["args"])
            else:
                await client.send_message(make_reply(message, len(clients)))
    except ConnectionClosed:
        clients.discard(client)


async def broadcast(ticks: int, events: int, at_once: bool) -> None:
    """Send *events* to everybody, in each tick."""
    for _ in range(ticks):
        for _ in range(events):
            text = make_event()
            for client in list(clients):
                await client.send_message(text)
        await trio.sleep(TICK)


async def main() -> None:
    """Serve until killed."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server = WebSocketServer(handle, listeners)
    async with trio.open_nursery() as nursery:
        await nursery.start(server.run)
        print(server.port, flush=True)


trio.run(main)
