"""The command line: `bamboo-gateway serve | chat | call`."""

from .command_line import main

__all__ = ["main"]
