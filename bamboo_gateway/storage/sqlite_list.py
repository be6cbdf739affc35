"""Pages of the list of sessions, in either order: all of them, a user's, or those that a search finds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal

import attrs

from ..session.search import Search
from ..session.session import Session
from .sqlite_reader import SESSIONS, read_epoch, session_from
from .sqlite_rows import INT64_MAX, bounded

CHUNK = 1000
"""Sessions that a search looks at in one go: some milliseconds."""


def list_sessions(
    connection: sqlite3.Connection,
    user_id: str | None,
    after: int,
    limit: int,
    newest_first: bool,
    search: str,
) -> Sequence[Session]:
    """A page of the sessions that are a user's or shared with them, or of all."""
    pages = _Pages(user_id, "DESC" if newest_first else "ASC")
    if search:
        find = f"{SESSIONS} WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number {pages.order}"  # noqa: S608 -- constants
        found = islice(_find(connection, pages, after, Search(search)), limit)
        rows = connection.execute(find, (json.dumps([*found]),))
    else:
        rows = connection.execute(pages.select(SESSIONS), pages.values(after, limit))
    epoch = read_epoch(connection)
    return [session_from(connection, row, epoch) for row in rows.fetchall()]


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


def _find(connection: sqlite3.Connection, pages: _Pages, after: int, search: Search) -> Iterator[int]:
    """
    The numbers of those that *search* finds.

    SQLite knows upper and lower case of ASCII alone, so Python looks. It is given
    a chunk as one value: for each row by itself it would have to get the
    interpreter back from the event loop.
    """
    rows = pages.select("SELECT number, id, name, user_id FROM session")
    statement = f"SELECT json_group_array(json_array(number, id, name, user_id)) FROM ({rows})"  # noqa: S608 -- constants
    while True:
        [chunk] = connection.execute(statement, pages.values(after, CHUNK)).fetchone()
        candidates = sorted(json.loads(chunk), reverse=pages.order == "DESC")
        yield from (number for number, *texts in candidates if search.finds(*texts))
        if len(candidates) < CHUNK:
            return
        after = candidates[-1][0]
