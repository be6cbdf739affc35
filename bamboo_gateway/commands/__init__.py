"""What clients may ask of the gateway: one table of commands, from which `help` and the docs are made."""

from .context import CommandContext, GatewayReport, Services
from .table import COMMANDS, CommandSpec

__all__ = ["COMMANDS", "CommandContext", "CommandSpec", "GatewayReport", "Services"]
