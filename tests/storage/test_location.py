"""Storages by name: what a user may write, and what is said to who writes something else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bamboo_gateway.errors import ConfigError, StorageError
from bamboo_gateway.storage import parse_storage
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.cli.process import ROOT
from tests.storage.stage import LIMITS


def path_of(spec: str) -> Path:
    """Where the storage is that *spec* names."""
    storage = parse_storage(spec)
    assert isinstance(storage, SQLiteStorage)
    return storage.path


def test_memory() -> None:
    """Nothing survives the process."""
    assert isinstance(parse_storage("memory:"), MemoryStorage)


def test_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell would have it: from where the program runs, and `~` is home."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert path_of("sqlite:gateway.db") == Path("gateway.db")
    assert path_of("sqlite:/var/lib/b:c.db") == Path("/var/lib/b:c.db")
    assert path_of("sqlite:~/g.db") == Path("/home/ann/g.db")


def test_the_default_is_the_platform_s_folder_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a user's other programs keep theirs."""
    monkeypatch.setenv("XDG_DATA_HOME", "/home/ann/data")
    path = path_of("sqlite:")
    assert path.parts[-2:] == ("bamboo-gateway", "gateway.db")
    if sys.platform == "linux":
        assert path == Path("/home/ann/data/bamboo-gateway/gateway.db")


async def test_it_can_be_told_to_make_nothing(tmp_path: Path) -> None:
    """For commands that look at what is there."""
    storage = parse_storage(f"sqlite:{tmp_path}/no.db", create=False)
    with pytest.raises(StorageError, match="no such storage"):
        await storage.open(LIMITS)


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [
        ("", "memory:, sqlite:"),
        ("gateway.db", "'sqlite:gateway.db'"),
        ("redis://here", "memory:, sqlite:"),
        ("memory:file", "stands alone"),
        ("sqlite::memory:", "'memory:'"),
        ("sqlite:a\0b", "no path"),
        ("sqlite:~nobody-of-this-name/g.db", "home"),
    ],
)
def test_anything_else_is_refused_with_what_there_is(spec: str, remedy: str) -> None:
    """The setting and the way to put it right are in the text."""
    with pytest.raises(ConfigError, match=r"^storage: ") as caught:
        parse_storage(spec)
    assert remedy in str(caught.value)


def test_who_needs_no_file_does_not_wait_for_sqlite() -> None:
    """Neither sqlite3 nor platformdirs is imported before a storage on disk is asked for."""
    program = (
        # Coverage, where it is measured, has imported sqlite3 itself.
        "import sys; before = set(sys.modules);"
        "import bamboo_gateway.storage as storage; storage.parse_storage('memory:');"
        "sys.exit(not {'sqlite3', 'platformdirs'}.isdisjoint(set(sys.modules) - before))"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
