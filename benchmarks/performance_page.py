"""
`docs/performance.md` and its figures, from what `python -m benchmarks --json` has saved, and nothing else.

`python -m benchmarks.performance_page build/benchmarks.json` writes them; the prose is in `performance.md`
beside this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from string import Template

import click

from .plots import draw
from .report import MISSED, count_verdicts, describe, number, reached, spread, verdict
from .results import GATEWAY, Measurement
from .results_file import Saved, load

DOCS = Path(__file__).parent.parent / "docs"
TEMPLATE = Path(__file__).with_name("performance.md")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--docs", type=click.Path(path_type=Path), default=DOCS, help="The folder to write into.")
def main(path: Path, docs: Path) -> None:
    """Write the page about what was measured: PATH is a JSON file of the benchmarks."""
    saved = load(path)
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    plots = draw(saved.results, folder)
    (docs / "performance.md").write_text(make_page(saved, plots))


def make_page(saved: Saved, plots: Sequence[tuple[str, str]]) -> str:
    """Make the page; *plots* are titles and the names of files."""
    text = Template(TEMPLATE.read_text()).substitute(
        rounds=max(len(each.rounds[GATEWAY]) for each in _measurements(saved)),
        machine=_table(["", ""], saved.machine.items()),
        targets=_table(["", "quantity", GATEWAY, "target", "reached", ""], _target_rows(saved)),
        verdict=_verdict(saved),
        ratios=_ratios(saved),
        plots="\n\n".join(f"![{title}](performance/{name})" for title, name in plots),
        subjects=_table(["", "what it does"], saved.subjects.items()),
    )
    return text.rstrip() + "\n"


def _measurements(saved: Saved) -> Iterator[Measurement]:
    for result in saved.results:
        yield from result.measurements


def _target_rows(saved: Saved) -> Iterator[Sequence[str]]:
    for result in saved.results:
        for each in result.measurements:
            first = (f"`{result.name}`", each.what, f"{spread(each.rounds[GATEWAY])} {each.unit}")
            if not each.targets:
                yield (*first, "", "", "")
            for target in each.targets:
                yield (*first, describe(target, each.unit), reached(each, target), verdict(each, target))
                first = ("", "", "")


def _verdict(saved: Saved) -> str:
    missed = [
        f"- `{result.name}`, {each.what}: {reached(each, target)}, and not {describe(target, each.unit)}"
        for result in saved.results
        for each in result.measurements
        for target in each.targets
        if verdict(each, target) == MISSED
    ]
    counted = f"In short, {count_verdicts(saved.results)}."
    return "\n".join([counted, "", "Missed:", "", *missed]) if missed else counted


def _ratios(saved: Saved) -> str:
    """A row for each quantity, a column for each peer that is among the subjects."""
    peers = [name for name in saved.subjects if name != GATEWAY]
    rows = [
        [f"`{result.name}`", each.what, *(_ratio(each, peer) for peer in peers)]
        for result in saved.results
        for each in result.measurements
        if set(peers) & set(each.rounds)
    ]
    return _table(["", "quantity", *peers], rows)


def _ratio(each: Measurement, peer: str) -> str:
    if peer not in each.rounds:
        return ""
    ratios = sorted(each.ratios(peer))
    return number(ratios[len(ratios) // 2])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
