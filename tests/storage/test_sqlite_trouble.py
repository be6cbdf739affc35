"""Real trouble with the file in use: it is told, loses nothing acknowledged, and ends with its cause."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.errors import StorageError
from bamboo_gateway.protocol.messages import Chat, ChatAccepted
from bamboo_gateway.session.effects import Deliver, SaveMessage, SaveOutcome, SaveRun, SaveSession, SaveShare
from bamboo_gateway.session.history import HistoryMessage, NumberedMessage
from bamboo_gateway.session.log import Log
from bamboo_gateway.session.outcomes import MessageKey, Outcome
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.cli.process import HANG, ROOT
from tests.small_disk import small_disk
from tests.storage.stage import (
    HISTORY_BYTES,
    LIMITS,
    another_program,
    execute,
    opened,
    seqs,
    session,
    token,
    tokens,
)

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "gateway.db"


def damage(path: Path, find: bytes) -> None:
    """Overwrite the page that holds some text."""
    content = bytearray(path.read_bytes())
    start = content.index(find) // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)


# ── no room ──────────────────────────────────────────────────────────────────


async def fill(storage: SQLiteStorage, size_bytes: int) -> tuple[int, str]:
    """Commit entries of a size, ten at a time, until there is no room; returns the last, and the error."""
    last = 0
    try:
        while True:
            await storage.commit(tokens(range(last + 1, last + 11), text="x" * size_bytes))
            last += 10
    except StorageError as error:
        return last, str(error)


async def test_a_full_disk_takes_no_more_until_there_is_room() -> None:
    """What failed is not there, what was acknowledged is, and the same commit succeeds when there is room."""
    with small_disk(1024 * 1024) as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(300_000))
        async with opened(disk / "gateway.db") as storage:
            await storage.commit([SaveSession(session())])
            last, error = await fill(storage, 500)
            assert f"{disk}/gateway.db: " in error
            assert "make room" in error
            assert await seqs(storage) == list(range(1, last + 1))
            ballast.unlink()
            await storage.commit(tokens(range(last + 1, last + 11), text="x" * 500))
        async with opened(disk / "gateway.db") as storage:
            assert await seqs(storage) == list(range(1, last + 11))


async def test_a_full_disk_still_tells_what_it_holds() -> None:
    """The disk is full to the last byte, and the process ends like that: the next one finds all."""
    with small_disk(1024 * 1024) as disk:
        async with opened(disk / "gateway.db") as storage:
            await storage.commit([SaveSession(session())])
            last, _ = await fill(storage, 5_000)
            found, _ = await fill_up(storage, last)
        async with opened(disk / "gateway.db") as storage:
            assert await seqs(storage) == list(range(1, found + 1))


async def fill_up(storage: SQLiteStorage, last: int) -> tuple[int, str]:
    """Commit small entries until there is no room for the smallest."""
    try:
        while True:
            await storage.commit(tokens([last + 1]))
            last += 1
    except StorageError as error:
        return last, str(error)


def test_a_file_that_may_not_grow_takes_no_more_until_it_may(path: Path) -> None:
    """The same for a limit of the process; it needs no rights, so it is tested everywhere."""
    done = run("tests.storage.full_disk", path)
    error, last = done.stdout.splitlines()
    assert error.startswith(f"{path}: ")
    assert int(last) > 100


# ── others ───────────────────────────────────────────────────────────────────


async def test_a_locked_file_is_waited_for_and_then_told(path: Path) -> None:
    """Another program's transaction holds commits up, for a second or as long as it lasts; reads go on."""
    async with opened(path) as storage:
        with another_program(path) as other:
            await storage.commit([SaveSession(session())])
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match=r"gateway\.db: database is locked .*another program"):
                await storage.commit(tokens([1]))
            assert await seqs(storage) == []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(storage.commit, tokens([1]))
                await wait_all_tasks_blocked()
                other.execute("ROLLBACK")
        assert await seqs(storage) == [1]


async def test_a_file_that_became_read_only(path: Path) -> None:
    """It can still be read, and is written again when it may be."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        file = storage._file
        assert file is not None
        file.writer.get().execute("PRAGMA query_only = ON")
        with pytest.raises(StorageError, match=r"gateway\.db: .*readonly .*writable"):
            await storage.commit(tokens([1]))
        assert await seqs(storage) == []
        await storage.commit(tokens([1]))
        assert await seqs(storage) == [1]


async def test_a_file_that_this_user_may_not_write() -> None:
    """It is refused as a whole, by name, and taken when its mode is right."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        path = Path(folder) / "gateway.db"
        async with opened(path) as storage:
            await storage.commit([SaveSession(session())])
        path.chmod(0o444)
        Path(f"{path}.lock").chmod(0o666)
        with as_nobody(), pytest.raises(StorageError, match=r"gateway\.db: .*writable"):
            await SQLiteStorage(path).open(LIMITS)
        path.chmod(0o666)
        with as_nobody():
            async with opened(path) as storage:
                assert await seqs(storage) == []


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write anything, so be somebody else."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_file_that_was_moved_away(path: Path) -> None:
    """SQLite would write on into what has no name; it is told instead, and all goes on when it is back."""
    elsewhere = path.with_name("elsewhere.db")
    async with opened(path) as storage:
        await storage.commit([SaveSession(session())])
        path.rename(elsewhere)
        for is_replaced in (False, True):
            if is_replaced:
                path.touch()
            with pytest.raises(StorageError, match="moved away or replaced"):
                await storage.commit(tokens([1]))
            with pytest.raises(StorageError, match="moved away or replaced"):
                await seqs(storage)
        elsewhere.rename(path)
        await storage.commit(tokens([1]))
        assert await seqs(storage) == [1]


# ── damage ───────────────────────────────────────────────────────────────────


async def test_damage_concerns_what_it_has_damaged(path: Path) -> None:
    """The file is named when what is broken is read, and the rest of it still serves."""
    async with opened(path) as storage:
        await storage.commit([SaveSession(session(1)), SaveSession(session(2))])
        await storage.commit(tokens(range(1, 2_001), text="first") + tokens(range(1, 11), 2))
    damage(path, b"first 1000.")
    async with opened(path) as storage:
        for _ in range(2):
            with pytest.raises(StorageError, match=r"gateway\.db: .*damaged"):
                await seqs(storage)
        assert await seqs(storage, 2) == list(range(1, 11))
        await storage.commit(tokens(range(11, 21), 2))
        with pytest.raises(StorageError, match=r"gateway\.db: .*damaged"):
            await storage.expire(2**50, 0, 0)
        assert await seqs(storage, 2) == list(range(1, 21))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE entry SET kind = 'agent_thought'", "agent_thought"),
        ("DELETE FROM entry WHERE seq = 2", "lacks its last entry"),
        ("""UPDATE message SET body = json_set(body, '$.mood', 'merry')""", "mood"),
        ("""UPDATE message SET body = json_remove(body, '$.role')""", "role"),
        ("UPDATE message SET body = 'no json'", "is no JSON"),
        ("UPDATE message SET body = '[]'", "cannot be read"),
        ("UPDATE session SET metadata = '{'", "metadata"),
        ("UPDATE session SET channels = '{}'", "list of channels"),
        ("UPDATE session SET channels = '[\"ab\"]'", "list of channels"),
        ("UPDATE share SET access = 'dance'", "'bob' is granted is 'dance'"),
        ("UPDATE session SET name = CAST(x'ff' AS TEXT)", "damaged"),
    ],
)
async def test_what_cannot_be_understood_is_named(path: Path, statement: str, named: str) -> None:
    """What a newer version has written, or nobody, is neither dropped silently nor guessed."""
    said = NumberedMessage(0, HistoryMessage("user", "hi", "r1", 0))
    async with opened(path) as storage:
        shared = SaveShare(1, "bob", "read")
        await storage.commit([SaveSession(session()), *tokens([1, 2]), SaveMessage(1, said), shared])
    execute(path, statement)
    async with opened(path) as storage:
        with pytest.raises(StorageError, match=rf"gateway\.db: .*{named}"):
            await storage.load("s1", LIMITS, HISTORY_BYTES)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE outcome SET answer = json_set(answer, '$.type', 'chat_pondered')", "chat_pondered"),
        ("UPDATE outcome SET answer = 'no'", "answer to chat 'a'"),
        ("UPDATE run SET chat = json_set(chat, '$.mood', 'merry')", "mood"),
    ],
)
async def test_what_was_promised_is_not_guessed_either(path: Path, statement: str, named: str) -> None:
    """The same for answers and turns."""
    outcome = Outcome(MessageKey("chat", "a", "f"), 1, ChatAccepted("s1", "r1"))
    async with opened(path) as storage:
        await storage.commit(
            [SaveSession(session()), SaveOutcome(1, outcome), SaveRun(1, "r1", Chat("hi", "s1"))]
        )
    execute(path, statement)
    async with opened(path) as storage:
        with pytest.raises(StorageError, match=rf"gateway\.db: .*{named}"):
            await storage.load("s1", LIMITS, HISTORY_BYTES)


async def test_a_channel_that_cannot_be_understood_is_no_start(path: Path) -> None:
    """A gateway begins with all channels; one that cannot lets the file go, for another one to try."""
    broadcasts = Log("*", "epoch", LIMITS, channel="*")
    async with opened(path) as storage:
        await storage.commit([Deliver(broadcasts, token(1, "all"))])
    execute(path, "UPDATE entry SET kind = 'agent_thought'")
    with pytest.raises(StorageError, match=r"gateway\.db: entry 1 of log 0 .*agent_thought"):
        await SQLiteStorage(path).open(LIMITS)
    execute(path, "UPDATE entry SET kind = 'agent_token'")
    async with opened(path) as storage:
        await storage.commit([Deliver(broadcasts, token(2, "all"))])


# ── the end of the process ───────────────────────────────────────────────────


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(path: Path) -> None:
    """kill -9 in the midst of writing, several times over the same file; the lock goes with the process."""
    acknowledged = 0
    for lines in (1, 20, 50, 120, 200):
        with start("tests.storage.writer", path) as process:
            assert process.stdout is not None
            told = [process.stdout.readline() for _ in range(lines)]
            process.send_signal(signal.SIGKILL)
            told += process.stdout.readlines()
            process.wait(HANG)
        acknowledged = int([line for line in told if line.endswith("\n")][-1])
        found = trio.run(look, path)
        assert found == list(range(found[0], found[-1] + 1))
        assert found[-1] >= acknowledged
    assert acknowledged > 391


async def look(path: Path) -> list[int]:
    """What the next process finds."""
    async with opened(path) as storage:
        return await seqs(storage)


@contextmanager
def start(module: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a module of the tests on a file."""
    command = [sys.executable, "-W", "error", "-m", module, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def run(module: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a module of the tests on a file, to its end."""
    command = [sys.executable, "-W", "error", "-m", module, str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=HANG, check=True)


async def test_another_process_is_refused_while_one_lives(path: Path) -> None:
    """Two gateways on one file would each believe to know all: the second is told which one is there."""
    with start("tests.storage.writer", path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(StorageError, match=rf"gateway\.db: another gateway .*{process.pid}"):
            await SQLiteStorage(path).open(LIMITS)
        process.kill()
        process.wait(HANG)
        async with opened(path) as storage:
            assert await seqs(storage)
