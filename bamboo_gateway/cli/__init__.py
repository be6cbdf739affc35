"""The command line: `bamboo-gateway serve | chat | call | sessions | token`."""

from .command_line import main

__all__ = ["main"]
