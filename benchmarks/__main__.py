"""The command line of the benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import click

from bamboo_gateway.cli.progress import Meter, open_meter

from .comparison import Comparison, compare
from .machine import describe_machine
from .peers import PEERS
from .report import print_report, print_result
from .results import Result
from .results_file import Saved, save
from .scale import TINY, Scale
from .server import allow_many_files
from .table import BENCHMARKS


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", type=click.Choice(list(BENCHMARKS)), nargs=-1)
@click.option("--rounds", type=int, help="Turns that each of those compared takes; 5, where not said.")
@click.option("--tiny", is_flag=True, help="Only try whether it runs; its numbers mean nothing.")
@click.option("--json", "path", type=click.Path(path_type=Path), help="Write what was measured there, too.")
def main(names: tuple[str, ...], rounds: int | None, path: Path | None, *, tiny: bool) -> None:
    """
    Run the benchmarks NAMES, or all.

    SQLite files go where temporary files go (TMPDIR): on a file system in
    memory, to wait for the disk costs nothing.
    """
    if sys.platform != "linux":
        raise click.ClickException("only Linux tells the CPU time of another process")
    allow_many_files()
    scale = TINY if tiny else Scale()
    if rounds is not None:
        scale = attrs.evolve(scale, rounds=rounds)
    results: list[Result] = []
    with open_meter() as meter:
        for result in _run([name for name in BENCHMARKS if name in names or not names], scale, meter):
            print_result(result)
            results.append(result)
    results.sort(key=lambda result: list(BENCHMARKS).index(result.name))
    print_report(results)
    if path is not None:
        subjects = {name: peer.about for name, peer in PEERS.items()}
        save(path, Saved(describe_machine(), subjects, results))


def _run(names: Sequence[str], scale: Scale, meter: Meter) -> Iterator[Result]:
    """Those that every peer does share its starts, and come first."""
    chosen = [BENCHMARKS[name] for name in names]
    yield from compare([each for each in chosen if isinstance(each, Comparison)], scale, meter)
    alone = [each for each in chosen if not isinstance(each, Comparison)]
    meter.begin("the gateway alone", len(alone))
    for each in alone:
        meter.tell(each.name)
        yield Result(each.name, each.title, each.run(scale))
        meter.advance()


if __name__ == "__main__":
    main()
