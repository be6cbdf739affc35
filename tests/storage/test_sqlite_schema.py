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
    Schema,
    check_tables,
    create_tables,
    migrate,
    read_version,
    refuse_newer,
)

# A made-up past and present: people were called by one name, then by two, then they had a colour.
VERSION_1 = "CREATE TABLE person (name TEXT)"


def two_names(connection: sqlite3.Connection) -> None:
    """From 1 to 2."""
    connection.execute("ALTER TABLE person ADD COLUMN family TEXT NOT NULL DEFAULT ''")
    connection.execute(
        "UPDATE person SET family = substr(name, instr(name, ' ') + 1),"
        " name = substr(name, 1, instr(name, ' ') - 1)"
    )


def colours(connection: sqlite3.Connection) -> None:
    """From 2 to 3."""
    connection.execute("CREATE TABLE colour (name TEXT)")


def half_way(connection: sqlite3.Connection) -> None:
    """From 2 to 3, by somebody who did not try it."""
    connection.execute("CREATE TABLE colour (name TEXT)")
    connection.execute("UPDATE person SET name = 'nobody'")
    connection.execute("INSERT INTO nowhere VALUES (1)")


VERSION_3 = Schema(
    ["CREATE TABLE person (name TEXT, family TEXT)", "CREATE TABLE colour (name TEXT)"], [two_names, colours]
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


def test_a_step_that_fails_has_not_been_made(old: sqlite3.Connection) -> None:
    """Those before it have; so the file is of one version, and the next start goes on from there."""
    broken = Schema(VERSION_3.tables, [two_names, half_way])
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
        assert read_version(connection) == SCHEMA.version == 2
        check_tables(connection, tmp_path)
