"""One batch of changes, written inside the transaction that makes it durable."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from ..session.effects import (
    Change,
    Deliver,
    DropChannel,
    DropOutcome,
    DropRun,
    DropSession,
    DropShare,
    SaveChannel,
    SaveMessage,
    SaveOutcome,
    SaveRun,
    SaveSession,
    SaveShare,
    Trim,
)
from .sqlite_rows import (
    INT64_MAX,
    KEPT_COLUMNS,
    KIND_TAGS,
    SESSION_COLUMNS,
    SESSION_NUMBER,
    Row,
    message_row,
    outcome_row,
    session_row,
    to_json,
)
from .sqlite_sweep import STEP, add_to_store, sweep, sweep_owner

_CHANGED = SESSION_COLUMNS.split(", ")[KEPT_COLUMNS:]
_UPDATE_SESSION = (
    f"UPDATE session SET ({', '.join(_CHANGED)}) = ({', '.join('?' * len(_CHANGED))}) WHERE number = ?"  # noqa: S608 -- constants
)


@attrs.define
class _LogRow:
    """A row of `log`, as this batch has it."""

    first_seq: int
    last_seq: int
    first_ts: int | None
    is_grown: bool = False
    is_cut: bool = False


class Batch:
    """
    The changes of one transaction, in order.

    Entries are the mass of them. They are held back and written all at once,
    before anything that takes entries away, and at the end: none of the other
    changes can tell the difference.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._connection = connection
        self._logs: dict[int, _LogRow | None] = {}
        self._entries: list[Row] = []
        self._sessions: Counter[str] = Counter()
        """User id → how many more they have than before."""
        self._last_number = 0
        self._lowest_channel = 0
        self._log_bytes = 0
        self._is_dropping = False

    def apply(self, changes: Sequence[Change]) -> None:
        """Write *changes*; what has no owner is nothing."""
        for change in changes:
            _APPLY[type(change)](self, change)
        self._write_entries()
        self._write_logs()
        self._write_owners()
        add_to_store(self._connection, self._last_number, self._lowest_channel, self._log_bytes)
        if self._is_dropping:
            # More where the batch is greater: what is forgotten must not outgrow what is added.
            sweep(self._connection, STEP + 2 * len(changes))

    # ── logs ─────────────────────────────────────────────────────────────────

    def deliver(self, change: Deliver) -> None:
        """Add an entry, unless it is there, or was: a batch that was not acknowledged may come again."""
        entry, number = change.entry, change.log.number
        log = self._logs.get(number) or self._find_log(number)
        if log is None:
            if number:
                return
            # The channel of broadcasts need not be made.
            self.save_channel(SaveChannel(0, change.log.name, 0))
            log = self._find_log(0)
            assert log is not None
        seq = entry.seq
        if seq <= log.last_seq:
            return
        if log.first_ts is None or seq != log.last_seq + 1:
            log.first_seq, log.first_ts, log.is_cut = seq, entry.ts, True
        log.last_seq, log.is_grown = seq, True
        self._log_bytes += len(entry.body)
        self._entries.append((number, seq, entry.ts, KIND_TAGS[entry.kind], entry.body))

    def trim(self, change: Trim) -> None:
        """Cut a log; what is before the cut is swept away afterwards."""
        number = change.log.number
        log = self._find_log(number)
        if log is None or change.first_seq <= log.first_seq:
            return
        self._write_entries()
        log.first_seq = min(change.first_seq, log.last_seq + 1)
        find = "SELECT ts FROM entry WHERE log = ? AND seq = ?"
        row = self._execute(find, (number, log.first_seq)).fetchone()
        log.first_ts = row[0] if row else None
        log.is_cut = self._is_dropping = True

    def _find_log(self, number: int) -> _LogRow | None:
        """A log's row; None: it has no owner."""
        if number not in self._logs:
            find = "SELECT first_seq, last_seq, first_ts FROM log WHERE number = ?"
            row = self._execute(find, (number,)).fetchone()
            self._logs[number] = _LogRow(*row) if row else None
        return self._logs[number]

    def _make_log(self, number: int) -> None:
        self._execute("INSERT INTO log VALUES (?, 1, 0, NULL, 1)", (number,))
        self._logs[number] = _LogRow(1, 0, None)

    def _write_entries(self) -> None:
        self._executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", self._entries)
        self._entries.clear()

    def _write_logs(self) -> None:
        logs = [(number, log) for number, log in self._logs.items() if log is not None]
        # The start of a log is indexed, and moves seldom.
        self._executemany(
            "UPDATE log SET last_seq = ? WHERE number = ?",
            [(log.last_seq, number) for number, log in logs if log.is_grown],
        )
        self._executemany(
            "UPDATE log SET first_seq = ?, first_ts = ? WHERE number = ?",
            [(log.first_seq, log.first_ts, number) for number, log in logs if log.is_cut],
        )

    def _write_owners(self) -> None:
        counts = [(user_id, count) for user_id, count in self._sessions.items() if count]
        self._executemany(
            "INSERT INTO owner VALUES (?, ?)"
            " ON CONFLICT (user_id) DO UPDATE SET sessions = sessions + excluded.sessions",
            counts,
        )
        gone = [(user_id,) for user_id, count in counts if count < 0]
        self._executemany("DELETE FROM owner WHERE user_id = ? AND sessions = 0", gone)

    # ── sessions and channels ────────────────────────────────────────────────

    def save_session(self, change: SaveSession) -> None:
        """Write a session, old or new."""
        row = session_row(change.session)
        changed = row[KEPT_COLUMNS:]
        if self._execute(_UPDATE_SESSION, (*changed, row[SESSION_NUMBER])).rowcount:
            return
        self.drop_session(DropSession(change.session.id))
        number = change.session.number
        self._take_number(number)
        insert = f"INSERT INTO session ({SESSION_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 -- a constant
        self._execute(insert, row)
        if change.session.is_temporary:
            self._execute("INSERT INTO temporary VALUES (?)", (number,))
        self._make_log(number)
        self._sessions[change.session.user_id] += 1
        self._last_number = max(self._last_number, number)

    def drop_session(self, change: DropSession) -> None:
        """Forget a session; what was its own is swept away afterwards."""
        find = "SELECT number, user_id FROM session WHERE id = ?"
        found = self._execute(find, (change.session_id,)).fetchone()
        if found is None:
            return
        number, user_id = found
        self._write_entries()
        for statement in (
            "DELETE FROM session WHERE number = ?",
            "DELETE FROM log WHERE number = ?",
            "DELETE FROM run WHERE session = ?",
            "DELETE FROM share WHERE session = ?",
            "DELETE FROM temporary WHERE number = ?",
            "INSERT INTO dropped VALUES (?)",
        ):
            self._execute(statement, (number,))
        self._logs[number] = None
        self._sessions[user_id] -= 1
        self._is_dropping = True

    def save_channel(self, change: SaveChannel) -> None:
        """Write a channel, old or new."""
        row = (change.name, change.members, change.user_id, change.number)
        update = "UPDATE channel SET name = ?, members = ?, user_id = ? WHERE number = ?"
        if not self._execute(update, row).rowcount:
            self._take_number(change.number)
            self._execute("INSERT INTO channel (name, members, user_id, number) VALUES (?, ?, ?, ?)", row)
            self._make_log(change.number)
            self._lowest_channel = min(self._lowest_channel, change.number)

    def drop_channel(self, change: DropChannel) -> None:
        """Forget a channel; its log is swept away afterwards."""
        found = (change.number,)
        if not self._execute("DELETE FROM channel WHERE number = ?", found).rowcount:
            return
        self._write_entries()
        self._execute("DELETE FROM log WHERE number = ?", found)
        self._execute("INSERT INTO dropped VALUES (?)", found)
        self._logs[change.number] = None
        self._is_dropping = True

    def _take_number(self, number: int) -> None:
        """Give a number to what is new; if the same batch comes again, nothing that it dropped comes back."""
        if self._execute("DELETE FROM dropped WHERE number = ?", (number,)).rowcount:
            sweep_owner(self._connection, number, INT64_MAX - 1)

    # ── what belongs to a session ────────────────────────────────────────────

    def save_share(self, change: SaveShare) -> None:
        """Write a share, old or new."""
        if self._find_log(change.owner):
            row = (change.owner, change.user_id, change.access)
            self._execute("REPLACE INTO share VALUES (?, ?, ?)", row)

    def drop_share(self, change: DropShare) -> None:
        """Forget a share."""
        self._execute("DELETE FROM share WHERE session = ? AND user_id = ?", (change.owner, change.user_id))

    def save_message(self, change: SaveMessage) -> None:
        """Write a message, old or new."""
        if self._find_log(change.owner):
            row = message_row(change.owner, change.message)
            self._execute("REPLACE INTO message VALUES (?, ?, ?, ?, ?)", row)

    def save_run(self, change: SaveRun) -> None:
        """Write a turn; one that is there keeps its place."""
        if self._find_log(change.owner):
            self._execute(
                "INSERT INTO run (session, run_id, chat) VALUES (?, ?, ?)"
                " ON CONFLICT (session, run_id) DO UPDATE SET chat = excluded.chat",
                (change.owner, change.run_id, to_json(change.chat)),
            )

    def drop_run(self, change: DropRun) -> None:
        """Forget a turn."""
        self._execute("DELETE FROM run WHERE session = ? AND run_id = ?", (change.owner, change.run_id))

    def save_outcome(self, change: SaveOutcome) -> None:
        """Write an outcome; it is the newest now."""
        if self._find_log(change.owner):
            self._execute(
                "REPLACE INTO outcome (session, user_id, kind, id, fingerprint, ts, is_open, answer)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                outcome_row(change.owner, change.outcome),
            )

    def drop_outcome(self, change: DropOutcome) -> None:
        """Forget an outcome."""
        self._execute(
            "DELETE FROM outcome WHERE session = ? AND kind = ? AND id = ? AND user_id = ?",
            (change.owner, *change.key.place),
        )


_APPLY: dict[type, Callable[[Batch, Any], None]] = {
    Deliver: Batch.deliver,
    Trim: Batch.trim,
    SaveSession: Batch.save_session,
    DropSession: Batch.drop_session,
    SaveChannel: Batch.save_channel,
    DropChannel: Batch.drop_channel,
    SaveShare: Batch.save_share,
    DropShare: Batch.drop_share,
    SaveMessage: Batch.save_message,
    SaveRun: Batch.save_run,
    DropRun: Batch.drop_run,
    SaveOutcome: Batch.save_outcome,
    DropOutcome: Batch.drop_outcome,
}
