"""The file itself: made, looked at before it is trusted, and used through two connections."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import StorageError
from .file_lock import FileLock
from .sqlite_connection import Connection, connect
from .sqlite_schema import (
    APPLICATION_ID,
    SCHEMA,
    MigrationStep,
    check_tables,
    create_tables,
    migrate,
    read_version,
    refuse_newer,
)

Synchronous: TypeAlias = Literal["full", "normal"]
Report: TypeAlias = Callable[[MigrationStep], None]

WAL_BYTES = 16 * 1024 * 1024
"""What the write-ahead log is cut back to, if it has grown beyond that."""

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100


class SQLiteFile:
    """
    An open file that no other process uses.

    Invariant: `writer` writes and `reader` does not, so that neither waits for
    the other (WAL).

    Args:
        path: Where it is, or shall be.
        synchronous: `full`: a commit is on the disk when it returns. `normal`: it is left to the operating
            system for a while.
        create: Make it if it is not there.
        report: Called as an older file is brought forward, in the thread of whoever opens it.

    Raises:
        StorageError: It is another gateway's, newer, damaged, or no file of ours; it is as it was.
        OSError, sqlite3.Error: It cannot be made or opened.
    """

    def __init__(
        self, path: Path, synchronous: Synchronous, *, create: bool, report: Report = lambda _: None
    ) -> None:
        # Two names of one file must be one lock.
        self.path = path.resolve()
        if not create and not _is_there(self.path):
            raise StorageError(f"{path}: there is no such storage; see whether the path is right")
        _make_folder(self.path.parent)
        self._is_at_risk = synchronous != "full"
        with ExitStack() as held:
            held.enter_context(closing(FileLock(self.path)))
            if _is_there(self.path):
                check_header(self.path)
            else:
                _create(self.path)
            self.writer = Connection(self.path, "rw", "BEGIN IMMEDIATE", _settings(synchronous))
            held.enter_context(closing(self.writer))
            # It goes first, so that the end of the writer is the end of the write-ahead log.
            self.reader = Connection(self.path, "ro", "BEGIN")
            held.enter_context(closing(self.reader))
            self._prepare(report)
            self._held = held.pop_all()

    def close(self) -> None:
        """Write everything where it belongs, and let go of the file."""
        # Whatever fails here loses nothing: it is in the write-ahead log, where the next start finds it.
        with self._held, suppress(sqlite3.Error, StorageError, OSError):
            if self._is_at_risk:
                self._mark(is_at_risk=False)
            self.writer.get().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prepare(self, report: Report) -> None:
        """Look at the file, bring it forward, and begin to use it."""
        # First with the connection that cannot write: a refused file keeps its write-ahead log as well.
        version = read_version(self.reader.get())
        refuse_newer(version, self.path)
        if version == SCHEMA.version:
            check_tables(self.reader.get(), self.path)
        connection = self.writer.get()
        [mode] = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise StorageError(
                f"{self.path}: its file system cannot map shared memory, which SQLite's WAL needs; use a "
                "local disk"
            )
        migrate(connection, report=report)
        with self.writer.transaction():
            connection.execute("UPDATE store SET epoch = ? WHERE is_at_risk", (uuid.uuid4().hex,))
        self._mark(is_at_risk=self._is_at_risk)

    def _mark(self, *, is_at_risk: bool) -> None:
        """
        Write down whether commits may be lost with the machine, and wait until that is on the disk.

        So are all commits before it, then: they are in the same write-ahead log.
        """
        connection = self.writer.get()
        [synchronous] = connection.execute("PRAGMA synchronous").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("UPDATE store SET is_at_risk = ? WHERE is_at_risk != ?", (is_at_risk, is_at_risk))
        connection.execute(f"PRAGMA synchronous = {synchronous}")


def _settings(synchronous: Synchronous) -> tuple[str, ...]:
    return (
        f"synchronous = {synchronous}",
        "fullfsync = ON",  # macOS has another word for it
        f"journal_size_limit = {WAL_BYTES}",
        "cache_size = -16384",  # KiB
        "secure_delete = FAST",  # nothing is left of what was deleted, in pages that are still used
    )


def _is_there(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _make_folder(folder: Path) -> None:
    """Make a folder, and those around it, for this user alone."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def check_header(path: Path) -> None:
    """
    See whose file it is, without touching it.

    Raises:
        StorageError: It is none of ours.
    """
    # SQLite would open what may not be written, and leave files beside it that may not be, either.
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
    if not header.startswith(_MAGIC) or len(header) < _HEADER_BYTES:
        raise StorageError(
            f"{path}: it is no SQLite database, or its beginning is damaged. It is left as it is: "
            "use another file, or put a backup in its place"
        )
    if (found := int.from_bytes(header[68:72])) != APPLICATION_ID:
        raise StorageError(
            f"{path}: it is the database of another program (application id {found:#x}); use another file"
        )
    refuse_newer(int.from_bytes(header[60:64]), path)


def _create(path: Path) -> None:
    """
    Make the file, with all of its tables or not at all.

    Raises:
        StorageError: There is a write-ahead log without its file.
    """
    for suffix in ("-wal", "-journal"):
        left = path.with_name(path.name + suffix)
        if left.exists() and left.stat().st_size:
            raise StorageError(
                f"{path}: it is not there, but {left.name} is, which holds a part of it; "
                "put it back, or move the other one away"
            )
    new = path.with_name(path.name + ".new")
    for suffix in ("", "-journal", "-wal"):
        new.with_name(new.name + suffix).unlink(missing_ok=True)
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = connect(f"{new.as_uri()}?mode=rw")
    try:
        connection.execute("BEGIN IMMEDIATE")
        create_tables(connection, uuid.uuid4().hex)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
