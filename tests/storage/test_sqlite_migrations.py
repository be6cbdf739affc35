"""Files of older versions: each is made as its version made it, and has all that was in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bamboo_gateway.protocol.messages import ChatAccepted
from bamboo_gateway.session.effects import SaveShare
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.outcomes import MessageKey
from bamboo_gateway.storage.sqlite import SQLiteStorage
from bamboo_gateway.storage.sqlite_schema import APPLICATION_ID, SCHEMA, read_columns, read_version

WIDE = LogLimits(max_events=10_000, max_bytes=2**30)

# As they were, word for word but for comments: what they have made is out there.
VERSION_1 = """
    CREATE TABLE store (
        epoch TEXT NOT NULL,
        is_at_risk INTEGER NOT NULL,
        sessions INTEGER NOT NULL,
        last_number INTEGER NOT NULL,
        log_bytes INTEGER NOT NULL
    );
    CREATE TABLE session (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        user_id TEXT NOT NULL,
        name TEXT,
        metadata TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_activity INTEGER NOT NULL,
        channels TEXT NOT NULL
    );
    CREATE INDEX session_of_user ON session (user_id);
    CREATE INDEX session_by_activity ON session (last_activity);
    CREATE TABLE channel (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        members INTEGER NOT NULL
    );
    CREATE TABLE log (
        number INTEGER PRIMARY KEY,
        first_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        first_ts INTEGER,
        swept_seq INTEGER NOT NULL
    );
    CREATE INDEX log_by_age ON log (first_ts) WHERE first_ts IS NOT NULL;
    CREATE INDEX log_unswept ON log (number) WHERE swept_seq < first_seq;
    CREATE TABLE entry (
        log INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        ts INTEGER NOT NULL,
        kind TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY (log, seq)
    ) WITHOUT ROWID;
    CREATE TABLE message (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (session, number)
    ) WITHOUT ROWID;
    CREATE TABLE run (
        position INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        run_id TEXT NOT NULL,
        chat TEXT NOT NULL,
        UNIQUE (session, run_id)
    );
    CREATE TABLE outcome (
        position INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        ts INTEGER NOT NULL,
        is_open INTEGER NOT NULL,
        answer TEXT NOT NULL,
        UNIQUE (session, kind, id)
    );
    CREATE INDEX outcome_by_age ON outcome (ts);
    CREATE TABLE dropped (number INTEGER PRIMARY KEY);
"""

CONTENT = """
    INSERT INTO store VALUES ('epoch', 0, 3, 9, 24);
    INSERT INTO session VALUES
        (1, 's1', 'ann', 'tea', '{"a":1}', 1000000, 2000000, '["news","talk"]'),
        (2, 's2', 'bob', NULL, '{}', 1000000, 2000000, '[]'),
        (3, 's3', 'ann', NULL, '{}', 1000000, 2000000, '["talk"]');
    INSERT INTO channel VALUES (0, '*', 0), (-1, 'news', 1), (-4, 'talk', 2);
    INSERT INTO log VALUES
        (1, 1, 1, 5, 1), (2, 1, 0, NULL, 1), (3, 1, 0, NULL, 1),
        (0, 1, 0, NULL, 1), (-1, 1, 0, NULL, 1), (-4, 1, 0, NULL, 1);
    INSERT INTO entry VALUES (1, 1, 5, 'agent_token', '{"session_id":"s1","token":"hi","seq":1,"ts":5}');
    INSERT INTO message VALUES
        (1, 0, 1, 9, '{"role":"user","content":"hi","run_id":"r1","ts":1}');
    INSERT INTO run VALUES (1, 1, 'r1', '{"content":"hi","session_id":"s1"}');
    INSERT INTO outcome VALUES
        (1, 1, 'chat', 'a', 'f', 7, 0, '{"type":"chat_accepted","session_id":"s1","run_id":"r1"}'),
        (2, 1, 'command', 'a', 'g', 8, 0, '{"type":"chat_accepted","session_id":"s1","run_id":"r2"}');
"""


def make_old(path: Path) -> Path:
    """Make a file of version 1, with something of everything in it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;")
        connection.executescript(VERSION_1)
        connection.executescript(CONTENT)
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The file of an older gateway."""
    return make_old(tmp_path / "gateway.db")


async def test_what_version_1_had_is_there(old: Path) -> None:
    """Sessions with all that is theirs, in the channels that they were in, and shared with nobody."""
    storage = SQLiteStorage(old)
    state = await storage.open(WIDE)
    assert (state.epoch, state.sessions, state.last_number) == ("epoch", {"ann": 2, "bob": 1}, 9)
    assert state.lowest_channel == -4
    assert [(each.number, each.name, each.members, each.user_id) for each in state.channels] == [
        (0, "*", 0, None),
        (-1, "news", 1, None),
        (-4, "talk", 2, None),
    ]
    sessions = await storage.list(None, 0, 9)
    assert [(each.id, each.user_id, each.channels, each.shares) for each in sessions] == [
        ("s1", "ann", {"news": -1, "talk": -4}, {}),
        ("s2", "bob", {}, {}),
        ("s3", "ann", {"talk": -4}, {}),
    ]
    stored = await storage.load("s1", WIDE, 10**6)
    assert stored is not None
    assert (stored.session.name, stored.session.metadata, stored.log.last_seq) == ("tea", {"a": 1}, 1)
    assert [each.message.content for each in stored.messages] == ["hi"]
    assert [each.run_id for each in stored.runs] == ["r1"]
    assert [(each.key, each.answer) for each in stored.outcomes] == [
        (MessageKey("chat", "a", "f"), ChatAccepted("s1", "r1")),
        (MessageKey("command", "a", "g"), ChatAccepted("s1", "r2")),
    ]
    await storage.commit([SaveShare(1, "bob", "read")])
    assert [each.id for each in await storage.list("bob", 0, 9)] == ["s1", "s2"]
    await storage.aclose()


async def test_a_file_that_came_forward_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    """And the same indexes: nothing is slower, or refused, because a file is old."""
    for path in (old, tmp_path / "new.db"):
        storage = SQLiteStorage(path)
        await storage.open(WIDE)
        await storage.aclose()
    found = []
    for path in (old, tmp_path / "new.db"):
        with closing(sqlite3.connect(path)) as connection:
            assert read_version(connection) == SCHEMA.version
            indexes = connection.execute(
                "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1, 2"
            )
            found.append((read_columns(connection), indexes.fetchall()))
    assert found[0] == found[1]
