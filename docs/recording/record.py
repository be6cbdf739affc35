"""
Records what the README shows: `make recording`, which needs tmux and a free port 18790.

It plays the end of the tutorial in a real terminal of two panes: an agent that
counts, a chat with it, and a gateway that is killed in the midst of the answer. What
the terminal shows goes to bamboo.cast, which asciinema plays, and is drawn to bamboo.svg.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .drawing import Recording, draw, read, write

FOLDER = Path(__file__).resolve().parent
CAST = FOLDER / "bamboo.cast"
TUTORIAL = FOLDER.parent / "tutorial.md"

PORT = 18790
COLUMNS, ROWS = 84, 29
GATEWAY_ROWS = 9

KEY_INTERVAL = 0.05
"""Seconds between two keys that are pressed."""
PATIENCE = 30.0
"""Seconds after which what was waited for will not come any more."""
MAX_PAUSE = 1.2
"""Seconds that nothing may happen in the recording: longer ones are cut."""
LAST_PAUSE = 4.0
"""Seconds for which the end is shown before it begins again."""

_TMUX = """
set -g status off
set -g pane-border-status top
set -g pane-border-format " #{pane_title} "
set -g pane-border-style fg=colour240
set -g pane-active-border-style fg=colour240
set -g default-terminal tmux-256color
set -g escape-time 0
set -g terminal-overrides "*:indn@:rin@"
"""
"""Without the two by which many lines are scrolled at once: pyte does not know them."""


class Recorder:
    """A terminal with two panes, somebody who types in them, and what was on the screen when."""

    def __init__(self, fd: int, tmux: list[str], environment: dict[str, str]) -> None:
        self.events: list[tuple[float, str]] = []
        self._fd = fd
        self._tmux = tmux
        self._environment = environment
        self._started = time.monotonic()
        self._rest = b""

    def type(self, pane: str, text: str, *keys: str) -> None:
        """Press one key after the other, and *keys* (as tmux calls them) at the end."""
        self._ask("select-pane", "-t", pane)
        for key in text:
            self._ask("send-keys", "-t", pane, "-l", key)
            self.look(KEY_INTERVAL)
        for key in keys:
            self.look(6 * KEY_INTERVAL)
            self._ask("send-keys", "-t", pane, key)

    def wait_for(self, pane: str, pattern: str) -> None:
        """Watch until *pane* shows *pattern*."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, shown := self._ask("capture-pane", "-p", "-t", pane), re.MULTILINE):
            if time.monotonic() > deadline:
                sys.exit(f"{pattern!r} was not shown in the pane {pane}, but:\n{shown}")
            self.look(0.05)

    def look(self, seconds: float) -> None:
        """Take down what the terminal shows meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self._fd], [], [], left)
            if ready:
                self._take_down(os.read(self._fd, 65536))

    def _take_down(self, data: bytes) -> None:
        data, self._rest = self._rest + data, b""
        try:
            text = data.decode()
        except UnicodeDecodeError as error:  # a character is cut in two
            data, self._rest = data[: error.start], data[error.start :]
            text = data.decode()
        self.events.append((time.monotonic() - self._started, text))

    def _ask(self, *command: str) -> str:
        run = subprocess.run(
            [*self._tmux, *command], env=self._environment, capture_output=True, text=True, check=True
        )
        return run.stdout


@contextmanager
def recorder(home: Path) -> Iterator[Recorder]:
    """A terminal whose panes are shells in *home*."""
    environment = {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "BAMBOO_STORAGE": "sqlite:tea.db",  # beside the agent: its path is no one's business
    }
    (home / "tmux.conf").write_text(_TMUX)
    tmux = ["tmux", "-S", str(home / "tmux"), "-f", str(home / "tmux.conf")]
    (home / "bashrc").write_text("PS1='$ '\n")
    bash = f"exec bash --noprofile --rcfile {home}/bashrc -i"
    size = ["-x", str(COLUMNS), "-y", str(ROWS)]
    start = [*tmux, "new-session", "-d", *size, "-c", str(home), bash]
    split = [";", "split-window", "-v", "-l", str(ROWS - GATEWAY_ROWS - 2), "-c", str(home), bash]
    subprocess.run([*start, *split], env=environment, check=True)
    for pane, title in (("0.0", "the gateway"), ("0.1", "you")):
        subprocess.run([*tmux, "select-pane", "-t", pane, "-T", title], env=environment, check=True)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    attach = subprocess.Popen(
        [*tmux, "attach"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    try:
        yield Recorder(ours, tmux, environment)
    finally:
        panes = [*tmux, "list-panes", "-a", "-F", "#{pane_pid}"]
        shells = subprocess.run(panes, env=environment, capture_output=True, text=True, check=True).stdout
        for shell in map(int, shells.split()):
            _end_session(shell)
        attach.wait()
        os.close(ours)


def _end_session(leader: int) -> None:
    """End a shell and all that was started from it; to hang up is not enough for a gateway."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if int(status.read_text().rpartition(")")[2].split()[3]) == leader:
                os.kill(int(status.parent.name), signal.SIGKILL)


def play(terminal: Recorder) -> None:
    """The scene."""
    gateway, you = "0.0", "0.1"
    terminal.wait_for(gateway, r"^\$")
    terminal.wait_for(you, r"^\$")
    terminal.look(0.5)
    terminal.type(gateway, "bamboo-gateway serve --agent tea:brew", "Enter")
    terminal.wait_for(gateway, "listening on")
    terminal.look(1.0)
    terminal.type(you, "bamboo-gateway chat", "Enter")
    terminal.wait_for(you, r"^> *$")
    terminal.look(0.8)
    terminal.type(you, "black", "Enter")
    terminal.wait_for(you, r"\b12\b")
    terminal.type(gateway, "", "C-z")
    terminal.wait_for(gateway, "Stopped")
    terminal.type(gateway, "kill -9 %1", "Enter")
    terminal.look(1.5)
    terminal.type(gateway, "bamboo-gateway serve --agent tea:brew", "Enter")
    terminal.wait_for(you, "ready")
    terminal.look(0.5)


def paced(events: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The same without long pauses, and with one at the end."""
    paced: list[tuple[float, str]] = []
    now = before = 0.0
    for at, text in events:
        now += min(at - before, MAX_PAUSE)
        before = at
        paced.append((now, text))
    return [*paced, (now + LAST_PAUSE, "")]


def main() -> None:
    """Record, and draw."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            sys.exit(
                f"something listens on port {PORT}, where the recording's gateway shall: stop that first"
            )
    agents = re.findall(r'```python title="tea.py"\n(.*?)```', TUTORIAL.read_text("utf-8"), re.DOTALL)
    with TemporaryDirectory(prefix="bamboo-recording-") as folder:
        home = Path(folder)
        (home / "tea.py").write_text(agents[-1])
        with recorder(home) as terminal:
            play(terminal)
    recording = Recording(COLUMNS, ROWS, paced(terminal.events))
    write(recording, CAST)
    CAST.with_suffix(".svg").write_text(draw(read(CAST)), encoding="utf-8")
    print(f"docs/recording: bamboo.cast and bamboo.svg, {recording.seconds:.0f} s")


if __name__ == "__main__":
    main()
