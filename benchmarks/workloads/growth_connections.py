"""`broadcast` to ever more connections."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from ..emitters import BROADCASTER
from ..listeners import open_audience
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import run_command

INTERVAL = 0.002
"""Seconds from one event's having gone out to the next."""

MAX_EVENTS = 200

DELIVERIES = 50_000
"""In each measurement, but for those of few connections."""

_COST = "server CPU per delivery"


def run(scale: Scale) -> Sequence[Measurement]:
    """Push to each audience once a round."""
    records = Records()
    *_, most = scale.grown_connections
    with ExitStack() as stack:
        audiences = {}
        for connections in scale.grown_connections:
            server = stack.enter_context(run_command(BROADCASTER))
            audiences[connections] = server, stack.enter_context(open_audience(server.port, connections))
        for _ in range(scale.rounds):
            for connections, (server, audience) in audiences.items():
                events = min(MAX_EVENTS, DELIVERIES // connections)
                before = server.cpu_time()
                audience.push(events, INTERVAL)
                cost = (server.cpu_time() - before) / (events * connections) * 1e6
                records.add(_COST, GATEWAY if connections == most else _of(connections), cost)
    # An event's own cost is shared by its deliveries: so fewer may well cost more each, and more may not.
    targets = [Target(1.3, beside=_of(each)) for each in scale.grown_connections if each != most]
    return [Measurement(f"{_COST}, {most:,} connections", "µs", records.rounds(_COST), targets)]


def _of(connections: int) -> str:
    return f"{connections:,} connections"


BENCHMARK = Benchmark("growth_connections", "broadcast to few and many connections", run)
