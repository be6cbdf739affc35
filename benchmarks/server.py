"""A peer's process: started, and asked how much CPU time it has used."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

SETTLE_TIME = 0.05
"""Seconds in which a server that has nothing more to do goes to sleep."""


@attrs.frozen
class Server:
    """One running peer."""

    pid: int
    port: int

    def cpu_time(self) -> float:
        """
        Seconds of CPU time, its own and the kernel's on its behalf, since it started; Linux only.

        Waits until it sleeps, for the kernel counts a running process but roughly, and what it
        does after its last message counts as well.
        """
        time.sleep(SETTLE_TIME)
        # The clock of another process, numbered as by clock_getcpuclockid(3); that in /proc is too coarse.
        return time.clock_gettime(~self.pid << 3 | 2)


@contextmanager
def run_server(module: str) -> Iterator[Server]:
    """Run `python -m MODULE`, which prints its port once it accepts connections."""
    with subprocess.Popen([sys.executable, "-m", module], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


def allow_many_files() -> None:
    """Let this process, and those that it starts, have as many sockets as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
