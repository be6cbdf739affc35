"""What the gateway's connection stack is compared with: an echo server of trio-websocket alone."""

from __future__ import annotations

from functools import partial

import trio
from trio_websocket import ConnectionClosed, WebSocketRequest, serve_websocket

from tests.compliance.binding import MAX_MESSAGE_BYTES, parse_bind


async def echo(request: WebSocketRequest) -> None:
    """Say what was said, until the client closes."""
    websocket = await request.accept()
    try:
        while True:
            await websocket.send_message(await websocket.get_message())
    except ConnectionClosed:
        pass


async def serve(
    host: str, port: int, *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve until cancelled; the status is the port."""
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            partial(
                serve_websocket,
                echo,
                host,
                port,
                ssl_context=None,
                max_message_size=MAX_MESSAGE_BYTES,
            )
        )
        task_status.started(server.port)


if __name__ == "__main__":
    trio.run(serve, *parse_bind(__doc__))
