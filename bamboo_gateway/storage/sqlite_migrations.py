"""How a file of each older version is brought to the next one; what is there once never changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Migration: TypeAlias = Sequence[str]
"""The statements that bring the tables from one version to the next, inside a transaction."""

_TO_2 = (
    """
    CREATE TABLE share (
        session INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        access TEXT NOT NULL,
        PRIMARY KEY (session, user_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX share_of_user ON share (user_id)",
    "ALTER TABLE channel ADD COLUMN user_id TEXT",
    # An empty list is the same in both versions.
    """
    UPDATE session SET channels = (
        SELECT json_group_array(json_array(name, channel.number)) FROM channel
        WHERE name IN (SELECT value FROM json_each(session.channels)) AND channel.number < 0
    ) WHERE channels != '[]'
    """,
    # A column of a unique key cannot be added.
    "ALTER TABLE outcome RENAME TO outcome_1",
    """
    CREATE TABLE outcome (
        position INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        user_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        ts INTEGER NOT NULL,
        is_open INTEGER NOT NULL,
        answer TEXT NOT NULL,
        UNIQUE (session, user_id, kind, id)
    )
    """,
    """
    INSERT INTO outcome SELECT position, session, '', kind, id, fingerprint, ts, is_open, answer
    FROM outcome_1
    """,
    "DROP TABLE outcome_1",
    "CREATE INDEX outcome_by_age ON outcome (ts)",
    # How many sessions there are is counted for each user.
    """
    CREATE TABLE owner (
        user_id TEXT PRIMARY KEY,
        sessions INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "INSERT INTO owner SELECT user_id, count(*) FROM session GROUP BY user_id",
    "ALTER TABLE store RENAME TO store_1",
    """
    CREATE TABLE store (
        epoch TEXT NOT NULL,
        is_at_risk INTEGER NOT NULL,
        last_number INTEGER NOT NULL,
        lowest_channel INTEGER NOT NULL,
        log_bytes INTEGER NOT NULL
    )
    """,
    """
    INSERT INTO store SELECT epoch, is_at_risk, last_number,
        (SELECT coalesce(min(number), 0) FROM channel), log_bytes FROM store_1
    """,
    "DROP TABLE store_1",
)
"""
From 1 to 2: sessions are shared and channels owned, so more than one person is in a session.

A session knows its channels by their numbers, too, and an outcome whose
message it was: of all those that there are, the owner's.
"""

_TO_3 = ("CREATE TABLE temporary (number INTEGER PRIMARY KEY)",)
"""From 2 to 3: which sessions go with their last watcher is known to the next gateway as well."""

MIGRATIONS: tuple[Migration, ...] = (_TO_2, _TO_3)
"""From version 1 to 2, from 2 to 3 …"""
