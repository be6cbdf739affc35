"""The wrong tokens of each address, and which addresses are refused for them. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque

import attrs

FAILURE_WINDOW = 60.0
"""Seconds for which a wrong token counts."""

MAX_ADDRESSES = 4096
"""
Addresses of which failures are remembered; for one more, the one that failed longest ago is forgotten.

Who has more addresses than that cannot be stopped by their addresses.
"""


@attrs.define
class _Address:
    failures: deque[float] = attrs.field(factory=deque)
    """When, oldest first."""
    blocked_at: float | None = None


class FailedTokens:
    """
    Counts wrong tokens by the address that they came from.

    Invariant: no more than `MAX_ADDRESSES` are known, and of each no more
    failures than it takes to block it.
    """

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    def __len__(self) -> int:
        return len(self._addresses)

    def blocked_for(self, address: str, now: float, block: float) -> float:
        """Seconds for which *address* is still refused, if that takes *block*; 0: it is not."""
        known = self._addresses.get(address)
        if known is None or known.blocked_at is None:
            return 0.0
        return max(0.0, known.blocked_at + block - now)

    def count(self, address: str, now: float, most: int) -> bool:
        """
        One more wrong token came from *address*; is it refused from now on?

        Args:
            address: An `address_key`.
            now: Seconds.
            most: Wrong tokens within `FAILURE_WINDOW` after which it is.
        """
        known = self._addresses.setdefault(address, _Address())
        self._addresses.move_to_end(address)
        if len(self._addresses) > MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        known.failures.append(now)
        while known.failures[0] <= now - FAILURE_WINDOW:
            known.failures.popleft()
        if len(known.failures) < most:
            return False
        known.failures.clear()
        known.blocked_at = now
        return True
