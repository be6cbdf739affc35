"""Pages of the list of sessions, in either order: all of them, a user's, or those that a search finds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Literal

import attrs

from ..session.search import Search
from ..session.session import Session
from .sqlite_reader import SESSIONS, read_epoch, session_from
from .sqlite_rows import INT64_MAX, bounded

CHUNK = 1000
"""Sessions that a search looks at in one go: some milliseconds."""


def list_sessions(
    connection: sqlite3.Connection, user_id: str | None, after: int, limit: int, newest_first: bool
) -> Sequence[Session]:
    """A page of the sessions that are a user's or shared with them, or of all."""
    pages = _Pages(user_id, "DESC" if newest_first else "ASC")
    return _sessions(connection, pages.select(SESSIONS), pages.values(after, limit))


def find_sessions(
    connection: sqlite3.Connection,
    user_id: str | None,
    after: int,
    limit: int,
    newest_first: bool,
    search: str,
) -> tuple[Sequence[Session], int | None]:
    """
    Look through the next `CHUNK` of them.

    SQLite knows upper and lower case of ASCII alone, so Python looks. It is given
    a chunk as one value: for each row by itself it would have to get the
    interpreter back from the event loop.

    Returns:
        Those that *search* finds, *limit* at most; and the number to go on behind; None: there are no more.
    """
    pages, looked_for = _Pages(user_id, "DESC" if newest_first else "ASC"), Search(search)
    rows = pages.select("SELECT number, id, name, user_id FROM session")
    statement = f"SELECT json_group_array(json_array(number, id, name, user_id)) FROM ({rows})"  # noqa: S608 -- constants
    [chunk] = connection.execute(statement, pages.values(after, CHUNK)).fetchone()
    candidates = sorted(json.loads(chunk), reverse=newest_first)
    found = [number for number, *texts in candidates if looked_for.finds(*texts)][:limit]
    find = f"{SESSIONS} WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number {pages.order}"  # noqa: S608 -- constants
    sessions = _sessions(connection, find, (json.dumps(found),))
    return sessions, candidates[-1][0] if len(candidates) == CHUNK else None


def _sessions(
    connection: sqlite3.Connection, statement: str, values: Mapping[str, object] | Sequence[object]
) -> Sequence[Session]:
    rows = connection.execute(statement, values).fetchall()
    epoch = read_epoch(connection)
    return [session_from(connection, row, epoch) for row in rows]


@attrs.frozen
class _Pages:
    """Whose sessions are listed, and in which order."""

    user_id: str | None
    order: Literal["ASC", "DESC"]

    def select(self, what: str) -> str:
        """The statement for a page; *what* is what stands before `WHERE`."""
        if self.user_id is None:
            return f"{what} WHERE number BETWEEN :low AND :high ORDER BY number {self.order} LIMIT :limit"
        whose = _FOR_USER.format(order=self.order)
        return f"{what} WHERE number IN ({whose}) ORDER BY number {self.order}"

    def values(self, after: int, limit: int) -> Mapping[str, object]:
        """What the statement is given for *limit* sessions behind number *after*."""
        low, high = bounded(after + 1), INT64_MAX
        if self.order == "DESC":
            low, high = 0, bounded(after - 1) if after > 0 else INT64_MAX
        return {"user_id": self.user_id, "low": low, "high": high, "limit": limit}


# Each half is found by its index, in order, and read no further than is needed.
_FOR_USER = """
    SELECT number FROM (
        SELECT number FROM session WHERE user_id = :user_id AND number BETWEEN :low AND :high
        ORDER BY number {order} LIMIT :limit
    ) UNION SELECT session FROM (
        SELECT session FROM share WHERE user_id = :user_id AND session BETWEEN :low AND :high
        ORDER BY session {order} LIMIT :limit
    ) ORDER BY 1 {order} LIMIT :limit
"""
