"""Can the sessions be kept where they shall be, and is there room for more?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ...errors import StorageError
from ...storage.location import file_of
from ...storage.sqlite_survey import SQLiteSurvey, survey
from .. import figures
from .finding import Finding, fault, warning, well

_ABOUT = "storage"

_ROOM = "disk"

_LITTLE, _TOO_LITTLE = 1_000_000_000, 50_000_000
"""Bytes: what a busy gateway writes in a day, and what it needs for its write-ahead log alone."""

PATIENCE = 10.0
"""Seconds for which a large file is looked through."""


def judge(found: SQLiteSurvey) -> Finding:
    """Tell how a file is that a gateway would take."""
    path = found.path
    if not found.is_there:
        return _judge_place(path)
    size = figures.size(found.size_bytes)
    if found.holder is not None:
        text = f"a gateway uses {path} ({size}): process {found.holder}"
        return warning(_ABOUT, text, "well, if that is the one; a second one takes another --storage")
    if found.is_older:
        text = f"{path} ({size}) was written by an older version, and will be brought forward at the start"
        return warning(_ABOUT, text, "keep a copy of it for as long as you may want to go back")
    if found.was_cut_short:
        text = f"{path} ({size}): no fault was found in {PATIENCE:g} seconds, and more was not looked at"
        return warning(_ABOUT, text, f"look at all of it: sqlite3 {path} 'PRAGMA quick_check'")
    return well(_ABOUT, f"{path} ({size}) is whole, and of version {found.version}")


def _judge_place(path: Path) -> Finding:
    folder = nearest_folder(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        text = f"{path} cannot be made: {folder} may not be written to by this user"
        return fault(_ABOUT, text, "choose another --storage, or give that folder to this user")
    return well(_ABOUT, f"{path} will be made at the start")


def judge_room(folder: Path, free: int) -> Finding:
    """Tell whether there are enough bytes *free*."""
    text = f"{figures.size(free)} are free at {folder}"
    if free < _TOO_LITTLE:
        return fault(_ROOM, text, "make room: when the disk is full, nothing more can be stored")
    if free < _LITTLE:
        return warning(_ROOM, text, "make room; --session-max-age has old sessions deleted")
    return well(_ROOM, text)


def look(spec: str) -> Iterator[Finding]:
    """Look at what *spec* names."""
    path = file_of(spec)
    if path is None:
        yield well(_ABOUT, "sessions are kept in memory, and gone with the process")
        return
    try:
        yield judge(survey(path, PATIENCE))
    except StorageError as error:
        text, _, remedy = str(error).partition("; ")
        yield fault(_ABOUT, text, remedy or "see `When the storage fails` in the manual of operations")
    folder = nearest_folder(path)
    yield judge_room(folder, shutil.disk_usage(folder).free)


def nearest_folder(path: Path) -> Path:
    """The folder that is there already, of those that shall hold *path*."""
    # One that cannot even be looked into is none to `os.path`; to `pathlib` it is an error.
    return next(folder for folder in path.absolute().parents if os.path.isdir(folder))  # noqa: PTH112 -- as above
