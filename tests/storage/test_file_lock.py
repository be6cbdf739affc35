"""The lock on a file: one at a time, and gone with its process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bamboo_gateway.errors import StorageError
from bamboo_gateway.storage.file_lock import FileLock
from tests.cli.process import HANG, ROOT

HOLD = """
import pathlib, sys
from bamboo_gateway.storage.file_lock import FileLock
lock = FileLock(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    """The second is told which process holds it, in one process as in two; afterwards it is free."""
    path = tmp_path / "file"
    lock = FileLock(path)
    with pytest.raises(StorageError, match=rf"file: another gateway uses it \(process {os.getpid()}\)"):
        FileLock(path)
    lock.close()
    FileLock(path).close()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    """The lock file that it has left behind locks nobody out."""
    path = tmp_path / "file"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StorageError, match=f"process {process.pid}"):
            FileLock(path)
        process.kill()
        process.wait(HANG)
        assert (tmp_path / "file.lock").exists()
        FileLock(path).close()


def test_other_files_are_free(tmp_path: Path) -> None:
    """A lock is that of one file."""
    locks = [FileLock(tmp_path / name) for name in ("a", "b")]
    for lock in locks:
        lock.close()
