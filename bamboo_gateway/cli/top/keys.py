"""Keys, as a terminal sends them when they are pressed, and not when a line is complete."""

from __future__ import annotations

import os
import re
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import trio

Key: TypeAlias = str
"""A character, or the name of a key that has none."""

_READ_BYTES = 1024

_NAMES: Mapping[bytes, Key] = {
    b"A": "up",
    b"B": "down",
    b"5~": "page up",
    b"6~": "page down",
    b"H": "home",
    b"1~": "home",
}

_ANY = re.compile(rb"\x1b[\[O]([0-9;]*[A-Za-z~])|\x1b|([^\x1b])")
"""A sequence of a key that has no character; the escape key; or a byte."""


def parse(data: bytes) -> Sequence[Key]:
    """Tell which keys made *data*; those that nobody needs are left out."""
    keys: list[Key] = []
    for match in _ANY.finditer(data):
        name, char = match.groups()
        if char is not None:
            keys.append(char.decode("ascii", errors="replace").lower())
        elif name in _NAMES:
            keys.append(_NAMES[name])
    return keys


@contextmanager
def unbuffered(fd: int) -> Iterator[None]:
    """Have the terminal *fd* send each key at once and show none, for the block; Ctrl-C stays a signal."""
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        ours = termios.tcgetattr(fd)
        # Stopped in the midst of it, the shell would be left with our screen.
        ours[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(fd, termios.TCSADRAIN, ours)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


async def read_keys(fd: int) -> Sequence[Key] | None:
    """Wait for keys that are pressed at the terminal *fd*; None: it has hung up. Cancelled, none is lost."""
    await trio.lowlevel.wait_readable(fd)
    try:
        data = os.read(fd, _READ_BYTES)
    except OSError:  # as a terminal says it whose window was closed
        return None
    return parse(data) if data else None
