"""How many messages a second are taken in: of one connection, and of all of one principal. Pure."""

from __future__ import annotations

import attrs

from ..config import GatewayConfig
from ..principal import Principal

BURST = 10.0
"""Seconds' worth of messages that may come at once: a client that was offline says what it has saved up."""

_ROUNDING = 1e-6
"""Seconds that a sum of a thousand intervals may be off: nobody is refused for that."""

SWEEP_SIZE = 1024
"""Buckets of principals that are kept without asking whether they are still of use."""


@attrs.define
class TokenBucket:
    """
    A token bucket: it fills at a rate, and each message takes one token out of it.

    Kept as the time at which it will be full again, as in the generic cell rate
    algorithm: that is one number, and means the same when the rate changes.
    """

    full_at: float = 0.0
    """Seconds; in the past: it is full."""

    def take(self, now: float, rate: float) -> float:
        """
        Take one token, at *rate* a second (0: without limit); 0: done.

        Otherwise nothing was taken, and there will be one in as many seconds.
        """
        if not rate:
            return 0.0
        interval = 1.0 / rate
        full_at = (max(now, self.full_at)) + interval
        # A bucket holds one token at least, however slowly it fills.
        wait = full_at - now - (max(BURST, interval))
        if wait > _ROUNDING:
            return wait
        self.full_at = full_at
        return 0.0


class MessageRates:
    """
    The buckets of principals, by their user ids.

    Invariant: a bucket that is not full is kept, whether its principal is
    connected or not: else one could empty it, and come back for another. Of
    full ones, no more are kept than of others, or `SWEEP_SIZE`.
    """

    def __init__(self) -> None:
        self.refused = 0
        """Messages that came too fast."""
        self._buckets: dict[str, TokenBucket] = {}
        self._sweep_at = SWEEP_SIZE

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, own: TokenBucket, principal: Principal | None, now: float, config: GatewayConfig) -> float:
        """
        Take one message of a connection whose bucket is *own*; 0: it is within all limits.

        Otherwise, seconds after which it will be. An operator is held to the
        rate of its connection alone, and so is who is not known yet.
        """
        wait = own.take(now, config.message_rate) or self._take_shared(principal, now, config)
        self.refused += wait > 0
        return wait

    def _take_shared(self, principal: Principal | None, now: float, config: GatewayConfig) -> float:
        if principal is None or principal.is_operator:
            return 0.0
        quota = principal.quotas.message_rate
        rate = config.principal_message_rate if quota is None else quota
        if not rate:
            return 0.0
        bucket = self._buckets.get(principal.user_id)
        if bucket is None:
            bucket = self._add(principal.user_id, now)
        return bucket.take(now, rate)

    def _add(self, user_id: str, now: float) -> TokenBucket:
        if len(self._buckets) >= self._sweep_at:
            self._buckets = {name: each for name, each in self._buckets.items() if each.full_at > now}
            self._sweep_at = max(SWEEP_SIZE, 2 * len(self._buckets))
        bucket = self._buckets[user_id] = TokenBucket()
        return bucket
