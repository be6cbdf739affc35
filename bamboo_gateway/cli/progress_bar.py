"""The bar itself: what is counted, how many of how many, how many a second, and how long it will take."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .plain_text import one_line

_REFRESH_RATE = 5
"""Pictures a second."""

_SLOW = 10
"""Of fewer a second, the digit behind the point says something."""


class Bar:
    """Draws what it is told."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, what: str, total: int | None = None) -> None:
        """Begin anew."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(one_line(what), total=total, note="")

    def advance(self, count: int = 1) -> None:
        """Count on."""
        if self._task is not None:
            self._progress.advance(self._task, count)

    def tell(self, note: str) -> None:
        """Write something behind it."""
        if self._task is not None:
            self._progress.update(self._task, note=one_line(note))


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        """Write it, if it is known."""
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        return Text(f"{speed:,.1f}/s" if speed < _SLOW else f"{speed:,.0f}/s")


@contextmanager
def open_bar(console: Console) -> Iterator[Bar]:
    """Show one, as long as the block lasts."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        _Rate(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("so far,"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
    )
    # What is printed meanwhile appears above the bar, if it goes to the same terminal.
    with Progress(
        *columns,
        console=console,
        transient=True,
        refresh_per_second=_REFRESH_RATE,
        redirect_stdout=sys.stdout.isatty(),
        redirect_stderr=False,
    ) as progress:
        yield Bar(progress)
