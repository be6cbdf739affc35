"""One metric: what it is called, what it means, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from ..histogram import HistogramSnapshot
from ..statistics import Measurements

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

Reading: TypeAlias = float | HistogramSnapshot
"""One value of a metric."""

Readings: TypeAlias = Mapping[tuple[str, ...], Reading]
"""Its values by those of its labels; with no labels there is one, under `()`."""


@attrs.frozen
class Label:
    """What parts the values of a metric."""

    name: str
    values: Sequence[str] = ()
    """All it may have; empty where it has one value for the process's life."""


@attrs.frozen
class Metric:
    """
    A row of the table.

    Invariant: how many values it has is known before the gateway starts: no
    label names a session, a user or an address.
    """

    name: str
    """By Prometheus' conventions: base units, and `_total` for counters."""
    kind: Kind
    help: str
    """A sentence without its full stop."""
    read: Callable[[Measurements], Readings]
    labels: Sequence[Label] = ()
    """In the order of the keys that `read` gives."""


def one(read: Callable[[Measurements], Reading]) -> Callable[[Measurements], Readings]:
    """Read a metric that has no labels."""
    return lambda measured: {(): read(measured)}


def by(
    label: Label, read: Callable[[Measurements], Mapping[Any, Reading]]
) -> Callable[[Measurements], Readings]:
    """Read a metric with one *label*, each value of which has its number from the start, be it 0."""

    def readings(measured: Measurements) -> Readings:
        found = read(measured)
        return {(value,): found.get(value, 0) for value in label.values}

    return readings
