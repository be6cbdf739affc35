"""Bamboo Gateway: a WebSocket control plane for AI agents, on Trio."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import GatewayConfig
    from .errors import AgentError, ConfigError, GatewayError
    from .gateway import Gateway
    from .turn import Turn
    from .version import __version__

__all__ = ["AgentError", "ConfigError", "Gateway", "GatewayConfig", "GatewayError", "Turn", "__version__"]

_HOMES = {
    "AgentError": "errors",
    "ConfigError": "errors",
    "Gateway": "gateway",
    "GatewayConfig": "config",
    "GatewayError": "errors",
    "Turn": "turn",
    "__version__": "version",
}


def __getattr__(name: str) -> object:
    """
    Import a public name when it is first used (PEP 562).

    The gateway and all below it take half a second to import (measured), which
    `bamboo-gateway --version` or a client should not have to wait for.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
