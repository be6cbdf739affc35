"""How much is measured."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Scale:
    """One for all benchmarks; each takes from it what it needs."""

    rounds: int = 5
    """Turns that each of those compared takes."""
    crowd: int = 1000
    """Connections of `broadcast`, `burst` and `connect`."""
    ticks: int = 15
    """In which `broadcast` sends one event each, and its warm-up a fifth as many."""
    burst_ticks: int = 3
    """In which `burst` sends ten events each."""
    few: int = 50
    """Connections of `ping` and `calls`, where they are more than one."""
    asks: int = 1000
    """Pings or calls, all connections together."""
    warm_up: int = 3000
    """Pings before the first that counts: a compiler that learns as it goes needs so many. Calls: a third."""
    resumes: int = 5000
    """Sessions of `resume`."""
    resume_rounds: int = 2
    """Times that they come back."""
    missed: int = 50
    """Events that each of them has missed."""
    journaled: int = 20_000
    """Events of each run of `journal`, all sessions together."""
    replayed: int = 100_000
    """Events in the log that `replay` reads."""
    stored: int = 100_000
    """Sessions in the greater file of `cold_start`."""


TINY = Scale(
    rounds=1,
    crowd=5,
    ticks=2,
    burst_ticks=1,
    few=3,
    asks=40,
    warm_up=40,
    resumes=5,
    resume_rounds=1,
    missed=3,
    journaled=50,
    replayed=500,
    stored=100,
)
"""To see whether it runs: the figures mean nothing."""
