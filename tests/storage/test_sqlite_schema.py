"""The tables by their versions: how an older file comes forward, whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bamboo_gateway.errors import StorageError
from bamboo_gateway.storage.sqlite_schema import (
    SCHEMA,
    MigrationStep,
    Schema,
    check_tables,
    create_tables,
    migrate,
    read_version,
    refuse_newer,
)

# A made-up past and present: people were called by one name, then by two, then they had a colour.
VERSION_1 = "CREATE TABLE person (name TEXT)"


TWO_NAMES = (
    "ALTER TABLE person ADD COLUMN family TEXT NOT NULL DEFAULT ''",
    """
    UPDATE person SET family = substr(name, instr(name, ' ') + 1),
        name = substr(name, 1, instr(name, ' ') - 1)
    """,
)
"""From 1 to 2."""

COLOURS = ("CREATE TABLE colour (name TEXT)",)
"""From 2 to 3."""

HALF_WAY = (*COLOURS, "UPDATE person SET name = 'nobody'", "INSERT INTO nowhere VALUES (1)")
"""From 2 to 3, by somebody who did not try it."""

VERSION_3 = Schema(
    ["CREATE TABLE person (name TEXT, family TEXT)", "CREATE TABLE colour (name TEXT)"], [TWO_NAMES, COLOURS]
)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A file of version 1, with somebody in it."""
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as connection:
        connection.execute(VERSION_1)
        connection.execute("INSERT INTO person VALUES ('Ann Bee')")
        connection.execute("PRAGMA user_version = 1")
        yield connection


def test_an_older_file_comes_forward(old: sqlite3.Connection, tmp_path: Path) -> None:
    """Through each version between, with all that it holds; and the next time there is nothing to do."""
    for _ in range(2):
        migrate(old, VERSION_3)
        assert read_version(old) == 3
        assert old.execute("SELECT * FROM person").fetchall() == [("Ann", "Bee")]
        check_tables(old, tmp_path, VERSION_3)


def test_it_is_told_how_far_a_file_has_come(old: sqlite3.Connection) -> None:
    """Before each statement, and at the end of each version; nothing, where there is nothing to do."""
    steps: list[MigrationStep] = []
    for _ in range(2):
        migrate(old, VERSION_3, steps.append)
    assert [(step.before, step.after, step.done, step.total) for step in steps] == [
        *((1, 2, 0, 2), (1, 2, 1, 2), (1, 2, 2, 2)),
        *((2, 3, 0, 1), (2, 3, 1, 1)),
    ]


def test_a_step_that_fails_has_not_been_made(old: sqlite3.Connection) -> None:
    """Those before it have; so the file is of one version, and the next start goes on from there."""
    broken = Schema(VERSION_3.tables, [TWO_NAMES, HALF_WAY])
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            migrate(old, broken)
        assert read_version(old) == 2
        assert old.execute("SELECT * FROM person").fetchall() == [("Ann", "Bee")]
        assert not old.in_transaction
    migrate(old, VERSION_3)
    assert read_version(old) == 3


def test_a_newer_file_is_refused(old: sqlite3.Connection, tmp_path: Path) -> None:
    """An older program would not see what it does not know, and spoil it."""
    refuse_newer(3, tmp_path, VERSION_3)
    with pytest.raises(StorageError, match="version 4, and this gateway knows them up to 3"):
        refuse_newer(4, tmp_path, VERSION_3)


def test_tables_that_are_made_are_those_that_are_expected(tmp_path: Path) -> None:
    """A new file has the present version, and passes for it."""
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as connection:
        create_tables(connection, "epoch")
        assert read_version(connection) == SCHEMA.version == 3
        check_tables(connection, tmp_path)
