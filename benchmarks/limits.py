"""Limits for a load that comes from one machine: those on crowds are off, those on messages out of reach."""

from __future__ import annotations

LIMITS = {
    "max_unauthenticated_connections": 0,
    "max_unauthenticated_per_address": 0,
    "message_rate": 1_000_000,  # not off: what it costs to count is to be measured, too
    "principal_message_rate": 1_000_000,
}
"""Settings of the gateway."""

OPTIONS = [part for name, value in LIMITS.items() for part in (f"--{name.replace('_', '-')}", str(value))]
"""The same for its command line."""
