"""What a benchmark has measured, and what it was to reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import attrs

from .scale import Scale

GATEWAY = "Bamboo Gateway"
"""The subject that targets are about."""


@attrs.frozen
class Target:
    """What one quantity is to reach."""

    bound: float
    """In the measurement's unit; or a ratio, where it is *beside* another subject."""
    beside: str | None = None
    """The subject that the gateway is compared with, round by round."""
    at_least: bool = False
    """The bound is the least, and not the most."""
    is_moonshot: bool = False
    """Something to aim at: to miss it is no failing."""
    why: str = ""
    """Where a bound in the measurement's unit comes from, such as another product's figure."""


@attrs.frozen
class Measurement:
    """One quantity of the gateway, and of those that do the same work beside it."""

    what: str
    """Such as `server CPU per delivery`."""
    unit: str
    """Such as `µs`; empty for a ratio."""
    rounds: Mapping[str, Sequence[float]]
    """Subject → its values, round by round; the same place is the same round."""
    targets: Sequence[Target] = ()

    def median(self, subject: str) -> float:
        """Half of the rounds were below."""
        return median(self.rounds[subject])

    def ratios(self, beside: str) -> Sequence[float]:
        """How many times the value of *beside* the gateway's is: each round compared with its neighbour."""
        return [ours / other for ours, other in zip(self.rounds[GATEWAY], self.rounds[beside], strict=True)]

    @property
    def peers(self) -> Sequence[str]:
        """The subjects but the gateway."""
        return [subject for subject in self.rounds if subject != GATEWAY]

    def is_measured(self, target: Target) -> bool:
        """Did the subject that it compares with run here?"""
        return target.beside is None or target.beside in self.rounds

    def figure(self, target: Target) -> float:
        """What was reached."""
        return self.median(GATEWAY) if target.beside is None else median(self.ratios(target.beside))

    def is_met(self, target: Target) -> bool:
        """Was it?"""
        figure = self.figure(target)
        return figure >= target.bound if target.at_least else figure <= target.bound


@attrs.frozen
class Result:
    """What one benchmark has measured."""

    name: str
    """As on the command line."""
    title: str
    measurements: Sequence[Measurement]


@attrs.frozen
class Benchmark:
    """One benchmark: `BENCHMARKS` in `benchmarks/table.py` lists them."""

    name: str
    title: str
    run: Callable[[Scale], Sequence[Measurement]]
