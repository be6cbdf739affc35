"""Storage in an SQLite file: sessions outlive the process, and take no memory while nobody uses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import trio

from ..session.effects import Change
from ..session.history import NumberedMessage
from ..session.log import LogLimits
from ..session.session import Session
from ..session.stored import StoredSession, StoredState
from . import sqlite_reader, sqlite_sweep
from .sqlite_batch import Batch
from .sqlite_connection import Connection
from .sqlite_errors import reported
from .sqlite_file import Report, SQLiteFile, Synchronous
from .sqlite_list import find_sessions, list_sessions

P = ParamSpec("P")
T = TypeVar("T")


class SQLiteStorage:
    """
    The sessions in one file.

    Invariant: what `commit` has returned for survives the process; with
    `synchronous="full"` the machine, too. Each call is one transaction in one
    thread (`expire`: several); those that write wait for each other, and those
    that read for each other, but neither for the other kind.

    A cancelled call is carried out, if it has begun.

    Args:
        path: The file; it and its folders are made, for this user alone.
        synchronous: `full`: each commit is on the disk. `normal`: on the disk a little later; faster, and
            after a power cut the newest commits may be missing. Then there is a new epoch.
        create: False: `open` refuses where there is no file yet.
        report: Called, in another thread, as `open` brings the file of an older version forward, which may
            take a while.
    """

    def __init__(
        self,
        path: Path,
        synchronous: Synchronous = "full",
        *,
        create: bool = True,
        report: Report = lambda _: None,
    ) -> None:
        self.path = path
        self._synchronous: Synchronous = synchronous
        self._create = create
        self._report = report
        self._file: SQLiteFile | None = None
        self._writing = trio.CapacityLimiter(1)
        self._reading = trio.CapacityLimiter(1)

    def __repr__(self) -> str:
        return f"<SQLiteStorage {self.path}>"

    async def open(self, log_limits: LogLimits) -> StoredState:
        """
        Begin, alone on this file.

        Raises:
            StorageError: There is no such file, it is in use, damaged, newer than this version, or no
                storage at all. It is as it was, and the text says what to do.
        """
        return await self._in_thread(self._writing, self._open, log_limits)

    async def commit(self, changes: Sequence[Change], /) -> None:
        """
        Make *changes* durable.

        Raises:
            StorageError: None of them is; the same call may succeed when the cause is gone.
        """
        await self._write(lambda connection: Batch(connection).apply(changes))

    async def load(self, session_id: str, log_limits: LogLimits, history_bytes: int) -> StoredSession | None:
        """
        All that is needed to go on with a session; None: there is none.

        Raises:
            StorageError: It cannot be read.
        """
        return await self._read(sqlite_reader.load, session_id, log_limits, history_bytes)

    async def list(
        self, user_id: str | None, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> Sequence[Session]:
        """
        A page of the sessions.

        Raises:
            StorageError: It cannot be read.
        """
        if not search:
            return await self._read(list_sessions, user_id, after, limit, newest_first)
        found: list[Session] = []
        behind: int | None = after
        while behind is not None and len(found) < limit:
            # A chunk at a time: who comes back to a session meanwhile does not wait for the whole search.
            left = limit - len(found)
            some, behind = await self._read(find_sessions, user_id, behind, left, newest_first, search)
            found += some
        return found

    async def read_messages(self, session_id: str, first: int, end: int) -> Sequence[NumberedMessage]:
        """
        A part of a session's conversation.

        Raises:
            StorageError: It cannot be read.
        """
        return await self._read(sqlite_reader.read_messages, session_id, first, end)

    async def find_inactive(self, since: float, limit: int) -> Sequence[str]:
        """
        The sessions that nobody has used for the longest time.

        Raises:
            StorageError: It cannot be read.
        """
        return await self._read(sqlite_reader.find_inactive, since, limit)

    async def expire(self, before: int, max_log_bytes: int, outcomes_before: int) -> None:
        """
        Forget what is old or too much, and take away what commits have left for later, in short transactions.

        Those of `commit` come in between, if another task calls it. When
        cancelled it stops after the step that it is at; what is done is done.

        Raises:
            StorageError: It has come to a stop; the next call goes on from there.
        """
        while await self._write(
            lambda connection: sqlite_sweep.expire(connection, before, max_log_bytes, outcomes_before)
        ):
            pass

    async def aclose(self) -> None:
        """
        Let go of the file.

        Cancellation does not prevent it, and waits for it: moments, of which most are the disk's.
        """
        if (file := self._file) is not None:
            with trio.CancelScope(shield=True):
                async with self._reading:
                    await self._in_thread(self._writing, file.close)
            self._file = None

    # ── threads ──────────────────────────────────────────────────────────────

    def _open(self, log_limits: LogLimits) -> StoredState:
        assert self._file is None
        file = SQLiteFile(self.path, self._synchronous, create=self._create, report=self._report)
        try:
            state = _in_transaction(file.reader, sqlite_reader.read_state, log_limits)
        except BaseException:
            file.close()
            raise
        self._file = file
        return state

    async def _write(self, function: Callable[..., T], *args: object) -> T:
        assert self._file is not None
        return await self._in_thread(self._writing, _in_transaction, self._file.writer, function, *args)

    async def _read(self, function: Callable[..., T], *args: object) -> T:
        assert self._file is not None
        return await self._in_thread(self._reading, _in_transaction, self._file.reader, function, *args)

    async def _in_thread(
        self, limiter: trio.CapacityLimiter, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def work() -> T:
            with reported(self.path):
                return function(*args, **kwargs)

        return await trio.to_thread.run_sync(work, limiter=limiter)


def _in_transaction(connection: Connection, function: Callable[..., T], *args: object) -> T:
    with connection.transaction() as transaction:
        return function(transaction, *args)
