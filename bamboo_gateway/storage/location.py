"""Storages by what a user writes: `memory:`, `sqlite:`, `sqlite:PATH`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..ports import SessionStorage
from .memory import MemoryStorage

KINDS = "memory:, sqlite: (in this user's data folder), sqlite:PATH"


if TYPE_CHECKING:
    from .sqlite_file import Report


def parse_storage(spec: str, *, create: bool = True, report: Report | None = None) -> SessionStorage:
    """
    Make the storage that *spec* names; it is not opened yet.

    Args:
        spec: `memory:`, `sqlite:` or `sqlite:PATH`, where `~` is the user's home.
        create: False: opening it shall fail where there is none yet.
        report: Called, in another thread, as an older file is brought forward.

    Raises:
        ConfigError: There is no such storage; the text says what there is.
    """
    kind, colon, target = spec.partition(":")
    if not colon:
        raise ConfigError(f"storage: {spec!r:.80} is none of {KINDS}; a file is written 'sqlite:{spec:.80}'")
    if kind == "memory":
        if target:
            raise ConfigError(f"storage: 'memory:' stands alone, without {target!r:.80}")
        return MemoryStorage()
    if kind == "sqlite":
        return _sqlite(target, create, report)
    raise ConfigError(f"storage: {spec!r:.80} is none of {KINDS}")


def file_of(spec: str) -> Path | None:
    """
    The file that *spec* means; None: it is in memory.

    Raises:
        ConfigError: As of `parse_storage`.
    """
    parse_storage(spec)
    kind, _, target = spec.partition(":")
    return _path(target) if kind == "sqlite" else None


def default_path() -> Path:
    """Where `sqlite:` keeps its file: the platform's place for a user's data."""
    import platformdirs  # noqa: PLC0415 -- only the storage on disk needs it

    return platformdirs.user_data_path("bamboo-gateway", appauthor=False) / "gateway.db"


def _sqlite(target: str, create: bool, report: Report | None) -> SessionStorage:
    from .sqlite import SQLiteStorage  # noqa: PLC0415 -- sqlite3 takes its time, and storage in memory needs none

    if target.startswith(":memory:") or "\0" in target:
        raise ConfigError(f"storage: {target!r:.80} is no path; storage in memory is written 'memory:'")
    return SQLiteStorage(_path(target), create=create, report=report or (lambda _: None))


def _path(target: str) -> Path:
    try:
        return Path(target).expanduser() if target else default_path()
    except RuntimeError as error:
        raise ConfigError(f"storage: sqlite:{target:.80}: {error}") from error
