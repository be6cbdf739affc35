"""
The seed's `GatewayEvent` as serde would read it: seven variants, their fields, their types, and nothing else.

Unknown fields are ignored, as serde does by default; an unknown variant, a
missing field or a wrong type is an error, which in a client ends the program.
"""

from __future__ import annotations

from typing import TypeAlias

from tests.plain_wire import Event

Fields: TypeAlias = dict[str, "type | Fields"]

USAGE: Fields = {"prompt_tokens": int, "completion_tokens": int, "total_tokens": int}

VARIANTS: dict[str, Fields] = {
    "connected": {"session_id": str},
    "agent_token": {"session_id": str, "token": str},
    "agent_tool_start": {"session_id": str, "tool": str},
    "agent_tool_complete": {"session_id": str, "tool": str, "result": str},
    "agent_complete": {"session_id": str, "usage": USAGE},
    "error": {"code": str, "message": str},
    "pong": {"timestamp": int},
}


def parse(event: Event) -> str:
    """
    Read one event; return the name of its variant.

    Raises:
        AssertionError: The enum has no room for it.
    """
    name = event["type"]
    assert name in VARIANTS, f"unknown variant {name!r} in {event}"
    _check(VARIANTS[name], event, event)
    return str(name)


def _check(fields: Fields, value: Event, event: Event) -> None:
    for field, kind in fields.items():
        assert field in value, f"missing field {field!r} in {event}"
        if isinstance(kind, dict):
            _check(kind, value[field], event)
        else:
            # Exactly: a bool is no i64, and neither is a float.
            assert type(value[field]) is kind, f"invalid type of {field!r} in {event}"
