"""The table of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping

from .comparison import Comparison
from .results import Benchmark
from .workloads import broadcast, connect, ping, resume

_IN_ORDER: tuple[Benchmark | Comparison, ...] = (
    broadcast.BROADCAST,
    broadcast.BURST_OF_TEN,
    ping.PINGS,
    ping.CALLS,
    connect.CONNECT,
    resume.BENCHMARK,
)

BENCHMARKS: Mapping[str, Benchmark | Comparison] = {each.name: each for each in _IN_ORDER}
"""By their names on the command line."""
