"""A file system of its own, so small that a test can fill it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(size_bytes: int) -> Iterator[Path]:
    """A disk of this size; where none may be mounted, the test is skipped, or fails if none may be."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", folder]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            reason = "needs the right to mount a file system"
            if os.environ.get("BAMBOO_REQUIRE_ALL"):
                pytest.fail(reason)
            pytest.skip(reason)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)
