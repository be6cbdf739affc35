"""A terminal of a given size whose screen can be read: what a person would see."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.process import COMMAND, HANG, ROOT, environment

_LOOK_INTERVAL = 0.05


class Screen:
    """One command in a terminal, and a person at it."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", os.devnull]

    def run(self, *args: str) -> str:
        """Give tmux a command; return what it prints."""
        done = subprocess.run(
            [*self._tmux, *args],
            capture_output=True,
            text=True,
            check=True,
            timeout=HANG,
            env=_environment({}),
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names: `q`, `Down`, `C-c`."""
        self.run("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Make the terminal another size."""
        self.run("resize-window", "-x", str(columns), "-y", str(rows))

    def lines(self) -> list[str]:
        """What is shown now."""
        return self.run("capture-pane", "-p").splitlines()

    def wait_for(self, *texts: str) -> list[str]:
        """
        Wait until all of *texts* are shown somewhere; return the whole screen.

        It may be seen while it is being drawn: name what is drawn last as well.
        """
        return self.wait_until(
            lambda lines: all(any(text in line for line in lines) for text in texts), " and ".join(texts)
        )

    def wait_until(self, is_so: Callable[[list[str]], bool], what: str) -> list[str]:
        """Wait until the screen is as it shall be; return it."""
        deadline = time.monotonic() + HANG
        while not is_so(lines := self.lines()):
            assert time.monotonic() < deadline, "\n".join([f"not shown: {what}", *lines])
            time.sleep(_LOOK_INTERVAL)
        return lines


@contextmanager
def screen(
    folder: Path, *args: str, columns: int = 80, rows: int = 24, env: Mapping[str, str] | None = None
) -> Iterator[Screen]:
    """Run the command line in a terminal for as long as the block lasts; its exit code is shown behind it."""
    if shutil.which("tmux") is None:
        reason = "needs tmux"
        if os.environ.get("BAMBOO_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    shown = Screen(folder / "tmux")
    # A signal that a key makes is for the command, and not for the shell around it.
    command = f"trap : INT; {shlex.join([*COMMAND, *args])}; echo exit code $?; exec cat"
    variables = [f"-e{name}={value}" for name, value in (env or {}).items()]
    size = ["-x", str(columns), "-y", str(rows)]
    subprocess.run(
        [*shown._tmux, "new-session", "-d", *size, *variables, "sh", "-c", command],
        cwd=ROOT,
        env=_environment(env or {}),
        check=True,
        timeout=HANG,
    )
    try:
        yield shown
    finally:
        subprocess.run([*shown._tmux, "kill-server"], check=False, timeout=HANG, env=_environment({}))


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Outside of any tmux that the tests may be run in; lines are drawn in UTF-8."""
    known = environment({"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"} | dict(extra))
    known.pop("TMUX", None)
    return known
