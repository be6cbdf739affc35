"""Histograms: how many observations were how large, at next to no cost."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

import attrs


@attrs.frozen
class HistogramSnapshot:
    """A histogram as it was at one time."""

    bounds: tuple[float, ...]
    """Of the buckets, rising; each includes its own. A last bucket takes all that is above them."""
    counts: tuple[int, ...]
    """Observations by bucket, since the start of the gateway: one more than there are bounds."""
    sum: float
    """Of all observations."""

    @property
    def count(self) -> int:
        """How many observations there were."""
        return sum(self.counts)

    @property
    def cumulative(self) -> tuple[int, ...]:
        """For each bound, how many observations were no larger; and at last, how many there were."""
        return tuple(accumulate(self.counts))


def join(histograms: Iterable[HistogramSnapshot]) -> HistogramSnapshot:
    """Make one of some *histograms* of the same bounds: as if all had been observed in it."""
    each = list(histograms)
    [bounds] = {histogram.bounds for histogram in each}
    counts = tuple(map(sum, zip(*(histogram.counts for histogram in each), strict=True)))
    return HistogramSnapshot(bounds, counts, sum(histogram.sum for histogram in each))


class Histogram:
    """
    Counts observations by size.

    Invariant: each observation is in the first bucket whose bound it does not
    exceed. To observe takes some 0.15 µs (measured), so it is for what happens
    once a batch, not once a delivery.

    Args:
        bounds: Of the buckets, rising.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        assert self._bounds == tuple(sorted(set(self._bounds))), "bounds rise"
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count *value*, in the unit of the bounds."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def snapshot(self) -> HistogramSnapshot:
        """The counts by now."""
        return HistogramSnapshot(self._bounds, tuple(self._counts), self._sum)
