"""The table of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping

from .comparison import Comparison
from .results import Benchmark
from .workloads import (
    broadcast,
    connect,
    durable,
    growth_connections,
    growth_log,
    growth_sessions,
    memory,
    pace,
    ping,
    resume,
    stall,
    start,
    stream,
)

_IN_ORDER: tuple[Benchmark | Comparison, ...] = (
    broadcast.BROADCAST,
    broadcast.BURST_OF_TEN,
    stream.BENCHMARK,
    pace.BENCHMARK,
    durable.BENCHMARK,
    ping.PINGS,
    ping.CALLS,
    connect.CONNECT,
    resume.BENCHMARK,
    memory.BENCHMARK,
    start.BENCHMARK,
    stall.BENCHMARK,
    growth_connections.BENCHMARK,
    growth_sessions.BENCHMARK,
    growth_log.BENCHMARK,
)

BENCHMARKS: Mapping[str, Benchmark | Comparison] = {each.name: each for each in _IN_ORDER}
"""By their names on the command line."""
