"""Where sessions are kept: one module a technology, each behind `ports.SessionStorage`."""

from __future__ import annotations

from .location import parse_storage

__all__ = ["parse_storage"]
