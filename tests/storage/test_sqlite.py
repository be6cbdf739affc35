"""Storage in an SQLite file, beyond what every storage promises (see `tests/contracts/test_storage.py`)."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.session.effects import (
    Deliver,
    DropSession,
    SaveChannel,
    SaveMessage,
    SaveSession,
    Trim,
)
from bamboo_gateway.session.history import HistoryMessage, NumberedMessage, ToolRecord
from bamboo_gateway.session.log import Log
from bamboo_gateway.storage import sqlite_reader
from bamboo_gateway.storage.sqlite_file import WAL_BYTES
from tests.storage.stage import (
    HISTORY_BYTES,
    LIMITS,
    another_program,
    begun,
    crash_image,
    execute,
    log,
    opened,
    refusal,
    seqs,
    session,
    token,
    tokens,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "gateway.db"


# ── the file ─────────────────────────────────────────────────────────────────


async def test_it_makes_its_folders_and_itself_for_one_user_alone(tmp_path: Path) -> None:
    """What is said in sessions is nobody else's to read."""
    path = tmp_path / "new" / "folder" / "gateway.db"
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_it_can_be_told_to_make_nothing(tmp_path: Path) -> None:
    """A command that looks at sessions, given a wrong path, says so and leaves no new file behind."""
    text = await refusal(tmp_path / "gateway.db", create=False)
    assert "there is no such storage" in text
    (tmp_path / "empty.db").touch()
    assert "there is no such storage" in await refusal(tmp_path / "empty.db", create=False)
    assert [file.name for file in tmp_path.iterdir()] == ["empty.db"]


async def test_an_empty_file_is_one_to_be_made(path: Path) -> None:
    """`touch` is a way to choose a place."""
    path.touch()
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])


async def test_a_command_can_look_at_it_and_delete(path: Path) -> None:
    """What a stopped gateway has left is listed, read and deleted with the same class."""
    said = NumberedMessage(0, HistoryMessage("user", "hi", "r1", 0))
    async with opened(path) as storage:
        await storage.commit([SaveSession(session(1)), SaveSession(session(2)), SaveMessage(1, said)])
    async with opened(path, create=False) as storage:
        assert [it.id for it in await storage.list(None, 0, 10)] == ["s1", "s2"]
        assert list(await storage.read_messages("s1", 0, 10)) == [said]
        await storage.commit([DropSession("s1")])
    async with opened(path) as storage:
        assert [it.id for it in await storage.list(None, 0, 10)] == ["s2"]


async def test_messages_of_an_older_version_are_read(path: Path) -> None:
    """What it did not store of them is not known, and nothing else is missing."""
    older = (
        '{"role":"assistant","content":"hi","run_id":"r1","ts":7,"status":"failed","tool_calls":'
        '[{"id":"a","tool":"t","args":null,"result":"x","ok":true}],"truncated":false}'
    )
    async with opened(path) as storage:
        await storage.commit([SaveSession(session(1))])
    execute(path, f"INSERT INTO message VALUES (1, 0, 0, 600, '{older}')")  # noqa: S608 -- a constant
    call = ToolRecord("a", "t", None, "x", ok=True)
    said = HistoryMessage("assistant", "hi", "r1", 7, "failed", (call,))
    async with opened(path) as storage:
        assert list(await storage.read_messages("s1", 0, 10)) == [NumberedMessage(0, said, size_bytes=600)]


async def test_a_path_may_hold_anything(tmp_path: Path) -> None:
    """A name with the signs of a URI in it is a name."""
    path = tmp_path / "a b?c#d%41é.db"
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
    assert path.exists()


async def test_nothing_is_left_beside_it_when_it_was_closed(path: Path) -> None:
    """The file is all there is to copy; and the lock file holds nothing."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session()), *tokens(range(1, 100))])
    assert sorted(file.name for file in path.parent.iterdir()) == ["gateway.db", "gateway.db.lock"]


async def test_the_write_ahead_log_is_bounded(path: Path) -> None:
    """Many times its bound is written, and it does not grow beyond that and a bit."""
    wal = path.with_name("gateway.db-wal")
    text = "x" * 100_000
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        for first in range(1, 601, 20):
            await storage.commit([*tokens(range(first, first + 20), text=text), Trim(log(), first)])
            assert wal.stat().st_size <= WAL_BYTES + 20 * len(text)
            await seqs(storage)


async def test_the_place_of_what_was_deleted_is_used_again(path: Path) -> None:
    """A log that is written and cut for ever does not make the file grow for ever."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        sizes = []
        for first in range(1, 20_001, 500):
            await storage.commit([*tokens(range(first, first + 500)), Trim(log(), first)])
            sizes.append(path.stat().st_size)
    assert max(sizes) <= 2 * sizes[10]


# ── to begin ─────────────────────────────────────────────────────────────────


async def test_to_begin_takes_no_longer_with_many_sessions(tmp_path: Path) -> None:
    """What is looked at does not grow with what is stored: the steps of SQLite's machine are counted."""
    steps = []
    for count in (10, 3_000):
        path = tmp_path / f"{count}.db"
        async with opened(path) as storage:
            await storage.commit([SaveSession(session(number)) for number in range(1, count + 1)])
        with another_program(path) as connection:
            steps.append(count_steps(connection))
    few, many = steps
    assert many == few > 0


def count_steps(connection: sqlite3.Connection) -> int:
    """How many instructions it takes to read what a gateway begins with."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(step, 1)
    sqlite_reader.read_state(connection, LIMITS)
    connection.set_progress_handler(None, 1)
    return count


async def test_broadcasts_need_no_channel_made_for_them(path: Path) -> None:
    """The log of broadcasts is kept from its first entry on; that of a channel that is not there, never."""
    async with opened(path) as storage:
        for number, name in ((0, "*"), (-1, "news")):
            its_log = Log(name, "epoch", LIMITS, channel=name, number=number)
            await storage.commit([Deliver(its_log, token(1, "all"))])
    async with begun(path) as (storage, state):
        [channel] = state.channels
        assert (channel.number, channel.name, channel.members) == (0, "*", 0)
        assert [entry.seq for entry in channel.log.entries] == [1]
        await storage.commit([SaveChannel(0, "*", 2)])


# ── the epoch ────────────────────────────────────────────────────────────────


async def test_the_epoch_stays_while_nothing_can_be_lost(path: Path, tmp_path: Path) -> None:
    """With `full`, clients may come back to what they know after any end, a crash as well."""
    async with begun(path) as (storage, first):
        await storage.commit([SaveSession(session())])
        image = crash_image(path, tmp_path / "crashed")
    for file in (path, image):
        async with begun(file) as (storage, state):
            assert state.epoch == first.epoch
            assert await storage.load("s1", LIMITS, HISTORY_BYTES) is not None


@pytest.mark.parametrize("then", ["normal", "full"])
async def test_a_crash_begins_a_new_epoch_where_the_disk_was_not_waited_for(
    path: Path, tmp_path: Path, then: str
) -> None:
    """With `normal` a power cut may take the newest commits; that it was one, nobody can tell afterwards."""
    async with begun(path, synchronous="normal") as (storage, first):
        await storage.commit([SaveSession(session())])
        image = crash_image(path, tmp_path / "crashed")
    async with begun(image, synchronous=then) as (_, crashed):
        assert crashed.epoch != first.epoch
    async with begun(image, synchronous="full") as (_, again):
        assert again.epoch == crashed.epoch
    async with begun(path, synchronous=then) as (_, closed):
        assert closed.epoch == first.epoch


async def test_every_file_has_an_epoch_of_its_own(tmp_path: Path) -> None:
    """A client that comes to another storage is told so."""
    async with begun(tmp_path / "a.db") as (_, one), begun(tmp_path / "b.db") as (_, other):
        assert one.epoch != other.epoch


# ── threads ──────────────────────────────────────────────────────────────────


async def test_a_cancelled_commit_that_has_begun_is_carried_out(path: Path) -> None:
    """Nothing is left half done in a thread that nobody waits for."""
    async with opened(path) as storage:
        with another_program(path) as other:
            other.execute("BEGIN IMMEDIATE")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(storage.commit, [SaveSession(session())])
                await wait_all_tasks_blocked()
                nursery.cancel_scope.cancel()
                other.execute("ROLLBACK")
        assert await storage.load("s1", LIMITS, HISTORY_BYTES) is not None


async def test_a_read_does_not_wait_for_a_commit(path: Path) -> None:
    """Who comes back is served while the disk is busy with others, and finds what was committed."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        with another_program(path) as other:
            other.execute("BEGIN IMMEDIATE")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(storage.commit, tokens([1]))
                await wait_all_tasks_blocked()
                assert await seqs(storage) == []
                assert len(await storage.list(None, 0, 10)) == 1
                other.execute("ROLLBACK")
        assert await seqs(storage) == [1]


async def test_a_commit_comes_between_the_steps_of_an_expiry(path: Path) -> None:
    """A great deal to delete holds nobody up: a commit that comes later is done sooner."""
    order = []

    async def expire() -> None:
        await storage.expire(2**50, 0, 0)
        order.append("expired")

    async with opened(path) as storage:
        await storage.commit([SaveSession(session()), *tokens(range(1, 10_001))])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(expire)
            await wait_all_tasks_blocked()
            await storage.commit([SaveSession(session(2))])
            order.append("committed")
        assert order == ["committed", "expired"]
        assert await seqs(storage) == []


async def test_closing_is_not_prevented_by_cancellation(path: Path) -> None:
    """A gateway that is cancelled leaves the file as one that is stopped."""
    with trio.CancelScope() as scope:
        async with opened(path) as storage:
            await storage.commit([SaveSession(session())])
            scope.cancel()
    assert not path.with_name("gateway.db-wal").exists()
    async with opened(path) as storage:
        assert len(await storage.list(None, 0, 10)) == 1


async def test_a_bug_is_not_taken_for_a_fault_of_the_disk(path: Path) -> None:
    """What no gateway can ask for is an error of its own kind, and nothing of the batch is left."""
    async with opened(path) as storage:
        with pytest.raises(KeyError):
            await storage.commit([SaveSession(session()), "no change"])  # type: ignore[list-item]  # on purpose
        assert await storage.load("s1", LIMITS, HISTORY_BYTES) is None
        await storage.commit([SaveSession(session())])
