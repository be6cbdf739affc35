"""Which process listens on a port, as far as Linux tells it to this user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")

_LISTENS = "0A"
"""The state of a socket that does."""


def listening_process(port: int, proc: Path = _PROC) -> str | None:
    """The number and the name of the process that listens on TCP *port*; None: nobody knows."""
    inodes = {inode for name in ("tcp", "tcp6") for inode in _inodes(proc / "net" / name, port)}
    for process in proc.glob("[0-9]*"):
        if inodes & set(_sockets(process)):
            return f"{process.name}, {_name(process)}"
    return None


def _inodes(table: Path, port: int) -> Iterator[str]:
    with suppress(OSError):
        for line in table.read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == _LISTENS and int(local.rpartition(":")[2], 16) == port:
                yield rest[5]


def _sockets(process: Path) -> Iterator[str]:
    """Those that it has open; of another user's process nobody is told."""
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                if match := re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink())):
                    yield match[1]


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "unknown"
