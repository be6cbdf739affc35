"""What was measured, as a table."""

from __future__ import annotations

from statistics import median

from .peers import PEERS
from .rounds import Measured
from .workloads.workload import Workload


def print_report(workload: Workload, measured: Measured, connections: int, repeats: int) -> None:
    """Print how each peer does, beside the first."""
    ours = measured[next(iter(measured))]
    print(f"\n{workload.title}: {connections} connections × {repeats}, {len(ours)} rounds")
    print(f"  {f'server CPU per {workload.unit}':42}{'ratio':>8}{'µs':>9}   lowest–highest")
    for peer, costs in measured.items():
        spread = f"{min(costs):.1f}–{max(costs):.1f}"
        print(f"  {PEERS[peer]:42}{ratio(costs, ours):8.2f}{median(costs):9.1f}   {spread}")


def ratio(costs: list[float], ours: list[float]) -> float:
    """How many times *ours* it costs: the median of the rounds, each compared with its neighbour."""
    return median(cost / own for cost, own in zip(costs, ours, strict=True))
