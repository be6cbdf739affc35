"""What was measured, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from .results import GATEWAY, Measurement, Result, Target

HEAD = ("", "Bamboo Gateway", "unit", "target", "reached", "")


def print_result(result: Result) -> None:
    """Print what one benchmark has measured: each quantity of each subject, and the gateway's ratio to it."""
    print(f"\n{result.title}  [{result.name}]")
    for each in result.measurements:
        rows = [_subject_row(each, subject) for subject in each.rounds]
        _print_rows([(f"{each.what}", each.unit, "", "gateway ÷ it"), *rows])


def print_report(results: Sequence[Result]) -> None:
    """Print one table of all targets, and of what has none."""
    rows = [row for result in results for each in result.measurements for row in _rows(result, each)]
    print()
    _print_rows([HEAD, *rows])
    print(f"\n{count_verdicts(results)}")


MET = "met"
MISSED = "missed"
NOT_YET = "not yet"
UNMEASURED = "not measured"
VERDICTS = (MET, MISSED, NOT_YET, UNMEASURED)


def verdict(measurement: Measurement, target: Target) -> str:
    """Was it met?"""
    if not measurement.is_measured(target):
        return UNMEASURED
    if measurement.is_met(target):
        return MET
    return NOT_YET if target.is_moonshot else MISSED


def count_verdicts(results: Sequence[Result]) -> str:
    """Say how many targets were met, and of how many."""
    verdicts = Counter(
        verdict(each, target) for result in results for each in result.measurements for target in each.targets
    )
    return "targets: " + ", ".join(f"{verdicts[each]} {each}" for each in VERDICTS if verdicts[each])


def describe(target: Target, unit: str) -> str:
    """Say a target in words, such as `≤ 0.7 × Node ws`."""
    sign = "≥" if target.at_least else "≤"
    bound = f"{sign} {target.bound:,g} " + (f"× {target.beside}" if target.beside else unit)
    why = target.why or ("moonshot" if target.is_moonshot else "")
    return f"{bound.strip()} ({why})" if why else bound.strip()


def reached(measurement: Measurement, target: Target) -> str:
    """What was reached, and how far apart the rounds were."""
    if not measurement.is_measured(target):
        return "-"
    values = measurement.rounds[GATEWAY] if target.beside is None else measurement.ratios(target.beside)
    return spread(values)


def number(value: float) -> str:
    """Write a number with three digits that count, or more if it is large."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def spread(values: Sequence[float]) -> str:
    """Write the median, and the lowest and highest."""
    return f"{number(median(values))} ({number(min(values))}–{number(max(values))})"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *rows* under *head*: the first column is a name, the others are figures."""
    print(f"\n{title}")
    _print_rows([head, *rows])


def _subject_row(measurement: Measurement, subject: str) -> Sequence[str]:
    values = measurement.rounds[subject]
    ratio = "" if subject == GATEWAY else spread(measurement.ratios(subject))
    return (f"  {subject}", number(median(values)), f"({number(min(values))}–{number(max(values))})", ratio)


def _rows(result: Result, each: Measurement) -> Iterator[Sequence[str]]:
    name = f"{result.name}: {each.what}"
    figure = spread(each.rounds[GATEWAY])
    if not each.targets:
        yield name, figure, each.unit, "", "", ""
    for target in each.targets:
        yield (
            name,
            figure,
            each.unit,
            describe(target, each.unit),
            reached(each, target),
            verdict(each, target),
        )
        name = figure = ""


def _print_rows(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *figures in rows:
        cells = [cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True)]
        print(("  " + "  ".join([name.ljust(widths[0]), *cells])).rstrip())


def spread_of_ratio(costs: Sequence[float], ours: Sequence[float]) -> str:
    """The ratio of the rounds, each compared with its neighbour, and how far apart they were."""
    return spread([cost / own for cost, own in zip(costs, ours, strict=True)])
