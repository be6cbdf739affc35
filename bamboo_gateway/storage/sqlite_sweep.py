"""
What nobody may ask for any more, taken out of the file a little at a time.

To forget is quick, and hides a thing at once: a log's `first_seq` moves on, a
session is put into `dropped`. To delete the rows takes as long as there are
many of them, and is done in steps, so that no commit waits for long.
"""

from __future__ import annotations

import sqlite3

import attrs

from .sqlite_rows import INT64_MAX, bounded

STEP = 1000
"""What is done at once: rows, and pages of larger ones; some milliseconds of work."""

_PAGE = 4096
_LOGS = 64
"""Logs and sessions of one step."""


def add_to_store(
    connection: sqlite3.Connection, last_number: int = 0, lowest_channel: int = 0, log_bytes: int = 0
) -> None:
    """Count what was added, or, below 0, taken away; and which numbers were given."""
    if last_number or lowest_channel or log_bytes:
        connection.execute(
            "UPDATE store SET last_number = max(last_number, ?), lowest_channel = min(lowest_channel, ?),"
            " log_bytes = log_bytes + ?",
            (last_number, lowest_channel, log_bytes),
        )


@attrs.frozen
class _Oldest:
    """The oldest entries of a log that may go."""

    end: int
    """The first `seq` that stays."""
    size_bytes: int
    cost: int
    """Of a step."""


def _find_oldest(
    connection: sqlite3.Connection,
    number: int,
    before_seq: int,
    step: int,
    *,
    last_ts: int = INT64_MAX,
    surplus: int = INT64_MAX,
) -> _Oldest:
    """Find the oldest entries of a log: one *step*, none after *last_ts*, until *surplus* is reached."""
    size_bytes = cost = 0
    find = "SELECT seq, ts, length(body) FROM entry WHERE log = ? AND seq < ? ORDER BY seq LIMIT ?"
    found = connection.execute(find, (number, before_seq, step + 1)).fetchall()
    for seq, ts, size in found:
        if ts > last_ts or size_bytes >= surplus or cost >= step:
            return _Oldest(seq, size_bytes, cost)
        size_bytes += size
        cost += 1 + size // _PAGE
    return _Oldest(found[-1][0] + 1 if found else before_seq, size_bytes, cost)


# ── to delete what is forgotten ──────────────────────────────────────────────


def sweep(connection: sqlite3.Connection, step: int = STEP) -> bool:
    """Delete some of what is forgotten; False: there is none."""
    unswept = "SELECT number, first_seq FROM log WHERE swept_seq < first_seq LIMIT ?"
    logs = connection.execute(unswept, (_LOGS,)).fetchall()
    for number, first_seq in logs:
        oldest = _delete_oldest(connection, number, first_seq, step)
        connection.execute("UPDATE log SET swept_seq = ? WHERE number = ?", (oldest.end, number))
        step -= oldest.cost
        if step <= 0:
            return True
    dropped = connection.execute("SELECT number FROM dropped LIMIT ?", (_LOGS,)).fetchall()
    for (number,) in dropped:
        step -= sweep_owner(connection, number, step)
        if step <= 0:
            return True
        connection.execute("DELETE FROM dropped WHERE number = ?", (number,))
    return bool(logs or dropped)


# Of a session or channel that was dropped: table → its key beside the session.
_OWNED = {"message": "number", "outcome": "position"}


def sweep_owner(connection: sqlite3.Connection, number: int, step: int) -> int:
    """Delete what was a session's or channel's; returns what it cost, less than *step* if nothing is left."""
    cost = _delete_oldest(connection, number, INT64_MAX, step).cost
    for table, key in _OWNED.items():
        if cost < step:
            cost += connection.execute(
                f"DELETE FROM {table} WHERE session = ? AND {key} IN"  # noqa: S608 -- names from above
                f" (SELECT {key} FROM {table} WHERE session = ? LIMIT ?)",
                (number, number, step - cost),
            ).rowcount
    return cost


def _delete_oldest(connection: sqlite3.Connection, number: int, before_seq: int, step: int) -> _Oldest:
    oldest = _find_oldest(connection, number, before_seq, step)
    connection.execute("DELETE FROM entry WHERE log = ? AND seq < ?", (number, oldest.end))
    add_to_store(connection, log_bytes=-oldest.size_bytes)
    return oldest


# ── to forget what is old, or too much ───────────────────────────────────────


def expire(connection: sqlite3.Connection, before: int, max_log_bytes: int, outcomes_before: int) -> bool:
    """Do one step of `SessionStorage.expire`; False: there is nothing left to do."""
    # What is swept first is not counted twice.
    if sweep(connection):
        return True
    if _forget_old(connection, bounded(before)) or _forget_surplus(connection, max_log_bytes):
        sweep(connection)
        return True
    old = "DELETE FROM outcome WHERE position IN (SELECT position FROM outcome WHERE ts < ? LIMIT ?)"
    return connection.execute(old, (bounded(outcomes_before), STEP)).rowcount > 0


def _forget_old(connection: sqlite3.Connection, before: int) -> bool:
    """Cut logs up to their first entry that is not older than *before*."""
    old = "SELECT number FROM log WHERE first_ts < ? ORDER BY first_ts LIMIT ?"
    logs = connection.execute(old, (before, _LOGS)).fetchall()
    step = STEP
    for (number,) in logs:
        if step > 0:
            oldest = _find_oldest(connection, number, INT64_MAX, step, last_ts=before - 1)
            _cut(connection, number, oldest.end)
            step -= oldest.cost
    return bool(logs)


def _forget_surplus(connection: sqlite3.Connection, max_log_bytes: int) -> bool:
    """Cut the logs that begin with the oldest entries, until all together are small enough."""
    [log_bytes] = connection.execute("SELECT log_bytes FROM store").fetchone()
    is_over, step = False, STEP
    surplus: int = log_bytes - max_log_bytes
    # The oldest entry of all is the first of its log; it and those after it go, up to the next log's first.
    find = "SELECT number, first_ts FROM log WHERE first_ts IS NOT NULL ORDER BY first_ts, number LIMIT 2"
    while surplus > 0 and step > 0 and (heads := connection.execute(find).fetchall()):
        number, first_ts = heads[0]
        last_ts = max(first_ts, heads[1][1] - 1) if len(heads) > 1 else INT64_MAX
        oldest = _find_oldest(connection, number, INT64_MAX, step, last_ts=last_ts, surplus=surplus)
        _cut(connection, number, oldest.end)
        surplus -= oldest.size_bytes
        step -= oldest.cost
        is_over = True
    return is_over


def _cut(connection: sqlite3.Connection, number: int, first_seq: int) -> None:
    connection.execute(
        "UPDATE log SET first_seq = ?, first_ts = (SELECT ts FROM entry WHERE log = ? AND seq = ?)"
        " WHERE number = ?",
        (first_seq, number, first_seq, number),
    )
