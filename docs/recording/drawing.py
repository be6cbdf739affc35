"""
Draws a recording of a terminal as a moving picture: an SVG that plays by itself, over and over.

It has no script, so that it moves where it stands as an image. A row of the screen that
shows one thing for a while is a group that is visible for that while.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

import attrs
import pyte

CELL_WIDTH, CELL_HEIGHT, FONT_SIZE = 9.0, 19.0, 15.0
MARGIN = 16.0

FOREGROUND, BACKGROUND = "#d5d9e0", "#15191c"

COLOURS = {
    "black": "#15191c",
    "red": "#e0707a",
    "green": "#7fb86a",
    "brown": "#d9b36c",  # as pyte calls yellow
    "blue": "#6fa8dc",
    "magenta": "#b48ead",
    "cyan": "#6fc1b8",
    "white": "#d5d9e0",
    "brightblack": "#6b7682",
    "brightred": "#e0707a",
    "brightgreen": "#9ad083",
    "brightbrown": "#e8c98a",
    "brightyellow": "#e8c98a",
    "brightblue": "#8fbfe8",
    "brightmagenta": "#c9a6c4",
    "brightcyan": "#8fd6cd",
    "brightwhite": "#ffffff",
}

_FONTS = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
_SPACE = "\N{NO-BREAK SPACE}"
"""Of others, viewers show one where there are many."""
_FAINT = re.compile(r"(\x1b\[(?:\d+;)*)(?<!8;5;)2m")
"""Which pyte does not know: a grey has to do. (Behind `38;5;` the 2 is a colour.)"""


@attrs.frozen
class Run:
    """Cells side by side that look alike."""

    column: int
    text: str
    colour: str
    background: str | None
    style: str
    """What else the element has: `font-weight="bold"`, say."""


Row: TypeAlias = tuple[Run, ...]


@attrs.frozen
class Recording:
    """What a terminal of so many columns and rows has shown, piece by piece."""

    columns: int
    rows: int
    events: Sequence[tuple[float, str]]
    """Seconds from the beginning, and what was written then; the last one is the end."""

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.events[-1][0]


def read(cast: Path) -> Recording:
    """Read a file of asciinema's, version 2."""
    head, *lines = map(json.loads, cast.read_text("utf-8").splitlines())
    return Recording(head["width"], head["height"], [(at, text) for at, _, text in lines])


def write(recording: Recording, cast: Path) -> None:
    """Write such a file."""
    head = {"version": 2, "width": recording.columns, "height": recording.rows, "title": "Bamboo Gateway"}
    lines: list[Any] = [head, *([round(at, 3), "o", text] for at, text in recording.events)]
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    cast.write_text(f"{text}\n", encoding="utf-8")


def draw(recording: Recording) -> str:
    """Draw *recording*."""
    width = recording.columns * CELL_WIDTH + 2 * MARGIN
    height = recording.rows * CELL_HEIGHT + 2 * MARGIN
    rows, cursor = _timelines(recording)
    shown = [
        *(_row(y, content, *time) for y, timeline in enumerate(rows) for content, *time in _spans(timeline)),
        *(_cursor(*place, *time) for place, *time in _spans(cursor)),
    ]
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    font = f'font-family="{_FONTS}" font-size="{FONT_SIZE:g}"'
    clock = (
        f'<animate id="round" attributeName="x" begin="0s;round.end" dur="{recording.seconds:.2f}s" to="0"/>'
    )
    ground = f'<rect width="{width:g}" height="{height:g}" rx="8" fill="{BACKGROUND}">{clock}</rect>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>'
    return "\n".join([head, ground, *shown, "</svg>\n"])


# ── what was shown when ──────────────────────────────────────────────────────


def _timelines(recording: Recording) -> tuple[list[list[tuple[Any, float]]], list[tuple[Any, float]]]:
    """For each row, and for the cursor: what it was from when on; the last item is the end."""
    screen = pyte.Screen(recording.columns, recording.rows)
    stream = pyte.Stream(screen)
    rows: list[list[tuple[Any, float]]] = [[((), 0.0)] for _ in range(recording.rows)]
    cursor: list[tuple[Any, float]] = [(None, 0.0)]
    for at, text in recording.events:
        stream.feed(_FAINT.sub(r"\g<1>90m", text))
        for y in sorted(screen.dirty):
            _note(rows[y], tuple(_runs(screen, y)), at)
        screen.dirty.clear()
        _note(cursor, None if screen.cursor.hidden else (screen.cursor.x, screen.cursor.y), at)
    for timeline in (*rows, cursor):
        timeline.append((None, recording.seconds))
    return rows, cursor


def _note(timeline: list[tuple[Any, float]], content: object, at: float) -> None:
    if timeline[-1][0] != content:
        timeline.append((content, at))


def _spans(timeline: list[tuple[Any, float]]) -> Iterator[tuple[Any, float, float]]:
    """What there was to be seen, from when, until when."""
    for (content, start), (_, end) in pairwise(timeline):
        if content and f"{start:.2f}" != f"{end:.2f}":
            yield content, start, end


def _runs(screen: pyte.Screen, y: int) -> Iterator[Run]:
    cells = [screen.buffer[y][x] for x in range(screen.columns)]
    for look, group in groupby(enumerate(cells), lambda cell: _look(cell[1])):
        run = list(group)
        text = "".join(cell.data for _, cell in run)
        if text.strip() or look[1]:
            lead = 0 if look[1] else len(text) - len(text.lstrip())
            yield Run(run[0][0] + lead, text[lead:] if look[1] else text.strip(), *look)


def _look(cell: Any) -> tuple[str, str | None, str]:
    """The colours and the style of a cell."""
    colour, background = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    if cell.reverse:
        colour, background = background, colour
    styles = [
        *(['font-weight="bold"'] if cell.bold else []),
        *(['font-style="italic"'] if cell.italics else []),
        *(['text-decoration="underline"'] if cell.underscore else []),
    ]
    return colour, None if background == BACKGROUND else background, " ".join(styles)


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return COLOURS.get(name, f"#{name}")


# ── elements ─────────────────────────────────────────────────────────────────


def _row(y: int, runs: Row, start: float, end: float) -> str:
    top = MARGIN + y * CELL_HEIGHT
    return _for_a_while("".join(_elements(top, runs)), start, end)


def _elements(top: float, runs: Iterable[Run]) -> Iterator[str]:
    for run in runs:
        x, width = MARGIN + run.column * CELL_WIDTH, len(run.text) * CELL_WIDTH
        if run.background:
            size = f'width="{width:g}" height="{CELL_HEIGHT:g}"'
            yield f'<rect x="{x:g}" y="{top:g}" {size} fill="{run.background}"/>'
        if run.text.strip():
            style = f" {run.style}" if run.style else ""
            yield (
                f'<text x="{x:g}" y="{top + 0.75 * CELL_HEIGHT:g}" textLength="{width:g}" '
                f'fill="{run.colour}"{style}>{escape(run.text.replace(" ", _SPACE))}</text>'
            )


def _cursor(x: int, y: int, start: float, end: float) -> str:
    place = f'x="{MARGIN + x * CELL_WIDTH:g}" y="{MARGIN + y * CELL_HEIGHT:g}"'
    size = f'width="{CELL_WIDTH:g}" height="{CELL_HEIGHT:g}"'
    return _for_a_while(f'<rect {place} {size} fill="{FOREGROUND}" opacity="0.7"/>', start, end)


def _for_a_while(element: str, start: float, end: float) -> str:
    times = f'begin="round.begin+{start:.2f}s" end="round.begin+{end:.2f}s"'
    return f'<g visibility="hidden">{element}<set attributeName="visibility" to="visible" {times}/></g>'
