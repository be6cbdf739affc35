from __future__ import annotations

import os
from pathlib import Path

import pytest

from bamboo_gateway.errors import StorageError
from bamboo_gateway.session.effects import SaveSession
from bamboo_gateway.storage.sqlite_schema import SCHEMA
from bamboo_gateway.storage.sqlite_survey import survey
from tests.storage.stage import contents, crash_image, execute, opened, session, tokens


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "gateway.db"


async def fill(path: Path) -> None:
    """Make a file with something in it."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session()), *tokens(range(1, 2_001))])


async def test_a_file_that_is_whole_is_looked_through_and_left_as_it_is(path: Path) -> None:
    """Nothing is written, and nothing made beside it."""
    await fill(path)
    before = sorted(path.parent.iterdir()), path.read_bytes()
    found = survey(path, 10.0)
    assert (found.version, found.size_bytes) == (SCHEMA.version, path.stat().st_size)
    assert (found.is_there, found.holder, found.is_older, found.was_cut_short) == (True, None, False, False)
    assert (sorted(path.parent.iterdir()), path.read_bytes()) == before


async def test_what_a_crash_has_left_in_the_write_ahead_log_is_looked_at_as_well(
    path: Path, tmp_path: Path
) -> None:
    """And it stays there: the next gateway needs it."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session()), *tokens(range(1, 2_001))])
        image = crash_image(path, tmp_path / "image")
    before = contents(image.parent)
    assert survey(image, 10.0).version == SCHEMA.version
    assert contents(image.parent) == before


def test_a_file_that_is_not_there_is_none(path: Path) -> None:
    """Nor is one without a byte: a gateway makes both."""
    assert not survey(path, 10.0).is_there
    path.touch()
    assert not survey(path, 10.0).is_there


async def test_a_gateway_that_uses_it_is_named(path: Path) -> None:
    """By its process; and it is not disturbed."""
    async with opened(path) as storage:
        assert survey(path, 10.0).holder == str(os.getpid())
        await storage.commit([SaveSession(session())])
    assert survey(path, 10.0).holder is None


async def test_an_older_file_will_be_brought_forward(path: Path) -> None:
    """Not by looking at it."""
    await fill(path)
    execute(path, f"PRAGMA user_version = {SCHEMA.version - 1}")
    assert survey(path, 10.0).is_older
    assert survey(path, 10.0).version == SCHEMA.version - 1


async def test_there_may_be_no_time_to_look_at_all_of_it(path: Path) -> None:
    """A file may be a terabyte."""
    await fill(path)
    assert survey(path, -1.0).was_cut_short


async def test_a_file_that_a_gateway_would_refuse_is_refused(path: Path, tmp_path: Path) -> None:
    """A newer one, another program's, one with other tables, none at all; the text says which."""
    await fill(path)
    execute(path, f"PRAGMA user_version = {SCHEMA.version + 1}")
    with pytest.raises(StorageError, match="a newer one has written it"):
        survey(path, 10.0)
    execute(path, f"PRAGMA user_version = {SCHEMA.version}", "ALTER TABLE session ADD COLUMN more")
    with pytest.raises(StorageError, match=r"has, unknown to this version, the column session\.more"):
        survey(path, 10.0)
    other = tmp_path / "other.db"
    execute(other, "PRAGMA application_id = 7", "CREATE TABLE t (x)")
    with pytest.raises(StorageError, match="the database of another program"):
        survey(other, 10.0)
    text = tmp_path / "text"
    text.write_text("no database")
    with pytest.raises(StorageError, match="it is no SQLite database"):
        survey(text, 10.0)
    with pytest.raises(StorageError, match="Is a directory"):
        survey(tmp_path, 10.0)


async def test_damage_in_the_midst_of_it_is_found(path: Path) -> None:
    """Though every table can be begun to be read."""
    await fill(path)
    content = path.read_bytes()
    page = content.index(b"token", len(content) // 2) // 4096 * 4096
    path.write_bytes(content[:page] + os.urandom(4096) + content[page + 4096 :])
    with pytest.raises(StorageError, match="the file is damaged"):
        survey(path, 10.0)
