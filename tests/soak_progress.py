"""A line on the terminal: how long the present test has taken, and how long it took the last time."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Generator
from typing import Any, TextIO

import pytest

_CACHE_KEY = "bamboo/soak"


def describe(number: int, total: int, name: str, seconds: float, last_time: float | None) -> str:
    """Write that line: which test of how many, how long it has run, and what is left if it is as before."""
    left = "" if last_time is None else f", {_clock(max(0.0, last_time - seconds))} left of the last time"
    return f"test {number} of {total}, {name}: {_clock(seconds)}{left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


class SoakProgress:
    """
    Writes the line, once a second; and remembers, for the next run, how long each test has taken.

    Args:
        config: Where that is remembered.
        terminal: Where to; not stdout, which is captured while a test runs.
    """

    def __init__(self, config: pytest.Config, terminal: TextIO) -> None:
        self._terminal = terminal
        self._cache = config.cache
        self._durations: dict[str, float] = self._cache.get(_CACHE_KEY, {})
        self._total = self._number = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests."""
        self._total = len(session.items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Write the line as long as one runs."""
        self._number += 1
        begun, over = time.monotonic(), threading.Event()
        ticker = threading.Thread(target=self._tick, args=(item, begun, over))
        self._write("\n")
        ticker.start()
        try:
            result = yield
            self._durations[item.nodeid] = time.monotonic() - begun
            self._cache.set(_CACHE_KEY, self._durations)
            return result
        finally:
            over.set()
            ticker.join()
            self._write("\r\x1b[K")

    def _tick(self, item: pytest.Item, begun: float, over: threading.Event) -> None:
        while not over.wait(1.0):
            seconds = time.monotonic() - begun
            line = describe(self._number, self._total, item.name, seconds, self._durations.get(item.nodeid))
            columns = shutil.get_terminal_size().columns
            self._write(f"\r{line[: columns - 1]}\x1b[K")

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._terminal.flush()
