"""Where an export goes: stdout, a file, or a folder with a file for each session."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol, TextIO
from urllib.parse import quote

import click

_MAX_NAME = 200
"""Characters of a file's name before its suffix: file systems stop at 255."""


class FileInTheWayError(click.ClickException):
    """There is a file of this name already, and nobody has said that it may go."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already; --force writes over it")


class Output(Protocol):
    """Takes sessions, one after the other."""

    def session(self, session_id: str) -> AbstractContextManager[TextIO]:
        """
        Open what a session is written to.

        Raises:
            click.ClickException: It cannot be made, or is there already.
        """
        ...


class Stream:
    """All sessions in one text."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def session(self, session_id: str) -> AbstractContextManager[TextIO]:
        """The one there is."""
        return nullcontext(self._file)


class Folder:
    """A file for each session, which has its name when all of it is there."""

    def __init__(self, path: Path, suffix: str, *, force: bool) -> None:
        self._path = path
        self._suffix = suffix
        self._force = force

    def session(self, session_id: str) -> AbstractContextManager[TextIO]:
        """A new file, named for the session."""
        return new_file(self._path / (file_name(session_id) + self._suffix), force=self._force)


@contextmanager
def open_output(path: str, suffix: str, *, force: bool) -> Iterator[Output]:
    """
    Open *path*: `-` is stdout, and one that is a folder or ends with a slash is a folder.

    Raises:
        click.ClickException: It cannot be made, or is a file already and nobody has said *force*.
    """
    target = Path(path)
    if path == "-":
        yield Stream(sys.stdout)
    elif target.is_dir() or path.endswith("/"):
        with _told(path):
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield Folder(target, suffix, force=force)
    else:
        with new_file(target, force=force) as file:
            yield Stream(file)


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[TextIO]:
    """
    Make a file that has its name when all of it is on the disk, and not before; for this user alone.

    Raises:
        click.ClickException: There is such a file already, and nobody has said *force*; or it cannot be made.
    """
    if path.exists() and not path.is_file():
        raise click.ClickException(f"{path} is no file; to write into it, use stdout")
    if path.exists() and not force:
        raise FileInTheWayError(path)
    with _told(path):
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=".export-", suffix=".part")
        part = Path(name)
        try:
            with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 -- it has a descriptor already
                yield file
                file.flush()
                os.fsync(fd)
            _rename(part, path, force=force)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def file_name(session_id: str) -> str:
    """A name for the file of a session, whatever its id is; one of letters and digits is its own."""
    name = quote(session_id, safe="")
    if len(name) > _MAX_NAME:
        name = f"{name[:100]}-{hashlib.sha256(session_id.encode()).hexdigest()[:32]}"
    return f"%2E{name[1:]}" if name.startswith(".") else name


def _rename(part: Path, path: Path, *, force: bool) -> None:
    if force:
        part.replace(path)
        return
    try:
        path.hardlink_to(part)  # which, unlike to rename, writes over nothing
    except FileExistsError:
        raise FileInTheWayError(path) from None
    except OSError:  # a file system without hard links
        part.rename(path)
    else:
        part.unlink()


@contextmanager
def _told(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
