"""The lines of `top` in a terminal, by rich: the one module that is not pure, and needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import trio
from rich.console import Console, ConsoleDimensions, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from .drawing import Kind, Line, screen
from .state import State

_STYLES: dict[Kind, str] = {
    "plain": "",
    "strong": "bold",
    "faint": "dim",
    "good": "green",
    "warning": "yellow",
    "bad": "bold red",
    "heading": "reverse",
    "curve": "cyan",
}


class Screen:
    """
    The whole terminal, until the block of `open_screen` is left; then it is as it was before.

    Invariant: it is drawn when somebody says so, and at no other time.
    """

    def __init__(self, live: Live) -> None:
        self._live = live

    async def draw(self, state: State) -> None:
        """Show *state*. In a thread: a terminal that takes nothing shall not hold up the connection."""
        await trio.to_thread.run_sync(self._draw, state)

    def _draw(self, state: State) -> None:
        # Rich would believe COLUMNS and LINES, which may have been exported before the window was resized.
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
        if columns and rows:  # a serial line does not know them
            self._live.console.size = ConsoleDimensions(columns, rows)
        self._live.update(_View(state), refresh=True)


@contextmanager
def open_screen() -> Iterator[Screen]:
    """Take the terminal."""
    console = Console(highlight=False)
    with Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    ) as live:
        yield Screen(live)


class _View:
    """A state, drawn as large as the terminal is at that moment."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = options.height or options.size.height
        lines = screen(self._state, options.max_width, rows)
        yield Text("\n").join(map(paint, lines))


def paint(line: Line) -> Text:
    """One line in its colours; what somebody said in it is text, and no markup."""
    text = Text(no_wrap=True, overflow="crop", end="")
    for part, kind in line:
        text.append(part, _STYLES[kind])
    return text
