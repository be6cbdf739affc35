"""A file that one process uses alone, and how the next one is told so."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ..errors import StorageInUseError


def holder_of(path: Path) -> str | None:
    """
    The process that uses the file at *path* alone, as it calls itself; None: nobody does.

    Looking takes nothing from anybody: the lock is shared, and let go of at once.

    Raises:
        OSError: The lock file cannot be read.
    """
    try:
        fd = os.open(f"{path}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(fd)
    else:
        return None
    finally:
        os.close(fd)


def _read_holder(fd: int) -> str:
    return os.pread(fd, 20, 0).decode(errors="replace").strip() or "unknown"


class FileLock:
    """
    The right to use a file alone.

    Invariant: held from the making until `close`. The kernel takes it back from
    a process that ends, however it ends, so a lock file that was left behind
    locks nobody out; it is never deleted, because whoever waits for it may have
    it open already.

    Args:
        path: The file that is meant; the lock itself is on a file beside it.

    Raises:
        StorageInUseError: Another one holds it; the text names the process.
        OSError: There can be no lock file.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(path)
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Let the next one have it."""
        os.close(self._fd)

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(self._fd)
            raise StorageInUseError(
                f"{path}: another gateway uses it (process {holder}); stop that one, or use another file"
            ) from None
        os.truncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
