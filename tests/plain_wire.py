"""The wire in a few lines, which share no code with the package that they judge."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, TypeAlias

DialectName: TypeAlias = Literal["tagged", "serde"]
Event: TypeAlias = dict[str, Any]
"""A message as the tagged dialect has it, whichever dialect it came in."""

SEED_KINDS = {
    "connected",
    "agent_token",
    "agent_tool_start",
    "agent_tool_complete",
    "agent_complete",
    "error",
    "pong",
}
"""All that protocol 1 knows."""


def write(dialect: DialectName, kind: str, **fields: object) -> str:
    """Write the message *kind* (named as in the tagged dialect) as JSON."""
    body = {"type": kind, **fields} if dialect == "tagged" else {_camel(kind): fields}
    return json.dumps(body)


def read(dialect: DialectName, text: str) -> Event:
    """Read one message."""
    message = json.loads(text)
    if dialect == "serde":
        [(name, fields)] = message.items()
        message = {"type": snake(name), **fields}
    assert isinstance(message, dict)
    return message


def _camel(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("_"))


def snake(name: str) -> str:
    """Make `agent_token` of `AgentToken`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
