"""uvicorn, with uvloop, as the two applications run on it."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn


def serve(application: Any) -> None:
    """Print the port, and serve until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(application, loop="uvloop", log_level="critical", ws_per_message_deflate=False)
    uvicorn.Server(config).run(sockets=[listener])
