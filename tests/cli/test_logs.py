from __future__ import annotations

import io
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from bamboo_gateway.cli import logs


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """It is not."""
        return True


@contextmanager
def configured(
    level: str = "info", log_format: str = "text", stream: io.StringIO | None = None
) -> Iterator[io.StringIO]:
    """Log to the stream that this yields; logging is one for a process, and is left as it was."""
    stream = stream or io.StringIO()
    root = logging.getLogger()
    handlers, level_before = root.handlers, root.level
    root.handlers = []  # as in a process that begins
    try:
        logs.configure(level, log_format, stream)
        yield stream
    finally:
        root.handlers = handlers
        root.setLevel(level_before)
        structlog.reset_defaults()


def test_text_is_for_people() -> None:
    """A line has time, level, event and its values, without colours where no terminal is."""
    with configured() as stream:
        structlog.get_logger().info("turn failed", run="r1")
    [line] = stream.getvalue().splitlines()
    assert line.startswith("20")
    assert "[info" in line
    assert "turn failed" in line
    assert line.endswith("run=r1")
    assert "\x1b" not in line


def test_json_is_one_object_a_line() -> None:
    """A traceback, too, is part of its object; letters stay letters."""
    with configured(log_format="json") as stream:
        log = structlog.get_logger()
        log.info("竹", run="r1")
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            log.exception("agent raised", n=[1])
    one, other = map(json.loads, stream.getvalue().splitlines())
    assert (one["event"], one["run"], one["level"]) == ("竹", "r1", "info")
    assert one["timestamp"].endswith("Z")
    assert (other["level"], other["n"]) == ("error", [1])
    assert "ZeroDivisionError" in other["exception"]


class Unread(io.StringIO):
    """A pipe that nobody reads any more."""

    def write(self, text: str) -> int:
        """Fail as such a pipe does."""
        raise BrokenPipeError(text)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nobody_who_logs_minds_that_nobody_reads(log_format: str) -> None:
    """The reader of a pipe may be gone; the line is lost then, and nothing else."""
    with configured("info", log_format, Unread()) as stream:
        structlog.get_logger().info("connection closed")
        with pytest.raises(BrokenPipeError):
            stream.write("so it would have been")


def test_a_traceback_keeps_its_lines_and_nothing_else_that_moves_a_cursor() -> None:
    """What we log of foreign errors is text already; an error's own text may come from a client."""
    with configured() as stream:
        try:
            _ = dict[str, int]()["one"]
        except KeyError as error:
            error.add_note("two\x1b[2J")
            structlog.get_logger().error("agent raised", exception=traceback.format_exc())
    lines = stream.getvalue().rstrip().splitlines()
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-2:] == ["KeyError: 'one'", "two\ufffd[2J"]


@pytest.mark.parametrize(("level", "heard"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_where_it_begins(level: str, heard: int) -> None:
    """What is below is not said."""
    with configured(level) as stream:
        log = structlog.get_logger()
        for say in (log.debug, log.info, log.warning, log.error):
            say("hello")
    assert len(stream.getvalue().splitlines()) == heard


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_libraries_are_heard_from_warning_on(log_format: str) -> None:
    """They log by the standard library, and come out in the same form."""
    with configured("debug", log_format) as stream:
        library = logging.getLogger("trio-websocket")
        library.info("no")
        library.warning("so %s", 1)
    [line] = stream.getvalue().splitlines()
    assert "so 1" in line
    assert "warning" in line
    if log_format == "json":
        assert json.loads(line)["event"] == "so 1"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_tracebacks_hold_no_values(log_format: str) -> None:
    """The variables of a frame are not shown: they hold tokens and messages."""

    def fail(token: str) -> None:
        raise KeyError("bug")

    with configured(log_format=log_format) as stream:
        try:
            fail("-".join(["s3cret", "token"]))
        except KeyError:
            structlog.get_logger().exception("agent raised")
    assert "KeyError" in stream.getvalue()
    assert "s3cret-token" not in stream.getvalue()


def test_what_a_client_said_cannot_forge_a_line() -> None:
    """Control characters are neither obeyed nor begin a line; in JSON they are escaped."""
    forged = "\x1b[2J\r\n2026 [error] forged"
    with configured() as stream:
        structlog.get_logger().info("connection closed", reason=forged)
    [line] = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert "\ufffd[2J\ufffd\ufffd2026 [error] forged" in line


def test_a_terminal_gets_colours_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is honoured (no-color.org)."""
    for no_color, coloured in (("", True), ("1", False)):
        monkeypatch.setenv("NO_COLOR", no_color)
        with configured(stream=Terminal()) as stream:
            structlog.get_logger().info("hello")
        assert ("\x1b[" in stream.getvalue()) is coloured


def test_it_can_be_configured_anew() -> None:
    """What is said from then on, by us or by a library, goes there and looks so; and is said once."""
    with configured() as before:
        log = structlog.get_logger()
        after = io.StringIO()
        logs.configure("warning", "json", after)
        log.info("too little")
        log.warning("ours")
        logging.getLogger("library").warning("theirs")
        assert [json.loads(line)["event"] for line in after.getvalue().splitlines()] == ["ours", "theirs"]
    assert before.getvalue() == ""
