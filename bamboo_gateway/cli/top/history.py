"""How numbers have gone lately, and their shape as a line of blocks."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence

from .look import Look
from .pace import Pace

LENGTH = 240
"""Looks that are remembered: as wide as a terminal gets."""

_BLOCKS = "▁▂▃▄▅▆▇█"


class History:
    """The last values of each number, by its name; bounded."""

    def __init__(self) -> None:
        self._values: defaultdict[str, deque[float | None]] = defaultdict(lambda: deque(maxlen=LENGTH))

    def add(self, look: Look, pace: Pace) -> None:
        """Remember what was seen."""
        for name, value in numbers(look, pace).items():
            self._values[name].append(value)

    def recent(self) -> Mapping[str, Sequence[float | None]]:
        """The values by now, oldest first."""
        return {name: tuple(values) for name, values in self._values.items()}


def numbers(look: Look, pace: Pace) -> Mapping[str, float | None]:
    """Those of which a history is kept; delays are the 99th percentile."""
    seen: dict[str, float | None] = {"events": pace.events, "deliveries": pace.deliveries}
    seen |= {name: each.quantile(0.99) for name, each in pace.lags.items()}
    if look.numbers is not None:
        table = look.numbers["registry"]["table"]
        seen["connections"] = look.numbers["connections"]["open"]
        seen["sessions"] = table["sessions"]
        seen["turns"] = look.numbers["turns"]["running"]
        seen["memory"] = table["log_bytes"] + look.numbers["connections"]["waiting_bytes"]
    return seen


def sparkline(values: Sequence[float | None], columns: int) -> str:
    """
    Draw the last values in so many *columns*, the newest at the right, from nothing to their largest.

    A value that is not known leaves a gap; one that is beyond all bounds is as high as can be.
    """
    shown = values[max(0, len(values) - columns) :]
    known = [each for each in shown if each is not None and math.isfinite(each)]
    most = max(known, default=0.0)
    line = "".join(_block(each, most) for each in shown)
    return line.rjust(columns)


def _block(value: float | None, most: float) -> str:
    if value is None:
        return " "
    if not math.isfinite(value):
        return _BLOCKS[-1]
    return _BLOCKS[round(value / most * (len(_BLOCKS) - 1))] if most else _BLOCKS[0]
