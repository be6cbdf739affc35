"""A server's process: started, and asked how much CPU time and memory it has used."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from .limits import OPTIONS

SETTLE_TIME = 0.025
"""Seconds in which a server that has nothing more to do goes to sleep."""

IDLE = 0.02
"""Part of that time that a server may work and still count as asleep: it has timers."""

PATIENCE = 10.0
"""Seconds that a server may take to get there, after the last of its clients' answers."""


@attrs.frozen
class Server:
    """One running server."""

    pid: int
    port: int

    def cpu_time(self) -> float:
        """
        Seconds of CPU time, its own and the kernel's on its behalf, since it started; Linux only.

        Waits until it sleeps, for the kernel counts a running process but roughly, and what it
        does after its last message counts as well.
        """
        give_up = time.monotonic() + PATIENCE
        now, before = self._clock(), -1.0
        while now - before > SETTLE_TIME * IDLE and time.monotonic() < give_up:
            time.sleep(SETTLE_TIME)
            now, before = self._clock(), now
        return now

    def memory(self) -> int:
        """Bytes of its memory that are in the machine's (RSS); Linux only."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def _clock(self) -> float:
        # The clock of another process, numbered as by clock_getcpuclockid(3); that in /proc is too coarse.
        return time.clock_gettime(~self.pid << 3 | 2)


@contextmanager
def run_command(command: Sequence[str]) -> Iterator[Server]:
    """Run *command*, whose first line ends with its port once it accepts connections; kill it at the end."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process.pid, int(process.stdout.readline().split(":")[-1]))
        finally:
            process.kill()


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """How to run a module."""
    return (sys.executable, "-m", module, *arguments)


def node_command(script: Path, *arguments: str) -> tuple[str, ...]:
    """How to run a script in Node."""
    return ("node", str(script), *arguments)


def gateway_command(storage: str, *options: str) -> tuple[str, ...]:
    """How to run the gateway's own command line on *storage*."""
    quiet = ("--bind", "127.0.0.1:0", "--log-level", "warning")
    return python_command("bamboo_gateway", "serve", *quiet, "--storage", storage, *OPTIONS, *options)


def allow_many_files() -> None:
    """Let this process, and those that it starts, have as many sockets as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
