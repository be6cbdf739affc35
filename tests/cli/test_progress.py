from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from bamboo_gateway.cli.progress import is_shown, open_meter
from bamboo_gateway.cli.progress_bar import open_bar


class Terminal(io.StringIO):
    """A stderr that says it is one."""

    def isatty(self) -> bool:
        """It is not."""
        return True


def sit_at_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put one in the place of stderr; in the test itself, for pytest does so before it."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    return stream


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    """It can be told all the same."""
    with open_meter() as meter:
        meter.begin("exporting", 2)
        meter.advance()
        meter.tell("one")
    assert capsys.readouterr() == ("", "")


def test_it_can_be_unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a screen that has something else on it."""
    terminal = sit_at_terminal(monkeypatch)
    with open_meter(wanted=False) as meter:
        meter.begin("exporting", 2)
    assert is_shown()
    assert terminal.getvalue() == ""


def test_a_terminal_that_cannot_be_drawn_on_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be a line a picture."""
    terminal = sit_at_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    with open_meter() as meter:
        meter.begin("exporting", 2)
    assert terminal.getvalue() == ""


def test_a_bar_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is gone when all is done."""
    terminal = sit_at_terminal(monkeypatch)
    with open_meter() as meter:
        meter.begin("exporting", 8)
        meter.advance(3)
        meter.tell("12 \x1b[2Jmessages")
    assert "exporting" in terminal.getvalue()
    assert "3/8" in terminal.getvalue()
    assert "12 [2Jmessages" in terminal.getvalue()


def test_a_bar_can_begin_anew() -> None:
    """What was told before it has begun is nothing."""
    stream = Terminal()
    with open_bar(Console(file=stream, force_terminal=True, width=120)) as bar:
        bar.advance()
        bar.tell("x")
        bar.begin("first", 2)
        bar.begin("second")
        bar.advance(20)
    assert "second" in stream.getvalue()
    assert "20/?" in stream.getvalue()
