"""Bamboo Gateway: a WebSocket control plane for AI agents, on Trio."""

from .config import GatewayConfig
from .errors import AgentError, ConfigError, GatewayError
from .gateway import Gateway
from .turn import Turn
from .version import __version__

__all__ = ["AgentError", "ConfigError", "Gateway", "GatewayConfig", "GatewayError", "Turn", "__version__"]
