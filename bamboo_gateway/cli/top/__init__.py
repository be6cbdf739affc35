"""`bamboo-gateway top`: what a gateway is doing, from one moment to the next."""

from __future__ import annotations

from .shell import command

__all__ = ["command"]
