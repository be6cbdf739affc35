"""What the workloads ask of a server, and what those without a gateway say: its messages, made by hand."""

from __future__ import annotations

import json
from typing import Any

EVENT_BYTES = 150
"""Of each event, as JSON: a token with what belongs to it."""

TICK = 0.03
"""Seconds between events, or tens of them: 1,000 clients are served before, so no two ticks share a write."""


def make_event() -> str:
    """Make an event of `EVENT_BYTES`."""
    return _to_json(type="agent_token", session_id="*", token=_TEXT)


def make_reply(message: dict[str, Any], connections: int) -> str:
    """Answer a `connect`, a `ping`, or any command but `emit`."""
    match message["type"]:
        case "connect":
            return _to_json(type="connected", session_id="s")
        case "ping":
            return _to_json(type="pong", timestamp=message["timestamp"])
        case _:
            return _to_json(type="command_result", id=message["id"], result={"connections": connections})


def is_broadcast(message: dict[str, Any]) -> bool:
    """Is this the command to send `args.events` events to everybody, in each of `args.ticks` ticks?"""
    return message.get("name") == "emit"


def _to_json(**message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


_TEXT = "x" * (EVENT_BYTES - len(_to_json(type="agent_token", session_id="*", token="")))
