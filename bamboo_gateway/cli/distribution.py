"""Histograms as `gateway.stats` tells them: what came between two looks, and what most of it kept within."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import attrs

from ..protocol.messages import Json


@attrs.frozen
class Distribution:
    """Observations by size; `counts` has one more than `bounds`, for all that is above them."""

    bounds: Sequence[float]
    counts: Sequence[int]

    @classmethod
    def read(cls, value: Json) -> Distribution | None:
        """Read what a gateway told; None: it told nothing that is one."""
        match value:
            case {"bounds": list(bounds), "counts": list(counts)} if len(counts) == len(bounds) + 1:
                return cls([float(str(each)) for each in bounds], [int(str(each)) for each in counts])
            case _:
                return None

    @property
    def count(self) -> int:
        """How many observations there are."""
        return sum(self.counts)

    def since(self, earlier: Distribution | None) -> Distribution:
        """What has come after *earlier*. Of a gateway that has started anew, that is all."""
        if earlier is None or earlier.bounds != self.bounds:
            return self
        counts = [now - then for now, then in zip(self.counts, earlier.counts, strict=True)]
        return self if min(counts) < 0 else attrs.evolve(self, counts=counts)

    def quantile(self, part: float) -> float | None:
        """
        The size that this *part* of all observations kept within, as if each bucket were filled evenly.

        Infinity: it is above all bounds. None: there are no observations.
        """
        wanted = part * self.count
        if not wanted:
            return None
        edges = pairwise([0.0, *self.bounds, math.inf])
        ends = accumulate(self.counts)
        for (low, high), count, end in zip(edges, self.counts, ends, strict=True):
            if end >= wanted:
                return high if math.isinf(high) else high - (high - low) * (end - wanted) / count
        raise AssertionError("the last bucket ends with all of them")
