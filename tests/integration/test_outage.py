"""A storage that really fails, in the midst of everything: nothing is acked, nothing lost, and it heals."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.config import Address
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.plain_wire import Event
from tests.small_disk import small_disk
from tests.stream_client import HANG, StreamClient, dial

pytestmark = pytest.mark.integration

Outage = Callable[[Path], AbstractContextManager[None]]

DISK_BYTES = 4 * 1024 * 1024


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes to the file, and takes its time."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def full(path: Path) -> Iterator[None]:
    """Another program has filled the disk to its last byte."""
    ballast = path.with_name("ballast")
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            with suppress(OSError):  # no space left
                while file.write(b"x" * size):
                    pass
    try:
        yield
    finally:
        ballast.unlink()


class HalfwayAgent:
    """Says a word, waits to be let on, and says another."""

    def __init__(self) -> None:
        self.may_go_on = trio.Event()

    async def __call__(self, turn: Turn) -> None:
        """Answer one chat."""
        await turn.token("one ")
        if turn.message.content == "halfway":
            await self.may_go_on.wait()
        await turn.token("two")


async def answer_to(client: StreamClient, command: str, **args: object) -> Event:
    """What a client is answered to a command, whatever comes before it."""
    await client.say("command", name=command, args=args)
    return await client.next("command_result")


async def through_an_outage(path: Path, outage: Outage) -> None:
    """One session, before, while and after its storage fails."""
    agent = HalfwayAgent()
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=agent, storage=SQLiteStorage(path))
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        async with dial(address.host, address.port) as client:
            seen = await before(client)
            with outage(path):
                await meanwhile(address, client, agent, seen)
            await afterwards(gateway, client, seen)
        await gateway.stop()
    await in_the_end(path, client.session_id)


async def before(client: StreamClient) -> list[Event]:
    """A turn stands halfway, and the client has seen all that there is."""
    await client.connect(protocol=2)
    await client.say("chat", content="halfway", session_id=client.session_id, id="m1")
    await client.next("chat_accepted")
    return [await client.next() for _ in range(3)]


async def meanwhile(address: Address, client: StreamClient, agent: HalfwayAgent, seen: list[Event]) -> None:
    """Nothing new is promised; what is in memory can be read; the agent waits."""
    chat = {"content": "again", "session_id": client.session_id, "id": "m2"}
    await client.say("chat", **chat)
    error = await client.next()
    assert (error["code"], error["id"], error["retryable"]) == ("STORAGE_UNAVAILABLE", "m2", True)
    assert error["retry_after"] > 0
    agent.may_go_on.set()
    await client.say("ping", timestamp=7)
    assert (await client.next())["type"] == "pong"
    history = (await answer_to(client, "session.history"))["result"]["messages"]
    assert [each["content"] for each in history] == ["halfway", "one "]
    created = await answer_to(client, "session.create")
    assert created["error"]["code"] == "STORAGE_UNAVAILABLE"
    async with dial(address.host, address.port) as other:
        await other.open()
        await other.say("connect", protocol=2)
        assert (await other.next())["code"] == "STORAGE_UNAVAILABLE"
        # The socket is still open, and another session can be had: it is in memory.
        connected = await other.connect_again(session_id=client.session_id, protocol=2, last_seq=0)
        assert (connected["resumed"], connected["last_seq"]) == (True, seen[-1]["seq"])
        assert [await other.next() for _ in range(len(seen))] == seen


async def afterwards(gateway: Gateway, client: StreamClient, seen: list[Event]) -> None:
    """All that waited comes out, once and in order; a repeat of what was refused is not said twice."""
    with trio.fail_after(HANG):
        while gateway.statistics().journal.is_failing:
            await trio.lowlevel.checkpoint()
    await client.say("chat", content="again", session_id=client.session_id, id="m2")
    accepted: list[Event] = []
    while (
        len(accepted) < 2
        or seen[-1]["type"] != "agent_complete"
        or seen[-1]["run_id"] != accepted[0]["run_id"]
    ):
        event = await client.next()
        if "seq" in event:
            seen.append(event)
        elif event["type"] == "chat_accepted":
            accepted.append(event)
    assert [event["id"] for event in accepted] == ["m2", "m2"]
    assert len({event["run_id"] for event in accepted}) == 1
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    said = [event["content"] for event in seen if event["type"] == "user_message"]
    assert said == ["halfway", "again"]
    assert [event["token"] for event in seen if event["type"] == "agent_token"] == ["one ", "two"] * 2


async def in_the_end(path: Path, session_id: str) -> None:
    """It is all on the disk."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), storage=SQLiteStorage(path))
    async with trio.open_nursery() as nursery:
        await nursery.start(gateway.serve)
        page = await gateway.sessions.history(session_id)
        assert [(each.content, each.status) for each in page.messages] == [
            ("halfway", "complete"),
            ("one two", "complete"),
            ("again", "complete"),
            ("one two", "complete"),
        ]
        await gateway.stop()


async def test_a_file_that_another_program_has_locked(tmp_path: Path) -> None:
    """Clients are told to ask again; when the lock is gone, nothing has been lost or done twice."""
    await through_an_outage(tmp_path / "gateway.db", locked)


async def test_a_disk_that_is_full() -> None:
    """The same, until somebody makes room."""
    with small_disk(DISK_BYTES) as disk:
        await through_an_outage(disk / "gateway.db", full)
