"""What goes wrong with the file, in an operator's words: the one place that knows SQLite's error codes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StorageError


class UnreadableRowError(Exception):
    """A row holds what this version does not understand; the text says which and what."""


DAMAGED = (
    "the file is damaged. It is left as it is: stop the gateway, keep a copy, and put a backup in its place "
    "or what `sqlite3 FILE .recover` can save"
)

# Primary result code → what to do about it. What is not here is a bug of ours, and is not hidden.
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another program has it locked; end that one's transaction",
    sqlite3.SQLITE_LOCKED: "another program has it locked; end that one's transaction",
    sqlite3.SQLITE_PROTOCOL: "another program has it locked; end that one's transaction",
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "see whether its disk works and has room",
    sqlite3.SQLITE_NOMEM: "the machine is out of memory",
    sqlite3.SQLITE_READONLY: "make the file, its folder and its disk writable for this user",
    sqlite3.SQLITE_PERM: "make the file and its folder readable and writable for this user",
    sqlite3.SQLITE_CANTOPEN: "see whether its folder exists, may be written to by this user, and has room",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def is_passing(error: BaseException) -> bool:
    """Is the connection that raised *error* as good as before?"""
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """
    Say what is wrong with the file at *path*, instead of how that came to be known.

    Raises:
        StorageError: In the place of what the file system, SQLite or a row is to blame for.
    """
    try:
        yield
    except UnreadableRowError as error:
        raise StorageError(
            f"{path}: {error}; a newer version has written it, or the file is damaged. Use the newest version"
        ) from error
    except OSError as error:
        raise StorageError(
            f"{path}: {error.strerror or error} ({error.filename or path}): see whether it is there and "
            "writable for this user"
        ) from error
    except sqlite3.Error as error:
        if (remedy := _REMEDIES.get(_code(error))) is None:
            raise
        name = getattr(error, "sqlite_errorname", "UTF-8")
        raise StorageError(f"{path}: {error} ({name}): {remedy}") from error


def _code(error: BaseException) -> int:
    """The primary result code of *error*; 0, which is none, for what is no error of SQLite's."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    if not code and isinstance(error, sqlite3.OperationalError):
        # The module's own, and it has but one: text that is no UTF-8.
        return sqlite3.SQLITE_CORRUPT
    return code & 0xFF
