"""A shell in a terminal, and a person at it: what tutorials are tried out with."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pyte

from tests.cli.process import HANG

ROWS, COLUMNS = 400, 160
"""So many rows that nothing scrolls away."""

PROMPT = "$"

KEYS = {"^C": "\x03", "^D": "\x04", "^Z": "\x1a"}

_IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal for what runs in it
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Shell:
    """
    A shell, and its screen as a person sees it.

    Invariant: only what came since the last line was typed is looked at.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._seen = 0
        """The row of that line."""

    def type(self, keys: str) -> None:
        """Press *keys*."""
        os.write(self._fd, keys.encode())

    def run(self, command: str) -> None:
        """Wait for the shell's prompt, and give it *command*."""
        self._wait(lambda: self._line() == PROMPT, "the prompt")
        self._seen = self._screen.cursor.y
        self.type(f"{command}\n")

    def say(self, line: str) -> None:
        """Answer the prompt of a program that runs in it."""
        self._wait(lambda: self._line() == ">", "the program's prompt")
        self._seen = self._screen.cursor.y
        self.type(KEYS.get(line) or f"{line}\n")

    def wait_for(self, lines: list[str]) -> None:
        """
        Wait until *lines* are shown, one below the other.

        `…` in one stands for any text, alone for any lines; empty lines do not count.
        """
        pattern = re.compile("".join(_pattern(line) for line in lines if line.strip()), re.MULTILINE)
        self._wait(lambda: bool(pattern.search(f"{self.text()}\n")), "\n".join(lines))

    def text(self) -> str:
        """What was shown since the last time, without empty lines."""
        rows = self._screen.display[self._seen : self._screen.cursor.y + 1]
        return "\n".join(row.rstrip() for row in rows if row.strip())

    def _line(self) -> str:
        """The line of the cursor."""
        return str(self._screen.display[self._screen.cursor.y]).strip()

    def _wait(self, is_there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 2 * HANG
        while not is_there():
            ready, _, _ = select.select([self._fd], [], [], deadline - time.monotonic())
            shown = "\n".join(row.rstrip() for row in self._screen.display).rstrip()
            assert ready, f"{what!r} was not shown, but:\n{shown}"
            self._stream.feed(os.read(self._fd, 4096))


def _pattern(line: str) -> str:
    """A line that is `…` alone is any number of lines; within one it is any text."""
    if line == "…":
        return r"(?:.*\n)*?"
    return "^" + ".*".join(map(re.escape, line.rstrip().split("…"))) + "\\n"


@contextmanager
def shell(folder: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    """A shell in *folder* for as long as the block lasts; whatever still runs in it ends with it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    bash = ["bash", "--norc", "--noprofile", "-i"]
    with subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, *bash],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**environment, "PS1": f"{PROMPT} ", "TERM": "xterm-256color"},
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Shell(ours)
        finally:
            _kill_session(process.pid)
            os.close(ours)


def _kill_session(leader: int) -> None:
    """End all that was started in a terminal: jobs of a shell have process groups of their own."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            pid, rest = int(status.parent.name), status.read_text().rpartition(")")[2].split()
            if int(rest[3]) == leader:
                os.kill(pid, signal.SIGKILL)
