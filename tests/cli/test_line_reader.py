from __future__ import annotations

import os
from collections.abc import Iterator

import click
import pytest
import trio

from bamboo_gateway.cli import line_reader
from bamboo_gateway.cli.line_reader import LineReader


class Pipe:
    """Something to read from, and the end to write to."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.reader = LineReader(self.reading)

    def write(self, data: bytes) -> None:
        """Write all of it; a pipe takes 64 KiB."""
        os.write(self.writing, data)

    def end(self) -> None:
        """Write no more."""
        os.close(self.writing)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe whose reading end is closed in the end."""
    made = Pipe()
    yield made
    os.close(made.reading)


async def test_lines_are_read_one_by_one(pipe: Pipe) -> None:
    """Whatever pieces they come in, and however they end."""
    pipe.write(b"one\ntwo\r\n\nth")
    assert [await pipe.reader.read_line() for _ in range(3)] == ["one", "two", ""]
    pipe.write("ree \u7af9\n".encode())
    assert await pipe.reader.read_line() == "three 竹"
    pipe.end()
    assert await pipe.reader.read_line() is None


async def test_the_last_line_need_not_end(pipe: Pipe) -> None:
    """`printf hello | …` says hello, once."""
    pipe.write(b"hello")
    pipe.end()
    assert await pipe.reader.read_line() == "hello"
    assert await pipe.reader.read_line() is None


async def test_what_is_no_utf8_is_read_all_the_same(pipe: Pipe) -> None:
    """A wrong byte becomes the character for that."""
    pipe.write(b"h\xffi\n")
    assert await pipe.reader.read_line() == "h\ufffdi"
    pipe.end()


async def test_a_line_without_end_is_refused(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not fill the memory."""
    monkeypatch.setattr(line_reader, "MAX_LINE_BYTES", 10)
    pipe.write(b"x" * 11)
    with pytest.raises(click.ClickException, match="longer than 10 bytes"):
        await pipe.reader.read_line()
    pipe.end()


async def test_other_tasks_run_while_it_waits(pipe: Pipe) -> None:
    """And a cancel does not wait for a line."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pipe.reader.read_line)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    pipe.end()
