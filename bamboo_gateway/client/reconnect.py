"""When to try again after a lost connection, and for how long; a pure policy, without clock or chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
from attrs.validators import gt, optional

_MAX_DOUBLINGS = 64
"""More would leave the range of a float, and any bound long before that."""


_positive_or_none: Callable[[Any, attrs.Attribute[Any], Any], object] = optional(gt(0))


@attrs.frozen(kw_only=True)
class Reconnect:
    """
    How a client comes back: exponential backoff with full jitter.

    The pause before attempt *n*, counted from 0, is a random part of
    `min(max_interval, first_interval * 2**n)`. The first one is random, too:
    when a gateway restarts, all of its clients lose it at the same moment.
    """

    first_interval: float = attrs.field(default=1.0, validator=gt(0))
    """Seconds over which the first attempts are spread: about what 1,000 handshakes cost a gateway."""
    max_interval: float = attrs.field(default=30.0, validator=gt(0))
    """Seconds over which attempts are spread in the end: an outage that is over is noticed within them."""
    give_up_timeout: float | None = attrs.field(default=300.0, validator=_positive_or_none)
    """
    Seconds without success after which the client ends; None: it never does. Five minutes outlast a restart
    or a tunnel; after more, whoever waits should be told.
    """

    def pause(
        self,
        attempt: int,
        chance: float,
        retry_after: float | None = None,
        jitter: float | None = None,
    ) -> float:
        """
        Seconds to wait before *attempt*.

        Args:
            attempt: How many have failed since the connection was lost.
            chance: A random number from 0 to 1.
            retry_after: What the gateway asked for. The jitter comes on top: it asked all others, too.
            jitter: What it asked for of that; it knows how many others there are.
        """
        if attempt == 0 and jitter is not None:
            return max(0.0, retry_after or 0.0) + chance * max(0.0, jitter)
        longest = min(self.max_interval, self.first_interval * 2.0 ** min(attempt, _MAX_DOUBLINGS))
        return max(0.0, retry_after or 0.0) + chance * longest

    def give_up_at(self, now: float) -> float:
        """When to give up, if the connection was lost at *now*; both in seconds of the same clock."""
        return math.inf if self.give_up_timeout is None else now + self.give_up_timeout
