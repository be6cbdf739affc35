"""
The servers that are compared. Each is a program that prints its port.

Each does what the workloads ask for: it answers `connect`, `ping` and a command, and on the command
`emit` it sends as many events as asked to all its clients. None but the gateway has sessions, a log,
resuming, limits or deadlines: the others show what a library costs, not what a gateway on top of it would.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from ..results import GATEWAY
from ..server import node_command, python_command
from ..speech import PLAIN, SOCKETIO, Speech
from .messages import EVENT_BYTES, TICK

LIMIT = "kernel limit"
NODE = "Node ws"
TRIO_WEBSOCKET = "trio-websocket"
WEBSOCKETS = "websockets"

_ROOT = Path(__file__).parent.parent.parent


@attrs.frozen
class Peer:
    """One of them."""

    command: Sequence[str]
    about: str
    packages: Sequence[str]
    """Whose versions say what was measured."""
    speech: Speech = PLAIN


def _python(module: str, *arguments: str) -> Sequence[str]:
    return python_command(f"{__package__}.{module}", *arguments)


_NODE_WS = Path(__file__).with_name("node_ws.mjs")

PEERS: Mapping[str, Peer] = {
    GATEWAY: Peer(_python("gateway"), "embedded, in memory, default settings", ["trio"]),
    LIMIT: Peer(_python("limit"), "non-blocking writes of ready frames; understands nothing", []),
    NODE: Peer(node_command(_NODE_WS, str(EVENT_BYTES), str(TICK)), "a loop over all clients", ["ws"]),
    WEBSOCKETS: Peer(_python("websockets_broadcast"), "on asyncio, its `broadcast()`", ["websockets"]),
    "websockets, uvloop": Peer(
        _python("websockets_broadcast", "uvloop"), "on uvloop, its `broadcast()`", ["websockets", "uvloop"]
    ),
    "picows": Peer(_python("picows_uvloop"), "on uvloop, a loop over all clients", ["picows", "uvloop"]),
    "Starlette": Peer(
        _python("starlette_uvicorn"),
        "on uvicorn and uvloop, a loop over all clients",
        ["starlette", "uvicorn", "uvloop"],
    ),
    "python-socketio": Peer(
        _python("socketio_uvicorn"),
        "on uvicorn and uvloop, its `send()` to all; in its own envelope",
        ["python-socketio", "uvicorn", "uvloop"],
        SOCKETIO,
    ),
    TRIO_WEBSOCKET: Peer(
        _python("trio_websocket_loop"), "a loop over all clients", ["trio-websocket", "wsproto", "trio"]
    ),
}
"""Subject → how it is run."""


def has_node() -> bool:
    """Are Node and its `ws` here?"""
    return shutil.which("node") is not None and (_ROOT / "tests/integration/node/node_modules/ws").is_dir()


def present_peers() -> Mapping[str, Peer]:
    """Those that can run here: all, if Node is here."""
    return {name: peer for name, peer in PEERS.items() if name != NODE or has_node()}
