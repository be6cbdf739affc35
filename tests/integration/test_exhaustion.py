"""The real command line without descriptors, or without its storage, under load."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.cli.process import Serving, serving
from tests.connection.raw_client import HANG, RawClient
from tests.integration.neighbour import AGENT, beside, port_of
from tests.integration.size import is_soak
from tests.plain_wire import Event
from tests.stream_client import StreamClient, dial

pytestmark = [pytest.mark.integration, pytest.mark.soak]

ROOM = 20
"""Descriptors that are left to the process."""

NEWCOMERS = 60
OUTAGES = 20 if is_soak() else 2
CLIENTS = 12


# ── descriptors ──────────────────────────────────────────────────────────────


@contextmanager
def room_for(served: Serving, more: int) -> Iterator[None]:
    """Let the process have so many descriptors more, and none beyond."""
    pid = served.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    # A limit is one of numbers, and there may be gaps below the greatest that is in use.
    numbers = {int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()}
    free = (number for number in range(10**6) if number not in numbers)
    limit = [next(free) for _ in range(more)][-1] + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def test_the_gateway_outlives_its_descriptors() -> None:
    """
    Whoever is connected is served on; who comes then waits, and is let in when there is room again.

    The log has one line for the beginning of it, and one for its end.
    """
    with serving("--agent", AGENT) as served:
        async with beside(served), trio.open_nursery() as nursery:
            arrived = [trio.Event() for _ in range(NEWCOMERS)]
            may_leave = trio.Event()

            async def come(number: int) -> None:
                client = RawClient(await trio.open_tcp_stream("127.0.0.1", port_of(served)))
                await client.connect(protocol=2)
                arrived[number].set()
                await may_leave.wait()
                await client.leave()

            with room_for(served, ROOM):
                for number in range(NEWCOMERS):
                    nursery.start_soon(come, number)
                await _read_line(served, "cannot accept")
                assert not all(event.is_set() for event in arrived)
            with trio.fail_after(HANG):
                for event in arrived:
                    await event.wait()
            may_leave.set()
        code, _, log = served.stop()
    assert code == 0
    assert "Traceback" not in log
    assert log.count("cannot accept") == 0, "it was said once, and that is read"
    assert log.count("accepting again") == 1


async def _read_line(served: Serving, words: str) -> None:
    """Wait until the log says so."""
    assert served.process.stderr is not None
    with trio.fail_after(HANG):
        while words not in await trio.to_thread.run_sync(served.process.stderr.readline):
            pass


# ── storage ──────────────────────────────────────────────────────────────────


class Talker:
    """A client that says numbered chats, and each again until it is taken."""

    def __init__(self, client: StreamClient) -> None:
        self.taken: dict[str, str] = {}
        """The turn of each chat."""
        self.refusals = 0
        self.client = client

    async def talk(self, until: trio.Event) -> None:
        """Until then."""
        while not until.is_set():
            await self.say(f"m{len(self.taken)}")

    async def say(self, chat_id: str) -> None:
        """Say one chat until it is taken."""
        while chat_id not in self.taken:
            await self.client.say("chat", id=chat_id, content="x", session_id=self.client.session_id)
            answer = await self._answer(chat_id)
            if answer["type"] == "chat_accepted":
                self.taken[chat_id] = answer["run_id"]
                continue
            assert answer["code"] in ("STORAGE_UNAVAILABLE", "QUEUE_FULL"), answer
            self.refusals += 1
            await trio.sleep(0.05)

    async def _answer(self, chat_id: str) -> Event:
        while True:
            event = await self.client.next("chat_accepted", "error")
            if event.get("id") == chat_id:
                return event

    async def judge(self) -> None:
        """Each chat that was taken stands once in the conversation, and no other does."""
        messages: list[Event] = []
        before: int | None = None
        while before is None or before > 0:
            args = {"limit": 100, "before": before}
            await self.client.say("command", name="session.history", args=args)
            page = (await self.client.next("command_result"))["result"]
            messages, before = page["messages"] + messages, page["first"]
        asked = {each["run_id"] for each in messages if each["role"] == "user"}
        assert len(asked) == sum(each["role"] == "user" for each in messages)
        assert asked == set(self.taken.values())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes to the file, and takes its time."""
    other = sqlite3.connect(path, isolation_level=None, timeout=30.0)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@pytest.mark.slow
async def test_a_storage_that_fails_under_load_loses_nothing(tmp_path: Path) -> None:
    """
    Who chats is told to ask again; pings are answered meanwhile; in the end each chat stands there once.

    It fails and heals in the midst of a dozen clients that say one chat after the other.
    """
    path = tmp_path / "sessions.db"
    with serving("--agent", AGENT, "--storage", f"sqlite:{path}", "--message-rate", "0") as served:
        until = trio.Event()
        async with (
            dial("127.0.0.1", port_of(served)) as pinger,
            trio.open_nursery() as clients,
        ):
            await pinger.connect(protocol=2)
            talkers: list[Talker] = []
            async with trio.open_nursery() as nursery:
                for _ in range(CLIENTS):
                    talkers.append(await clients.start(_arrive, port_of(served)))
                    nursery.start_soon(talkers[-1].talk, until)
                for number in range(OUTAGES):
                    with locked(path):
                        refused = sum(each.refusals for each in talkers)
                        while sum(each.refusals for each in talkers) < refused + CLIENTS:
                            await pinger.say("ping", timestamp=number)
                            assert (await pinger.next())["timestamp"] == number
                    taken = sum(len(each.taken) for each in talkers)
                    while sum(len(each.taken) for each in talkers) < taken + CLIENTS:
                        await pinger.say("ping", timestamp=-1)
                        await pinger.next()
                until.set()
            for talker in talkers:
                await talker.judge()
            clients.cancel_scope.cancel()
        code, _, log = served.stop()
    assert (code, "Traceback" in log) == (0, False), log
    assert log.count("storage failed") == log.count("storage is well again") == OUTAGES


async def _arrive(port: int, *, task_status: trio.TaskStatus[Talker]) -> None:
    async with dial("127.0.0.1", port) as client:
        await client.connect(protocol=2)
        task_status.started(Talker(client))
        await trio.sleep_forever()
