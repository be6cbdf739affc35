"""How much is measured."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Scale:
    """One for all benchmarks; each takes from it what it needs."""

    connections: int
    repeats: int
    rounds: int
    sessions: int = 200
    """Sessions whose agents speak at once."""
    tokens: int = 300
    """Of each of them, as fast as they may."""
    pace_time: float = 1.5
    """Seconds for which they speak at a given pace."""
    replayed: int = 100_000
    """Events in the log that `replay` reads."""
    stored: int = 100_000
    """Sessions in the greater file of `cold_start`."""


TINY = Scale(
    connections=5, repeats=2, rounds=1, sessions=5, tokens=40, pace_time=0.2, replayed=500, stored=100
)
"""To see whether it runs: the figures mean nothing."""
