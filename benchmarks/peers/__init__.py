"""
The servers that are compared. Each is a module that runs as a program and prints its port.

Each does what the workloads ask for: it answers `connect` and `ping`, and on the command `broadcast` it sends
as many events as asked to all its clients, `EVENT_INTERVAL` apart. None but the gateway has sessions, a log,
resuming, limits or deadlines: the others show what a library costs, not what a gateway on top of it would.
"""

from __future__ import annotations

PEERS: dict[str, str] = {
    "bamboo": "Bamboo Gateway",
    "websockets_broadcast": "bare websockets (asyncio), its broadcast()",
    "trio_websocket_loop": "bare trio-websocket, a loop over clients",
}
"""Module → what it is. The first is what the others are compared with."""
