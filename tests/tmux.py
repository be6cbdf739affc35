"""A terminal with a screen, as a person looks at it: tmux."""

from __future__ import annotations

import os
import select
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, HANG, ROOT, environment

_SCROLLED = "2000"
"""Lines that have scrolled away and are still looked at."""


def require_tmux() -> str:
    """The program; without it the test is skipped, or fails if none may be."""
    program = shutil.which("tmux")
    if program is None:
        reason = "needs tmux"
        if os.environ.get("BAMBOO_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    return program


class Tmux:
    """One command on a screen of its own."""

    def __init__(self, socket: str, env: Mapping[str, str], output: int) -> None:
        self.base = ("tmux", "-f", "/dev/null", "-S", socket)
        self._env = dict(env)
        self._output = output
        """Becomes readable whenever the command has written something."""

    def run(self, *args: str, data: str | None = None) -> str:
        """Run a command of tmux; return what it prints."""
        ran = subprocess.run(
            [*self.base, *args], input=data, capture_output=True, text=True, env=self._env, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names for them: `Enter`, `C-c`, `Up`, `M-Enter`."""
        self.run("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type *text*, to the letter."""
        self.run("send-keys", "-l", text)

    def say(self, line: str) -> None:
        """Type a line, and Enter."""
        self.type(line)
        self.press("Enter")

    def paste(self, text: str) -> None:
        """Paste *text* as a terminal does it, in one piece."""
        self.run("load-buffer", "-", data=text)
        self.run("paste-buffer", "-p")

    def resize(self, columns: int, rows: int) -> None:
        """Make the window larger or smaller."""
        self.run("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        """What is on the screen, without blanks at the end of lines."""
        return self._capture()

    def everything(self) -> str:
        """The same, with what has scrolled away."""
        return self._capture("-S", f"-{_SCROLLED}")

    def colours(self) -> str:
        """All, with the sequences for colours."""
        return self.run("capture-pane", "-p", "-e", "-S", f"-{_SCROLLED}")

    def wait_for(self, wanted: str | Callable[[str], bool], *, everywhere: bool = False) -> str:
        """Wait until *wanted* is on the screen (or *everywhere*); return that."""
        look = self.everything if everywhere else self.screen
        while True:
            shown = look()
            if wanted(shown) if callable(wanted) else wanted in shown:
                return shown
            ready, _, _ = select.select([self._output], [], [], HANG)
            assert ready, f"{wanted!r} was not shown; this is:\n{shown}"
            assert os.read(self._output, 65536), f"it ended without {wanted!r}; this is:\n{shown}"

    def _capture(self, *args: str) -> str:
        lines = self.run("capture-pane", "-p", *args).split("\n")
        return "\n".join(line.rstrip() for line in lines).rstrip("\n")


@contextmanager
def tmux(
    *args: str, env: Mapping[str, str] | None = None, columns: int = 80, rows: int = 24
) -> Iterator[Tmux]:
    """Run a command of ours on a screen; at its end the screen says `EXIT` and its exit code."""
    require_tmux()
    # Not in `tmp_path`: the path of a socket has to be short.
    folder = Path("/tmp") / f"bamboo-tmux-{uuid.uuid4().hex[:12]}"  # noqa: S108 -- its name cannot be guessed
    folder.mkdir(mode=0o700)
    fifo = folder / "output"
    os.mkfifo(fifo)
    output = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    ours = environment({"XDG_STATE_HOME": str(folder / "state"), "LANG": "C.UTF-8"} | dict(env or {}))
    ours.pop("TMUX", None)
    screen = Tmux(str(folder / "socket"), ours, output)
    # The shell outlives Ctrl-C; and tmux has its own mind about TERM.
    term = f"TERM={shlex.quote(ours['TERM'])} " if env and "TERM" in env else ""
    command = f"trap : INT; {term}{shlex.join([*COMMAND, *args])}; echo EXIT $?; exec sleep 9999"
    try:
        size = ("-x", str(columns), "-y", str(rows))
        screen.run("new-session", "-d", *size, "-c", str(ROOT), "exec sleep 9999")
        screen.run("pipe-pane", "-O", f"exec cat > {shlex.quote(str(fifo))}")
        screen.run("respawn-pane", "-k", f"exec sh -c {shlex.quote(command)}")
        yield screen
    finally:
        subprocess.run([*screen.base, "kill-server"], capture_output=True, env=ours, check=False)
        os.close(output)
        shutil.rmtree(folder, ignore_errors=True)
