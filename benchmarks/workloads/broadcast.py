"""One client asks for events, and each event goes to all of them."""

from __future__ import annotations

import json

from ..client import Client
from ..crowd import Crowd
from .workload import Workload

EVENT_BYTES = 150
"""Of each event, as JSON: a token with what belongs to it."""

EVENT_INTERVAL = 0.01
"""Seconds between two events: each goes out by itself, as a model's tokens do, and shares with no next."""


def run(crowd: Crowd, repeats: int) -> None:
    """Ask for *repeats* events; each client shall read each of them."""
    command = {"type": "command", "name": "broadcast", "args": {"events": repeats}}
    crowd.clients[0].send(json.dumps(command, separators=(",", ":")).encode())
    crowd.receive(len(crowd.clients) * repeats, _is_event)


def _is_event(_: Client, message: bytes) -> bool:
    return b'"agent_token"' in message


WORKLOAD = Workload(f"broadcast of events of {EVENT_BYTES} bytes, one at a time", "delivery", run)
