"""The states of connections, counted."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from .connection import Connection


@attrs.frozen
class ConnectionStates:
    """How many open sockets are how far."""

    unauthenticated: int
    """No `connect` was accepted yet; those that still shake hands among them."""
    connected: int
    """Let in, and given all there is."""
    behind: int
    """Let in, but slower than what they are sent."""

    @classmethod
    def count(cls, connections: Iterable[Connection], open_sockets: int) -> ConnectionStates:
        """Look at each of *connections*; the other *open_sockets* are no connections yet."""
        known = behind = 0
        for connection in connections:
            if connection.principal is not None:
                known += 1
                behind += connection.outbox.behind
        return cls(max(0, open_sockets - known), known - behind, behind)
