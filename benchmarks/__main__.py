"""The command line of the benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial

import click

from .peers import PEERS
from .report import print_measurements, print_report
from .results import Benchmark
from .rounds import run_rounds
from .scale import TINY, Scale
from .server import allow_many_files
from .workloads import (
    WORKLOADS,
    durable,
    growth_connections,
    growth_log,
    growth_sessions,
    memory,
    pace,
    stall,
    start,
    stream,
)


def _compare_peers(name: str, scale: Scale) -> None:
    measured = run_rounds(WORKLOADS[name], PEERS, scale.rounds, scale.connections, scale.repeats)
    print_report(WORKLOADS[name], measured, scale.connections, scale.repeats)


FLOOD = (
    stream.BENCHMARK,
    pace.BENCHMARK,
    durable.BENCHMARK,
    memory.BENCHMARK,
    start.BENCHMARK,
    stall.BENCHMARK,
    growth_connections.BENCHMARK,
    growth_sessions.BENCHMARK,
    growth_log.BENCHMARK,
)


def _run(benchmark: Benchmark, scale: Scale) -> None:
    print_measurements(benchmark.title, benchmark.run(scale))


BENCHMARKS: Mapping[str, Callable[[Scale], None]] = {
    **{name: partial(_compare_peers, name) for name in WORKLOADS},
    **{each.name: partial(_run, each) for each in FLOOD},
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", type=click.Choice(list(BENCHMARKS)), nargs=-1)
@click.option("--connections", default=500, show_default=True, help="Clients that listen at once.")
@click.option("--repeats", default=40, show_default=True, help="Events or pings for each client.")
@click.option("--rounds", default=5, show_default=True, help="Turns that each of those compared takes.")
@click.option("--tiny", is_flag=True, help="Only try whether it runs; its numbers mean nothing.")
def main(names: tuple[str, ...], connections: int, repeats: int, rounds: int, *, tiny: bool) -> None:
    """
    Run the benchmarks NAMES, or all.

    Those of `broadcast` and `ping` compare the gateway with its peers, the
    others what streams, storages and sizes cost. SQLite files go where temporary files go (TMPDIR): on
    a file system in memory, to wait for the disk costs nothing.
    """
    if sys.platform != "linux":
        raise click.ClickException("only Linux tells the CPU time of another process")
    allow_many_files()
    scale = TINY if tiny else Scale(connections=connections, repeats=repeats, rounds=rounds)
    for name in names or BENCHMARKS:
        BENCHMARKS[name](scale)


if __name__ == "__main__":
    main()
