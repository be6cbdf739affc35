"""The figures: bars beside the peers, and how a cost grows with size. They need the extra `bench`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .report import number
from .results import GATEWAY, Measurement, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS, THEIRS, PAPER = "#2e7d32", "#90a4ae", "#ffffff"
"""A background of its own makes a figure readable on any page."""

_SIZE = re.compile(r"([\d,]+) (?:connections|sessions|events)")

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, and found by a search
    "svg.hashsalt": "bamboo",  # the same figures make the same file
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(results: Sequence[Result], folder: Path) -> Sequence[tuple[str, str]]:
    """Write an SVG for each of *results* that compares something; returns their titles and names of files."""
    drawn: list[tuple[str, str]] = []
    for result in results:
        measurements = [each for each in result.measurements if each.peers and each.targets]
        if measurements:
            _draw(result, measurements, folder / f"{result.name}.svg")
            drawn.append((result.title, f"{result.name}.svg"))
    return drawn


def _draw(result: Result, measurements: Sequence[Measurement], path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 # slow, and only who draws has it
    from matplotlib.figure import Figure  # noqa: PLC0415 # the same

    with mpl.rc_context(_STYLE):
        heights = [1.1 + 0.24 * len(each.rounds) for each in measurements]
        figure = Figure(figsize=(8, sum(heights) + 0.3), facecolor=PAPER, layout="constrained")
        figure.suptitle(result.title, fontweight="bold")
        axes = figure.subplots(len(measurements), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axis, each in zip(axes, measurements, strict=True):
            axis.set_facecolor(PAPER)
            if sizes := sizes_of(each):
                _line(axis, each, sizes)
            else:
                _bars(axis, each)
        figure.savefig(path, metadata={"Date": None})


def sizes_of(measurement: Measurement) -> Mapping[str, int]:
    """Subject → the size that its name gives, if all have one: the gateway's is in what is measured."""
    names = {each: measurement.what if each == GATEWAY else each for each in measurement.rounds}
    found = {subject: _SIZE.search(name) for subject, name in names.items()}
    sizes = {subject: int(match[1].replace(",", "")) for subject, match in found.items() if match}
    return sizes if len(sizes) == len(names) else {}


def _line(axis: Axes, each: Measurement, sizes: Mapping[str, int]) -> None:
    subjects = sorted(sizes, key=lambda subject: sizes[subject])
    values = [each.median(subject) for subject in subjects]
    axis.plot([sizes[subject] for subject in subjects], values, color=OURS, marker="o")
    axis.set_xscale("log")
    axis.set_ylim(0, max(values) * 1.2)
    axis.set_ylabel(each.unit)
    axis.set_title(each.what, loc="left", fontsize=9)


def _bars(axis: Axes, each: Measurement) -> None:
    """A bar for each subject, from the lowest, with the spread of its rounds."""
    subjects = sorted(each.rounds, key=each.median, reverse=True)
    values = [each.median(subject) for subject in subjects]
    lows = [value - min(each.rounds[name]) for name, value in zip(subjects, values, strict=True)]
    highs = [max(each.rounds[name]) - value for name, value in zip(subjects, values, strict=True)]
    colours = [OURS if subject == GATEWAY else THEIRS for subject in subjects]
    axis.barh(subjects, values, xerr=[lows, highs], color=colours, ecolor="#455a64", height=0.7)
    for place, (value, high) in enumerate(zip(values, highs, strict=True)):
        axis.annotate(number(value), (value + high, place), (4, 0), textcoords="offset points", va="center")
    axis.margins(x=0.12)
    axis.set_xlim(left=0)
    axis.set_title(f"{each.what} ({each.unit})", loc="left", fontsize=9)
