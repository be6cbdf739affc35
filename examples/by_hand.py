"""
A client with nothing but trio-websocket and JSON: it chats, loses its connection in mid-answer, and resumes.

Start a gateway (`make serve`), then

    .venv/bin/python examples/by_hand.py

What came while nobody listened comes again, once and in order, and the rest of the answer follows live. In
Python, `bamboo_gateway.client` does all this by itself: see client.py.
"""

from __future__ import annotations

import json
from typing import Any

import trio
from trio_websocket import WebSocketConnection, open_websocket_url


async def main(url: str = "ws://127.0.0.1:18790") -> None:
    """Chat once, over two connections."""
    async with open_websocket_url(url) as websocket:
        await send(websocket, type="connect", protocol=2)
        connected = await receive(websocket)
        session_id = connected["session_id"]
        await send(websocket, type="chat", content="one two three four five six", session_id=session_id)
        while (event := await receive(websocket))["type"] != "agent_token":
            print(f"({event['type']})")
        print(event["token"], end="", flush=True)
    # The connection is gone, and the turn goes on. Where we stopped is a place in the session's log:
    cursor = {"session_id": session_id, "last_seq": event["seq"], "epoch": connected["epoch"]}
    async with open_websocket_url(url) as websocket:
        await send(websocket, type="connect", protocol=2, **cursor)
        while event["type"] != "agent_complete":
            event = await receive(websocket)
            if event["type"] == "agent_token":
                print(event["token"], end="", flush=True)
            elif event["type"] in ("error", "gap"):
                raise SystemExit(f"\n{event}")
    print(f"\n{event['usage']['total_tokens']} tokens")


async def send(websocket: WebSocketConnection, **message: object) -> None:
    """Send one message: JSON, in one text frame."""
    await websocket.send_message(json.dumps(message))


async def receive(websocket: WebSocketConnection) -> dict[str, Any]:
    """Wait for one message; a closed connection raises `trio_websocket.ConnectionClosed`."""
    message: dict[str, Any] = json.loads(await websocket.get_message())
    return message


if __name__ == "__main__":
    trio.run(main)
