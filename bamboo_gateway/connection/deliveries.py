"""How many events went out to connections, and on which way."""

from __future__ import annotations

import attrs


@attrs.frozen
class DeliveryStatistics:
    """Deliveries since the start; an event that goes to ten connections is ten."""

    live: int
    """In the moment of their commit."""
    caught_up: int
    """Read from the log later, by connections that were behind or have come back."""
    gaps: int
    """Times that a connection was told of a hole: the log no longer reached back to where it stood."""


@attrs.define(eq=False)
class Deliveries:
    """
    Counts them for all outboxes of a gateway.

    Invariant: what was offered and not missed went out live. So who is live
    costs no step here: fan-out counts whole strides of connections, and who misses
    an offer is slow anyway.
    """

    offered: int = 0
    """Events × connections."""
    missed: int = 0
    """Those of them that a connection could not take: it reads them later, if ever."""
    caught_up: int = 0
    gaps: int = 0

    def statistics(self) -> DeliveryStatistics:
        """Count them."""
        return DeliveryStatistics(self.offered - self.missed, self.caught_up, self.gaps)
