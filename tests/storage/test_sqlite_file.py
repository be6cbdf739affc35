"""Which files are taken: one of ours, of a version that is known, whole, and used by nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bamboo_gateway.session.effects import SaveSession
from bamboo_gateway.storage.sqlite_schema import SCHEMA
from tests.storage.stage import crash_image, execute, opened, refusal, seqs, session, tokens


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "gateway.db"


async def fill(path: Path) -> None:
    """Make a file with something in it."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session()), *tokens(range(1, 2_001))])


def overwrite(path: Path, start: int, content: bytes) -> None:
    """Change some bytes of a file."""
    old = path.read_bytes()
    path.write_bytes(old[:start] + content + old[start + len(content) :])


async def test_a_second_gateway_is_refused(path: Path, tmp_path: Path) -> None:
    """Under any of the file's names; when the first has gone, it is taken."""
    link = tmp_path / "link.db"
    link.symlink_to(path)
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        for name in (path, link, tmp_path / "." / "gateway.db"):
            assert "another gateway uses it" in await refusal(name)
    async with opened(link) as storage:
        assert await seqs(storage) == []


async def test_what_a_link_names_is_made_there(tmp_path: Path) -> None:
    """A link whose file is not there yet stays a link."""
    link, path = tmp_path / "link.db", tmp_path / "there" / "gateway.db"
    link.symlink_to(path)
    async with opened(link) as storage:
        await storage.commit([SaveSession(session())])
    assert link.is_symlink()
    assert path.exists()


@pytest.mark.parametrize("content", [b"Dear diary", b"SQLite format 3\0", b"x" * 10_000])
async def test_a_file_that_is_no_database_is_refused(path: Path, content: bytes) -> None:
    """Somebody's text is not overwritten because its name was given."""
    path.write_bytes(content)
    assert "no SQLite database" in await refusal(path)


async def test_a_folder_is_refused(path: Path) -> None:
    """It is named, with what is wrong about it."""
    path.mkdir()
    assert "Is a directory" in await refusal(path)


@pytest.mark.parametrize("application_id", [0, 42])
async def test_another_program_s_database_is_refused(path: Path, application_id: int) -> None:
    """It is not ours to put tables into."""
    execute(path, f"PRAGMA application_id = {application_id}", "CREATE TABLE diary (day)")
    assert "another program" in await refusal(path)


async def test_a_newer_version_s_file_is_refused(path: Path) -> None:
    """Both versions are named, and the file is as it was."""
    await fill(path)
    execute(path, "PRAGMA user_version = 99")
    text = await refusal(path)
    assert "version 99" in text
    assert f"up to {SCHEMA.version}" in text


@pytest.mark.parametrize(
    ("statement", "named"),
    [("PRAGMA user_version = 99", "version 99"), ("CREATE TABLE diary (day)", "diary.day")],
)
async def test_a_file_is_refused_after_a_crash_as_well(
    path: Path, tmp_path: Path, statement: str, named: str
) -> None:
    """What is wrong with it may stand in the write-ahead log only; that stays where it is, too."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        image = crash_image(path, tmp_path / "crashed")
        execute(path, statement)
        refused = crash_image(path, tmp_path / "refused")
    assert named in await refusal(refused)
    async with opened(image) as storage:
        assert await seqs(storage) == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE session ADD COLUMN colour TEXT", "session.colour"),
        ("ALTER TABLE session DROP COLUMN name", "session.name"),
        ("CREATE TABLE diary (day)", "diary.day"),
        ("DROP TABLE run", "run.chat"),
    ],
)
async def test_unknown_columns_are_refused(path: Path, statement: str, named: str) -> None:
    """What is in them would be lost or missed without a word."""
    await fill(path)
    execute(path, statement)
    assert named in await refusal(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: overwrite(path, 0, b"\0" * 100),
        lambda path: overwrite(path, 100, b"\xa5" * 3_000),
        lambda path: path.write_bytes(path.read_bytes()[:5_000]),
        lambda path: overwrite(path, 4_096, b"\xa5" * 4_096),
    ],
    ids=["the header", "the tables' names", "the end is missing", "a table's beginning"],
)
async def test_a_damaged_file_is_refused(path: Path, damage: Callable[[Path], object]) -> None:
    """What can be seen at a glance is seen before anything is written; the file is left as it is."""
    await fill(path)
    damage(path)
    assert "damaged" in await refusal(path)


async def test_a_write_ahead_log_without_its_file_is_not_taken_for_nothing(
    path: Path, tmp_path: Path
) -> None:
    """It holds what was committed last, and would be mixed into a new file."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session()), *tokens([1])])
        image = crash_image(path, tmp_path / "crashed")
    moved = image.rename(image.with_name("moved.db"))
    assert "gateway.db-wal is" in await refusal(image)
    moved.rename(image)
    async with opened(image) as storage:
        assert await seqs(storage) == [1]


async def test_a_file_that_was_half_made_is_made_anew(path: Path) -> None:
    """Who was killed while it made its file has left a part under another name, and nothing is in it."""
    path.with_name("gateway.db.new").write_bytes(b"SQLite format 3\0 and no more")
    path.with_name("gateway.db.new-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
    assert sorted(file.name for file in path.parent.iterdir()) == ["gateway.db", "gateway.db.lock"]
