"""A look at the file by somebody who does not mean to use it: nothing is written or brought forward."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from ..errors import StorageError
from .file_lock import holder_of
from .sqlite_connection import connect
from .sqlite_errors import DAMAGED, reported
from .sqlite_file import check_header
from .sqlite_schema import SCHEMA, check_tables, read_version, refuse_newer

_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock: a millisecond or so."""


@attrs.frozen(kw_only=True)
class SQLiteSurvey:
    """What was seen of a file that will do."""

    path: Path
    is_there: bool = True
    size_bytes: int = 0
    holder: str | None = None
    """The process that uses it; then nothing else was looked at."""
    version: int | None = None
    """Of its tables."""
    is_older: bool = False
    """Will the next gateway bring it forward?"""
    was_cut_short: bool = False
    """Was there no time to look at all of it?"""


def survey(path: Path, patience: float) -> SQLiteSurvey:
    """
    Look at the file at *path*, for *patience* seconds at most.

    Raises:
        StorageError: A gateway would refuse it: it is another program's, newer, damaged, or may not be used.
    """
    path = path.resolve()
    with reported(path):
        if not path.exists() or not path.stat().st_size:
            return SQLiteSurvey(path=path, is_there=False)
        check_header(path)
        found = SQLiteSurvey(path=path, size_bytes=path.stat().st_size, holder=holder_of(path))
        if found.holder is not None:
            return found
        with closing(_open(path)) as connection:
            version = read_version(connection)
            refuse_newer(version, path)
            if version == SCHEMA.version:
                check_tables(connection, path)
            is_whole = _check(connection, path, patience)
        return attrs.evolve(
            found, version=version, is_older=version < SCHEMA.version, was_cut_short=not is_whole
        )


def _open(path: Path) -> sqlite3.Connection:
    wal = path.with_name(f"{path.name}-wal")
    # Nobody uses it. Without a write-ahead log to be read as well, SQLite need not make files beside it,
    # which would stay there and might belong to the wrong user.
    is_alone = not wal.exists() or not wal.stat().st_size
    return connect(f"{path.as_uri()}?mode=ro{'&immutable=1' if is_alone else ''}")


def _check(connection: sqlite3.Connection, path: Path, patience: float) -> bool:
    """
    Have SQLite look at every page; was there time for it?

    Raises:
        StorageError, sqlite3.DatabaseError: The file is damaged.
    """
    with _bounded(connection, patience):
        try:
            [result] = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return False
    if result != "ok":
        raise StorageError(f"{path}: {' '.join(result.split())}: {DAMAGED}")
    return True


@contextmanager
def _bounded(connection: sqlite3.Connection, patience: float) -> Iterator[None]:
    deadline = time.monotonic() + patience
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)
