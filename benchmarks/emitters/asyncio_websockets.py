"""websockets on asyncio."""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import deque
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from . import RING_SIZE

to_json = json.JSONEncoder(separators=(",", ":")).encode


class Session:
    """What belongs to one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.id = str(uuid.uuid4())
        self.seq = 0
        self.ring: deque[str] = deque(maxlen=RING_SIZE)

    async def chat(self, content: str) -> None:
        """Answer as the package says."""
        count, interval, *silent = content.split()
        pause, run_id = float(interval), str(uuid.uuid4())
        due = time.monotonic() + random.random() * pause
        for _ in range(int(count)):
            await asyncio.sleep(max(0.0, due - time.monotonic()) if pause else 0)
            due += pause
            if not silent:
                await self.push("agent_token", run_id, token=f"{time.monotonic_ns()} ")
        await self.push("agent_complete", run_id)

    async def push(self, kind: str, run_id: str, **fields: object) -> None:
        """Number, keep, and send one event."""
        self.seq += 1
        ts = int(time.time() * 1000)
        event = {"type": kind, "session_id": self.id, **fields, "seq": self.seq, "run_id": run_id, "ts": ts}
        text = to_json(event)
        self.ring.append(text)
        await self.socket.send(text)


async def handle(socket: ServerConnection) -> None:
    """Serve one client."""
    session = Session(socket)
    with suppress(ConnectionClosed):
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "connect":
                await socket.send(to_json({"type": "connected", "session_id": session.id}))
            else:
                await session.chat(message["content"])


async def main() -> None:
    """Serve until killed."""
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
