from __future__ import annotations

import os
import pty
import termios
from collections.abc import Sequence

import pytest
import trio
from hypothesis import given, strategies as st

from bamboo_gateway.cli.top.keys import parse, read_keys, unbuffered


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"q", ["q"]),
        (b"SC", ["s", "c"]),
        (b"\x1b[A\x1b[B", ["up", "down"]),
        (b"\x1bOA\x1bOB", ["up", "down"]),  # as some terminals send them
        (b"\x1b[5~\x1b[6~\x1b[H\x1b[1~", ["page up", "page down", "home", "home"]),
        (b"\x1b[C\x1b[15~p", ["p"]),
        (b"\x1b", []),
        (b"\xff", ["\ufffd"]),
    ],
)
def test_keys_are_told_apart(data: bytes, keys: Sequence[str]) -> None:
    """Those without a character have a name; those that nobody needs are left out."""
    assert parse(data) == keys


@given(st.binary())
def test_no_bytes_are_too_odd(data: bytes) -> None:
    """Whatever a terminal sends."""
    parse(data)


async def test_keys_come_one_by_one_and_without_an_end_of_line() -> None:
    """The terminal shows none, and is as before when it is over; a hang-up is the end."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    try:
        with unbuffered(theirs):
            assert not termios.tcgetattr(theirs)[3] & (termios.ICANON | termios.ECHO)
            assert termios.tcgetattr(theirs)[3] & termios.ISIG
            os.write(ours, b"s\x1b[B")
            with trio.fail_after(5):
                assert await read_keys(theirs) == ["s", "down"]
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)


async def test_a_terminal_that_was_closed_has_no_more_keys() -> None:
    """Linux calls that an error."""
    ours, theirs = pty.openpty()
    os.close(ours)
    try:
        assert await read_keys(theirs) is None
    finally:
        os.close(theirs)


async def test_the_end_of_the_input_is_the_end_of_the_keys() -> None:
    """As of a terminal that was closed."""
    read, write = os.pipe()
    os.close(write)
    try:
        assert await read_keys(read) is None
    finally:
        os.close(read)
