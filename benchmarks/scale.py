"""How much is measured."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Scale:
    """One for all benchmarks; each takes from it what it needs."""

    connections: int
    repeats: int
    rounds: int
    journaled: int = 20_000
    """Events of each run of `journal`, all sessions together."""
    replayed: int = 100_000
    """Events in the log that `replay` reads."""
    stored: int = 100_000
    """Sessions in the greater file of `cold_start`."""


TINY = Scale(connections=5, repeats=2, rounds=1, journaled=50, replayed=500, stored=100)
"""To see whether it runs: the figures mean nothing."""
