"""The tables of the file, which version of them it has, and how an older one is brought forward."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from ..errors import StorageError
from .sqlite_migrations import MIGRATIONS, Migration

APPLICATION_ID = 0x42414D42
"""`BAMB` in the file's header: whose file it is."""

# `number` is a session's or channel's; times are whole milliseconds, where no unit is named, as on the wire.
# Entries and messages stand in the order of their keys and nowhere else: one tree to write for each, and
# what is read or deleted together lies together. That of a log which is already forgotten, but not yet gone,
# is before `log.first_seq`, or its owner is in `dropped`: `sqlite_sweep` takes it away a little at a time.
TABLES = (
    """
    CREATE TABLE store (
        epoch TEXT NOT NULL,
        is_at_risk INTEGER NOT NULL, -- it is being written without waiting for the disk
        last_number INTEGER NOT NULL, -- the greatest that a session was ever given
        lowest_channel INTEGER NOT NULL, -- the lowest that a channel was ever given
        log_bytes INTEGER NOT NULL -- of all bodies in `entry`
    )
    """,
    """
    CREATE TABLE session (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        user_id TEXT NOT NULL,
        name TEXT,
        metadata TEXT NOT NULL, -- JSON
        created_at INTEGER NOT NULL, -- microseconds
        last_activity INTEGER NOT NULL, -- microseconds
        channels TEXT NOT NULL -- JSON: [name, number] of each
    )
    """,
    "CREATE INDEX session_of_user ON session (user_id)",
    """
    CREATE TABLE owner (
        user_id TEXT PRIMARY KEY,
        sessions INTEGER NOT NULL -- at least one
    ) WITHOUT ROWID
    """,
    "CREATE INDEX session_by_activity ON session (last_activity)",
    """
    CREATE TABLE share (
        session INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        access TEXT NOT NULL,
        PRIMARY KEY (session, user_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX share_of_user ON share (user_id)",
    """
    CREATE TABLE channel (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        members INTEGER NOT NULL,
        user_id TEXT
    )
    """,
    """
    CREATE TABLE log (
        number INTEGER PRIMARY KEY,
        first_seq INTEGER NOT NULL, -- the oldest entry; last_seq + 1: there is none
        last_seq INTEGER NOT NULL, -- the greatest ever committed
        first_ts INTEGER, -- of the oldest entry
        swept_seq INTEGER NOT NULL -- nothing is left before it
    )
    """,
    "CREATE INDEX log_by_age ON log (first_ts) WHERE first_ts IS NOT NULL",
    "CREATE INDEX log_unswept ON log (number) WHERE swept_seq < first_seq",
    """
    CREATE TABLE entry (
        log INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        ts INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (log, seq)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE message (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        body TEXT NOT NULL, -- JSON
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE run (
        position INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        chat TEXT NOT NULL, -- JSON
        UNIQUE (session, run_id)
    )
    """,
    """
    CREATE TABLE outcome (
        position INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        user_id TEXT NOT NULL, -- empty: the session's owner
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        ts INTEGER NOT NULL,
        is_open INTEGER NOT NULL,
        answer TEXT NOT NULL, -- JSON, as on the wire
        UNIQUE (session, user_id, kind, id)
    )
    """,
    "CREATE INDEX outcome_by_age ON outcome (ts)",
    "CREATE TABLE dropped (number INTEGER PRIMARY KEY)",
    "CREATE TABLE temporary (number INTEGER PRIMARY KEY)",
)


@attrs.frozen
class Schema:
    """The tables of one version, and the way to it from each one before."""

    tables: Sequence[str]
    migrations: Sequence[Migration] = ()
    """From version 1 to 2, from 2 to 3 …"""

    @property
    def version(self) -> int:
        """Stands as `user_version` in the file."""
        return len(self.migrations) + 1

    def columns(self) -> Mapping[str, frozenset[str]]:
        """Table → its columns."""
        connection = sqlite3.connect(":memory:")
        try:
            for statement in self.tables:
                connection.execute(statement)
            return read_columns(connection)
        finally:
            connection.close()


SCHEMA = Schema(TABLES, MIGRATIONS)


@attrs.frozen
class MigrationStep:
    """How far a file has been brought from one version to the next."""

    before: int
    after: int
    """The versions."""
    done: int
    total: int
    """Statements; how long each takes depends on what is in the file."""


def create_tables(connection: sqlite3.Connection, epoch: str, schema: Schema = SCHEMA) -> None:
    """Make the tables in an empty file, inside a transaction that is not its own."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {schema.version}")
    for statement in schema.tables:
        connection.execute(statement)
    connection.execute("INSERT INTO store VALUES (?, 0, 0, 0, 0)", (epoch,))


def read_version(connection: sqlite3.Connection) -> int:
    """Of the tables that are there."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def read_columns(connection: sqlite3.Connection) -> Mapping[str, frozenset[str]]:
    """Table → its columns, as they are."""
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    named = "SELECT name FROM pragma_table_info(?)"
    return {table: frozenset(name for (name,) in connection.execute(named, (table,))) for (table,) in tables}


def refuse_newer(version: int, path: Path, schema: Schema = SCHEMA) -> None:
    """
    Leave a file alone that a newer gateway has written.

    Raises:
        StorageError: It has; both versions are named.
    """
    if version > schema.version:
        raise StorageError(
            f"{path}: its tables are of version {version}, and this gateway knows them up to "
            f"{schema.version}: a newer one has written it. Use that one, or another file"
        )


def migrate(
    connection: sqlite3.Connection,
    schema: Schema = SCHEMA,
    report: Callable[[MigrationStep], None] = lambda _: None,
) -> None:
    """
    Bring the tables forward, a version at a time; each version is there as a whole or not at all.

    *report* is called before each statement, and when the version is reached.
    """
    while (version := read_version(connection)) < schema.version:
        connection.execute("BEGIN IMMEDIATE")
        try:
            statements = schema.migrations[version - 1]
            for number, statement in enumerate(statements):
                report(MigrationStep(version, version + 1, number, len(statements)))
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
            report(MigrationStep(version, version + 1, len(statements), len(statements)))
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def check_tables(connection: sqlite3.Connection, path: Path, schema: Schema = SCHEMA) -> None:
    """
    See that the tables are those that this version knows, and that each can be read.

    It looks at a page or two of each, so it takes no longer with a great file.

    Raises:
        StorageError: There is one column or table too many or too few; it is named.
    """
    found, expected = read_columns(connection), schema.columns()
    for table in sorted(found.keys() | expected.keys()):
        ours, theirs = expected.get(table, frozenset()), found.get(table, frozenset())
        if odd := sorted(ours ^ theirs):
            what = "lacks" if odd[0] in ours else "has, unknown to this version,"
            raise StorageError(
                f"{path}: it {what} the column {table}.{odd[0]}; another program or version has changed it. "
                "Put a backup in its place, or use another file"
            )
        connection.execute(f"SELECT 1 FROM {table} NOT INDEXED LIMIT 1").fetchone()  # noqa: S608 -- a name from above
