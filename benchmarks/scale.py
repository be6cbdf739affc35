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
    sessions: int = 200
    """Sessions whose agents speak at once."""
    tokens: int = 300
    """Of each of them, as fast as they may."""
    pace_time: float = 1.5
    """Seconds for which they speak at a given pace."""
    idle_connections: tuple[int, ...] = (2_000, 10_000)
    """Connections whose memory is measured."""
    stored: int = 100_000
    """Dormant sessions in the file whose memory is measured."""
    left_sessions: int = 2_000
    """Sessions that become dormant while their memory is measured."""
    audience: int = 500
    """Connections of which one stalls."""
    pushed: int = 150
    """Events that the others are sent."""
    grown_connections: tuple[int, ...] = (10, 100, 1_000, 10_000)
    grown_sessions: tuple[int, ...] = (1_000, 100_000, 1_000_000)
    grown_log: tuple[int, ...] = (1_000, 1_000_000)
    """Events in a log."""


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
    sessions=5,
    tokens=40,
    pace_time=0.2,
    idle_connections=(5, 10),
    stored=100,
    left_sessions=5,
    audience=5,
    pushed=40,
    grown_connections=(2, 5),
    grown_sessions=(10, 100),
    grown_log=(100, 500),
)
"""To see whether it runs: the figures mean nothing."""
