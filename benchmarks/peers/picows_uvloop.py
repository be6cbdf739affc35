"""picows on uvloop: callbacks, and frames made in C."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from .messages import TICK, is_broadcast, make_event, make_reply

clients: set[WSTransport] = set()
tasks: set[asyncio.Task[None]] = set()


class Listener(WSListener):
    def on_ws_connected(self, transport: WSTransport) -> None:
        clients.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        clients.discard(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        message = json.loads(frame.get_payload_as_memoryview().tobytes())
        if is_broadcast(message):
            tasks.add(asyncio.create_task(broadcast(message["args"])))
        else:
            transport.send(WSMsgType.TEXT, make_reply(message, len(clients)).encode())


async def broadcast(args: dict[str, Any]) -> None:
    """Send the events to everybody, in each tick."""
    for _ in range(args["ticks"]):
        for _ in range(args["events"]):
            event = make_event().encode()
            for client in clients:
                client.send(WSMsgType.TEXT, event)
        await asyncio.sleep(TICK)


async def main() -> None:
    """Serve until killed."""
    server = await ws_create_server(lambda _: Listener(), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


uvloop.run(main())
