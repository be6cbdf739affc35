"""How far something is that takes long: on a terminal's stderr, and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Meter(Protocol):
    """Is told how far it is; from any thread."""

    def begin(self, what: str, total: int | None = None) -> None:
        """Begin to count up to *total*; None: nobody knows how many there will be."""
        ...

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        ...

    def tell(self, note: str) -> None:
        """Say something beside the count."""
        ...


class Silence:
    """Shows nothing."""

    def begin(self, what: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, count: int = 1) -> None:
        """Do nothing."""

    def tell(self, note: str) -> None:
        """Do nothing."""


def is_shown() -> bool:
    """Is there a terminal to show it on?"""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


@contextmanager
def open_meter(*, wanted: bool = True) -> Iterator[Meter]:
    """Show how far it is, as long as the block lasts, if it is *wanted* and there is a terminal."""
    if not wanted or not is_shown():
        yield Silence()
        return
    from rich.console import Console  # noqa: PLC0415 -- only who sees it shall wait for it

    from .progress_bar import open_bar  # noqa: PLC0415 -- as above

    with open_bar(Console(stderr=True)) as bar:
        yield bar
