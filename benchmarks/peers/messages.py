"""What the peers without a gateway say: the gateway's messages, made by hand."""

from __future__ import annotations

import json
from typing import Any

from ..workloads.broadcast import EVENT_BYTES


def make_event() -> str:
    """Make an event of `EVENT_BYTES`."""
    return _to_json(type="agent_token", session_id="*", token=_TEXT)


def make_reply(message: dict[str, Any]) -> str:
    """Answer a `connect` or a `ping`."""
    if message["type"] == "connect":
        return _to_json(type="connected", session_id="s")
    return _to_json(type="pong", timestamp=message["timestamp"])


def _to_json(**message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


_TEXT = "x" * (EVENT_BYTES - len(_to_json(type="agent_token", session_id="*", token="")))
