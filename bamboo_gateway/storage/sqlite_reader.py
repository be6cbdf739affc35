"""What is in the file, read back: each function is one look at it, inside a transaction of its caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ..session.history import NumberedMessage
from ..session.log import Entry, LogLimits
from ..session.session import Session
from ..session.stored import StoredChannel, StoredLog, StoredSession, StoredState
from .sqlite_errors import UnreadableRowError
from .sqlite_rows import (
    INT64_MAX,
    SESSION_COLUMNS,
    SESSION_NUMBER,
    Row,
    bounded,
    entry_of,
    message_of,
    outcome_of,
    run_of,
    session_of,
    share_of,
)

SESSIONS = f"SELECT {SESSION_COLUMNS}, last_seq FROM session JOIN log USING (number)"  # noqa: S608 -- a constant
"""Finds what `session_from` reads."""


def read_state(connection: sqlite3.Connection, limits: LogLimits) -> StoredState:
    """What a gateway begins with; the time it takes does not grow with the sessions."""
    epoch, last_number, lowest_channel = connection.execute(
        "SELECT epoch, last_number, lowest_channel FROM store"
    ).fetchone()
    sessions = connection.execute("SELECT user_id, sessions FROM owner")
    find_channels = "SELECT number, name, members, user_id FROM channel ORDER BY number DESC"
    channels = connection.execute(find_channels).fetchall()
    unfinished = "SELECT id FROM session WHERE number IN (SELECT session FROM run) ORDER BY number"
    temporary = "SELECT id FROM session WHERE number IN (SELECT number FROM temporary) ORDER BY number"
    return StoredState(
        epoch,
        dict(sessions.fetchall()),
        last_number,
        lowest_channel,
        tuple(
            StoredChannel(number, name, members, user_id, read_log(connection, number, limits))
            for number, name, members, user_id in channels
        ),
        tuple(session_id for (session_id,) in connection.execute(unfinished)),
        tuple(session_id for (session_id,) in connection.execute(temporary)),
    )


_ALL = LogLimits(max_events=-1, max_bytes=INT64_MAX)
"""What SQL takes for no limit."""


def read_log(connection: sqlite3.Connection, number: int, limits: LogLimits) -> StoredLog:
    """The newest entries of a log, as many as *limits* let it keep, and one at least."""
    find = "SELECT first_seq, last_seq FROM log WHERE number = ?"
    first_seq, last_seq = connection.execute(find, (number,)).fetchone()
    rows = connection.execute(
        "SELECT seq, ts, kind, body FROM entry WHERE log = ? AND seq >= ? ORDER BY seq DESC LIMIT ?",
        (number, first_seq, limits.max_events),
    )
    entries: list[Entry] = []
    size_bytes = 0
    for row in rows:
        size_bytes += len(row[3])
        if size_bytes > limits.max_bytes and entries:
            break
        if row[0] != last_seq - len(entries):
            break
        entries.append(entry_of(row, number))
    if not entries and first_seq <= last_seq:
        raise UnreadableRowError(f"log {number} lacks its last entry, {last_seq}")
    entries.reverse()
    return StoredLog(last_seq, tuple(entries))


def load(
    connection: sqlite3.Connection, session_id: str, limits: LogLimits, history_bytes: int
) -> StoredSession | None:
    """All that is needed to go on with a session; None: there is none."""
    epoch = read_epoch(connection)
    row = connection.execute(f"{SESSIONS} WHERE id = ?", (session_id,)).fetchone()
    if row is None:
        return None
    session = session_from(connection, row, epoch)
    number = session.number
    find_runs = "SELECT run_id, chat FROM run WHERE session = ? ORDER BY position"
    runs = tuple(run_of(run) for run in connection.execute(find_runs, (number,)))
    outcomes = connection.execute(
        "SELECT user_id, kind, id, fingerprint, ts, is_open, answer FROM outcome"
        " WHERE session = ? ORDER BY ts, position",
        (number,),
    )
    return StoredSession(
        session,
        read_log(connection, number, _ALL if runs else limits),
        _newest_messages(connection, number, history_bytes),
        runs,
        tuple(outcome_of(outcome) for outcome in outcomes),
    )


def _newest_messages(
    connection: sqlite3.Connection, number: int, history_bytes: int
) -> Sequence[NumberedMessage]:
    """Those of *history_bytes*; at least the last, and the one that it answers, if it is still running."""
    messages: list[NumberedMessage] = []
    find = "SELECT number, seq, size_bytes, body FROM message WHERE session = ? ORDER BY number DESC"
    for row in connection.execute(find, (number,)):
        history_bytes -= row[2]
        is_enough = messages and (messages[0].message.status != "running" or len(messages) > 1)
        if history_bytes < 0 and is_enough:
            break
        messages.append(message_of(row, number))
    messages.reverse()
    return tuple(messages)


def session_from(connection: sqlite3.Connection, row: Row, epoch: str) -> Session:
    """What `SESSIONS` has found, with its shares."""
    shares = "SELECT user_id, access FROM share WHERE session = ?"
    found = connection.execute(shares, (row[SESSION_NUMBER],))
    return session_of(row, dict(map(share_of, found)), epoch)


def read_messages(
    connection: sqlite3.Connection, session_id: str, first: int, end: int
) -> Sequence[NumberedMessage]:
    """A part of a session's conversation."""
    find = "SELECT number FROM session WHERE id = ?"
    found: Row | None = connection.execute(find, (session_id,)).fetchone()
    if found is None:
        return []
    rows = connection.execute(
        "SELECT number, seq, size_bytes, body FROM message"
        " WHERE session = ? AND number >= ? AND number < ? ORDER BY number",
        (found[0], first, end),
    )
    return [message_of(row, found[0]) for row in rows]


def find_inactive(connection: sqlite3.Connection, since: float, limit: int) -> Sequence[str]:
    """The ids of the sessions that have done nothing since a moment, oldest first."""
    rows = connection.execute(
        "SELECT id FROM session WHERE last_activity <= ? ORDER BY last_activity, number LIMIT ?",
        (bounded(since * 1_000_000), limit),
    )
    return [session_id for (session_id,) in rows]


def read_epoch(connection: sqlite3.Connection) -> str:
    """Of all logs."""
    [epoch] = connection.execute("SELECT epoch FROM store").fetchone()
    return str(epoch)
