"""
SQLite files that a gateway could have left behind.

Its own storage makes the first session; SQL makes the others from it, a hundred times as fast.
"""

from __future__ import annotations

import datetime
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import attrs
import trio

from bamboo_gateway.protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    LoggedEvent,
    TokenUsage,
    UserMessage,
)
from bamboo_gateway.session.effects import Change, Deliver, SaveMessage, SaveSession
from bamboo_gateway.session.history import MESSAGE_BYTES, HistoryMessage, NumberedMessage
from bamboo_gateway.session.log import Log, LogLimits
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.sqlite import SQLiteStorage

_LIMITS = LogLimits(max_events=10_000_000, max_bytes=1024**3)
_MODEL = f"{1:032x}"
_RUN = uuid.uuid4().hex


@attrs.frozen
class FilledFile:
    """One such file."""

    path: Path
    epoch: str
    sessions: int
    last_seq: int
    """Of each session."""

    def session_id(self, number: int) -> str:
        """The id of one of them; any *number* will do."""
        return f"{number % self.sessions + 1:032x}"


def make_sessions(path: Path, sessions: int) -> FilledFile:
    """Make a file of *sessions*, each with one question and a short answer."""
    epoch, last_seq = trio.run(_fill, path)
    _run_sql(path, _COPY_SESSION, {"sessions": sessions, "model": _MODEL})
    return FilledFile(path, epoch, sessions, last_seq)


def make_log(path: Path, events: int) -> FilledFile:
    """Make a file of one session, whose log has so many *events*."""
    epoch, _ = trio.run(_fill, path)
    _run_sql(path, _LENGTHEN_LOG, {"events": events})
    return FilledFile(path, epoch, 1, events)


def _run_sql(path: Path, statements: Sequence[str], values: Mapping[str, object]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = OFF")  # to write all twice takes most of the time
        connection.execute("PRAGMA cache_size = -262144")
        connection.execute("BEGIN")
        for statement in statements:
            connection.execute(statement, values)
        connection.execute("COMMIT")


# The first session is number 1.
_COPY_SESSION = (
    "CREATE TEMP TABLE copy (n INTEGER PRIMARY KEY)",
    """WITH RECURSIVE copies(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM copies WHERE n < :sessions)
    INSERT INTO copy SELECT n FROM copies WHERE n <= :sessions""",
    """INSERT INTO session SELECT n, printf('%032x', n), user_id, name, metadata,
    created_at + n, last_activity + n, channels FROM copy CROSS JOIN session WHERE number = 1""",
    """INSERT INTO log SELECT n, first_seq, last_seq, first_ts, swept_seq
    FROM copy CROSS JOIN log WHERE number = 1""",
    """INSERT INTO entry
    SELECT n, seq, ts, kind, CAST(replace(CAST(body AS TEXT), :model, printf('%032x', n)) AS BLOB)
    FROM copy CROSS JOIN entry WHERE log = 1""",
    """INSERT INTO message SELECT n, message.number, seq, size_bytes, body
    FROM copy CROSS JOIN message WHERE session = 1""",
    "UPDATE owner SET sessions = :sessions",
    "UPDATE store SET last_number = :sessions, log_bytes = log_bytes * :sessions",
)

_LENGTHEN_LOG = (
    """WITH RECURSIVE copy(n) AS (SELECT 5 UNION ALL SELECT n + 1 FROM copy WHERE n < :events)
    INSERT INTO entry
    SELECT log, n, ts, kind, CAST(replace(CAST(body AS TEXT), '"seq":3,', '"seq":' || n || ',') AS BLOB)
    FROM copy CROSS JOIN entry WHERE log = 1 AND seq = 3""",
    "UPDATE log SET last_seq = :events WHERE number = 1",
    "UPDATE store SET log_bytes = (SELECT sum(length(body)) FROM entry)",
)


async def _fill(path: Path) -> tuple[str, int]:
    storage = SQLiteStorage(path, "normal")
    state = await storage.open(_LIMITS)
    now = datetime.datetime.now(datetime.UTC)
    log = Log(_MODEL, "", _LIMITS, number=1)
    changes: list[Change] = [SaveSession(Session(_MODEL, "local", now, now, number=1))]
    changes += [Deliver(log, log.append(event, int(time.time() * 1000))) for event in _conversation()]
    for place, said in enumerate(_SAID):
        size = MESSAGE_BYTES + len(said.content)
        changes.append(SaveMessage(1, NumberedMessage(place, said, size_bytes=size)))
    await storage.commit(changes)
    await storage.aclose()
    return state.epoch, log.last_seq


def _conversation() -> Iterator[LoggedEvent]:
    yield UserMessage(_MODEL, "How tall does bamboo grow?", run_id=_RUN)
    yield AgentStart(_MODEL, run_id=_RUN)
    yield AgentToken(_MODEL, "Forty metres. ", run_id=_RUN)
    yield AgentComplete(_MODEL, TokenUsage(7, 3, 10), run_id=_RUN)


_SAID = (
    HistoryMessage("user", "How tall does bamboo grow?", _RUN, int(time.time() * 1000)),
    HistoryMessage("assistant", "Forty metres.", _RUN, int(time.time() * 1000)),
)
