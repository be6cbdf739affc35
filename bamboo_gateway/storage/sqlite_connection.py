"""A connection to the file that may break, and its transactions, which are whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from ..errors import StorageError
from .sqlite_errors import is_passing

BUSY_TIMEOUT = 1.0
"""Seconds that a transaction waits for another program's."""


def connect(uri: str) -> sqlite3.Connection:
    """Connect to what *uri* names."""
    # Its threads change, but never two at a time; and transactions are begun by name.
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file it is that has this name; None: no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class Connection:
    """
    One connection to an existing file; made when it is first used, and anew after what may have broken it.

    Args:
        path: The file.
        mode: `ro` or `rw`; neither creates a file.
        begin: How its transactions begin.
        pragmas: Its settings.
    """

    def __init__(
        self, path: Path, mode: Literal["ro", "rw"], begin: str, pragmas: tuple[str, ...] = ()
    ) -> None:
        self._path = path
        self._uri = f"{path.as_uri()}?mode={mode}"
        self._begin = begin
        self._pragmas = pragmas
        self._file = _identity(path)
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block has done, or, if it raises or that fails, none of it."""
        connection = self.get()
        try:
            connection.execute(self._begin)
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            self._undo(connection, error)
            raise

    def get(self) -> sqlite3.Connection:
        """The connection, for what cannot be done in a transaction."""
        if _identity(self._path) != self._file:
            # SQLite would go on with the file that has lost its name, and all of it would be lost.
            raise StorageError(
                f"{self._path}: it was moved away or replaced while in use; put it back, or start again"
            )
        if self._connection is None:
            self._connection = self._prepare()
        return self._connection

    def close(self) -> None:
        """Give it up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _prepare(self) -> sqlite3.Connection:
        connection = connect(self._uri)
        try:
            for pragma in self._pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _undo(self, connection: sqlite3.Connection, error: BaseException) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()
        else:
            if isinstance(error, sqlite3.Error) and not is_passing(error):
                self.close()
