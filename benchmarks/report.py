"""What was measured, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from .peers import PEERS
from .results import GATEWAY, Measurement
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


def print_measurements(title: str, measurements: Sequence[Measurement]) -> None:
    """Print each quantity of each subject, and whether the gateway reached its targets."""
    print(f"\n{title}")
    for each in measurements:
        targets = ", ".join(
            f"{each.figure(target):.2f} {'meets' if each.is_met(target) else 'MISSES'} {target.bound}"
            + (f" × {target.beside}" if target.beside else "")
            for target in each.targets
        )
        print(f"  {each.what} {each.unit}  {targets}")
        for subject, values in each.rounds.items():
            row = f"{each.median(subject):12,.2f}   {min(values):,.2f}–{max(values):,.2f}"
            beside = "" if subject == GATEWAY else f"   ours: × {median(each.ratios(subject)):.2f}"
            print(f"    {subject:24}{row}{beside}")


def ratio(costs: Sequence[float], ours: Sequence[float]) -> float:
    """How many times *ours* it costs: the median of the rounds, each compared with its neighbour."""
    return median(_ratios(costs, ours))


def spread_of_ratio(costs: Sequence[float], ours: Sequence[float]) -> str:
    """The `ratio`, and how far apart the rounds were."""
    ratios = _ratios(costs, ours)
    return f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *rows* under *head*: the first column is a name, the others are figures."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    print(f"\n{title}")
    for name, *figures in (head, *rows):
        cells = [cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True)]
        print("  " + "  ".join([name.ljust(widths[0]), *cells]))


def _ratios(costs: Sequence[float], ours: Sequence[float]) -> list[float]:
    return [cost / own for cost, own in zip(costs, ours, strict=True)]
