"""A file, sessions to put into it, and short ways to look at what is in it."""

from __future__ import annotations

import datetime
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bamboo_gateway.errors import StorageError
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.session.effects import Change, Deliver
from bamboo_gateway.session.log import Entry, Log, LogLimits
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.stored import StoredState
from bamboo_gateway.storage.sqlite import SQLiteStorage

LIMITS = LogLimits(max_events=10_000, max_bytes=2**30)

HISTORY_BYTES = 2**30

BORN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@asynccontextmanager
async def opened(path: Path, **options: Any) -> AsyncIterator[SQLiteStorage]:
    """A storage for as long as the block lasts."""
    async with begun(path, **options) as (storage, _):
        yield storage


@asynccontextmanager
async def begun(path: Path, **options: Any) -> AsyncIterator[tuple[SQLiteStorage, StoredState]]:
    """The same, and what it began with."""
    storage = SQLiteStorage(path, **options)
    state = await storage.open(LIMITS)
    try:
        yield storage, state
    finally:
        await storage.aclose()


async def refusal(path: Path, **options: Any) -> str:
    """Why the file is refused; it is as before, and nothing has come to lie beside it."""
    before = contents(path.parent)
    with pytest.raises(StorageError) as caught:
        await SQLiteStorage(path, **options).open(LIMITS)
    assert contents(path.parent) == before
    assert str(path.resolve()) in str(caught.value)
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the files of a folder; locks and shared memory are none, nor is an empty write-ahead log."""
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
    return {
        name: content
        for name, content in files.items()
        if not name.endswith((".lock", "-shm")) and (content or not name.endswith("-wal"))
    }


def crash_image(path: Path, folder: Path) -> Path:
    """What is on the disk if everything ends now: a copy of it, in a new folder."""
    folder.mkdir()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{path}{suffix}", folder / (path.name + suffix))
    return folder / path.name


# ── what is put in ───────────────────────────────────────────────────────────


def session(number: int = 1) -> Session:
    """A session."""
    return Session(f"s{number}", "ann", BORN, BORN, number=number)


def log(number: int = 1) -> Log:
    """Its log."""
    return Log(f"s{number}", "epoch", LIMITS, number=number)


def tokens(seqs: Iterable[int], number: int = 1, text: str = "token") -> list[Change]:
    """Entries of a session's log."""
    return [Deliver(log(number), token(seq, text)) for seq in seqs]


def token(seq: int, text: str) -> Entry:
    """An entry."""
    return Entry(seq, seq, AgentToken, codec.encode_body(AgentToken("s", f"{text} {seq}.")))


async def seqs(storage: SQLiteStorage, number: int = 1) -> list[int]:
    """Which entries a session's log has."""
    stored = await storage.load(f"s{number}", LIMITS, HISTORY_BYTES)
    assert stored is not None
    return [entry.seq for entry in stored.log.entries]


# ── another program ──────────────────────────────────────────────────────────


@contextmanager
def another_program(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that is not ours."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def execute(path: Path, *statements: str) -> None:
    """Change a file from outside."""
    with another_program(path) as connection:
        for statement in statements:
            connection.execute(statement)
