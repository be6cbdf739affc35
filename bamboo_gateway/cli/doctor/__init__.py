"""`bamboo-gateway doctor`: what may be wrong with where a gateway shall run; a module for each concern."""

from __future__ import annotations

from .shell import command

__all__ = ["command"]
