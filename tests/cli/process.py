"""The command line in processes of its own, as a shell starts it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

COMMAND = [sys.executable, "-m", "bamboo_gateway"]
ROOT = Path(__file__).parents[2]

_NO_DATA = "/nowhere/data"

HANG = 30.0
"""Seconds after which a test that waits in vain fails."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    This process's variables, without any that would set up a gateway or a client.

    A gateway keeps its sessions in memory, unless it is told otherwise, and finds no tokens: the user's data
    are none of ours.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BAMBOO_")}
    ours = {"BAMBOO_STORAGE": "memory:", "XDG_DATA_HOME": _NO_DATA}
    return kept | ours | dict(extra or {})


def run(
    *args: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *args],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(env),
        timeout=HANG,
        check=False,
    )


def start(*args: str) -> subprocess.Popen[str]:
    """Start a command, with pipes to it."""
    return subprocess.Popen(
        [*COMMAND, *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
    )


class Serving:
    """A `serve` that accepts connections."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.line = process.stdout.readline()
        """The one line on stdout."""
        self.url = self.line.split()[-1] if self.line else ""

    def stop(self, signum: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal; return the exit code, and what else came on stdout and stderr."""
        self.process.send_signal(signum)
        out, err = self.process.communicate(timeout=HANG)
        return self.process.returncode, out, err


@contextmanager
def serving(*args: str, env: Mapping[str, str] | None = None) -> Iterator[Serving]:
    """Serve on a port of the system's choice, unless told otherwise, for as long as the block lasts."""
    defaults = {"BAMBOO_BIND": "127.0.0.1:0"}
    with subprocess.Popen(
        [*COMMAND, "serve", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(defaults | dict(env or {})),
    ) as process:
        try:
            yield Serving(process)
        finally:
            process.kill()


class Terminal:
    """A command with a terminal for stdin, stdout and stderr, and a person at it."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int) -> None:
        self.process = process
        self.shown = ""
        """All that was on the screen so far."""
        self._fd = fd
        self._read = 0

    def type(self, text: str) -> None:
        """Press keys; Ctrl-C is the character 3, Ctrl-D 4."""
        os.write(self._fd, text.encode())

    def wait_for(self, text: str) -> str:
        """Read on until *text* is shown; return what came up to there since the last time."""
        while (end := self.shown.find(text, self._read)) < 0:
            ready, _, _ = select.select([self._fd], [], [], HANG)
            assert ready, f"{text!r} was not shown; this was: {self.shown!r}"
            self.shown += os.read(self._fd, 4096).decode()
        before, self._read = self.shown[self._read : end], end + len(text)
        return before

    def wait(self) -> int:
        """Wait for the exit code."""
        return self.process.wait(HANG)


_IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal for the command
os.execv(sys.argv[1], sys.argv[1:])
"""


@contextmanager
def terminal(*args: str, env: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Run a command in a terminal for as long as the block lasts."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", _IN_TERMINAL, *COMMAND, *args],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=environment({"NO_COLOR": "1"} | dict(env or {})),
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours)
        finally:
            process.kill()
            os.close(ours)
