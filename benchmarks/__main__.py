"""The command line of the benchmarks."""

from __future__ import annotations

import sys

import click

from .peers import PEERS
from .report import print_report
from .rounds import run_rounds
from .server import allow_many_files
from .workloads import WORKLOADS


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--connections", default=500, show_default=True, help="Clients that listen at once.")
@click.option("--repeats", default=40, show_default=True, help="Events or pings for each client.")
@click.option("--rounds", default=5, show_default=True, help="Turns that each peer takes.")
@click.option("--workload", "names", type=click.Choice(list(WORKLOADS)), multiple=True, help="Only this one.")
@click.option("--tiny", is_flag=True, help="Only try whether it runs; its numbers mean nothing.")
def main(connections: int, repeats: int, rounds: int, names: tuple[str, ...], *, tiny: bool) -> None:
    """Measure the server's CPU time, for the gateway and its peers in turn."""
    if sys.platform != "linux":
        raise click.ClickException("only Linux tells the CPU time of another process")
    allow_many_files()
    if tiny:
        connections, repeats, rounds = 5, 2, 1
    for name in names or WORKLOADS:
        measured = run_rounds(WORKLOADS[name], PEERS, rounds, connections, repeats)
        print_report(WORKLOADS[name], measured, connections, repeats)


if __name__ == "__main__":
    main()
