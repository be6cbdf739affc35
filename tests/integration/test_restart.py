"""Clients of the library that talk on while their gateway is restarted again and again."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import trio

from bamboo_gateway.client import Client, Reconnect, connect
from bamboo_gateway.client.events import ClientEvent, Disconnected
from bamboo_gateway.protocol import AgentComplete, AgentToken, Connected, Presence, Shutdown, UserMessage
from bamboo_gateway.protocol.messages import SessionEvent
from tests.cli.process import HANG as PROCESS_HANG, serving, start
from tests.integration.ports import free_port
from tests.integration.size import is_soak

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.soak]

RESTARTS = 30 if is_soak() else 3

PEOPLE = 4

HANG = 120.0
"""Seconds for everything to come to its end: machines that test are busy."""

STEPS = 8
"""Of an answer, at 4 ms each: restarts find turns in their midst, and others that wait behind them."""


@attrs.define(eq=False)
class Person:
    """
    Somebody who never stops talking, and hears everything.

    Invariant: each event of the session comes once, in order of `seq`, however
    often the gateway is restarted; no request is refused.
    """

    name: str
    url: str
    is_done: bool = False
    """Shall nothing more be said?"""
    asked: list[str] = attrs.field(factory=list)
    """The ids of the chats that were accepted."""
    heard: Counter[str] = attrs.field(factory=Counter)
    """How often each chat stood in the log."""
    answers: dict[str, str] = attrs.field(factory=dict)
    """By the turn: the text of its tokens."""
    completed: Counter[str] = attrs.field(factory=Counter)
    """How often each turn ended."""
    lives: int = 0
    """How often the connection was lost."""
    renames: int = 0
    last_seq: int = 0
    over: trio.Event = attrs.field(factory=trio.Event)
    """Everything that was said is answered."""
    _pulse: trio.Event = attrs.field(factory=trio.Event)

    async def live(self) -> None:
        """Talk, until all that was said after `is_done` is answered."""
        patient = Reconnect(first_interval=0.2, max_interval=1.0)
        async with (
            connect(self.url, replay="exact", reconnect=patient) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._listen, client)
            await self._talk(client)
            await self.wait_for(lambda: sum(self.completed.values()) == len(self.asked))
            self.over.set()
            nursery.cancel_scope.cancel()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something that was heard makes *condition* true."""
        while not condition():
            self._pulse = self._pulse if not self._pulse.is_set() else trio.Event()
            await self._pulse.wait()

    async def wait_talked(self, chats: int, lives: int) -> None:
        """Wait until it has said so much, and lost its connection so often."""
        await self.wait_for(lambda: len(self.asked) >= chats and self.lives >= lives)

    async def _talk(self, client: Client) -> None:
        """Three chats at a time, and a command between; each waits until the gateway has taken it."""
        while not self.is_done:
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(self._chat, client)
                nursery.start_soon(self._rename, client)
            await self.wait_for(lambda: sum(self.completed.values()) >= len(self.asked) - 2)

    async def _chat(self, client: Client) -> None:
        chat_id = f"{self.name}-{len(self.asked)}"
        self.asked.append(chat_id)
        accepted = await client.chat(str(STEPS), chat_id=chat_id)
        assert accepted.id == chat_id

    async def _rename(self, client: Client) -> None:
        self.renames += 1
        name = f"{self.name} {self.renames}"
        session = await client.command("session.rename", {"name": name})
        assert isinstance(session, dict)
        assert session["name"] == name

    async def _listen(self, client: Client) -> None:
        async for event in client:
            self._hear(event)
            self._pulse.set()

    def _hear(self, event: ClientEvent) -> None:
        if isinstance(event, SessionEvent):
            assert event.seq == self.last_seq + 1, f"{self.name}: {event} after {self.last_seq}"
            self.last_seq = event.seq
        match event:
            case UserMessage(id=str(chat_id)):
                self.heard[chat_id] += 1
            case AgentToken(token=token, run_id=str(run_id)):
                self.answers[run_id] = self.answers.get(run_id, "") + token
            case AgentComplete(run_id=str(run_id)):
                self.completed[run_id] += 1
            case Disconnected():
                self.lives += 1
            case Connected(resumed=resumed):
                assert resumed
            case Shutdown() | Presence() | SessionEvent():
                pass
            case _:
                raise AssertionError(f"{self.name} was told {event}")

    def check(self) -> None:
        """Each chat stands once in the log, and was answered once, from the first word to the last."""
        assert self.heard == Counter(self.asked)
        assert set(self.completed.values()) == {1}
        expected = ["".join(f"{chat_id}.{step} " for step in range(STEPS)) for chat_id in self.asked]
        assert sorted(self.answers.values()) == sorted(expected)


async def _settle(people: list[Person], life: int) -> None:
    """Each has come back, and says something more; in the last life, until all is answered."""
    for person in people:
        await person.wait_talked(chats=len(person.asked) + 4, lives=life)
    if life == RESTARTS:
        for person in people:
            person.is_done = True
        for person in people:
            await person.over.wait()


async def _restart(people: list[Person], args: list[str], rng: random.Random) -> None:
    async with trio.open_nursery() as nursery:
        for life in range(RESTARTS + 1):
            with serving(*args) as server:
                for person in people if life == 0 else ():
                    nursery.start_soon(person.live)
                await _settle(people, life)
                await trio.sleep(rng.uniform(0, 0.1))
                code, _, log = await trio.to_thread.run_sync(server.stop)
                assert (code, log) == (0, "")


def test_chat_goes_on_over_a_restart(tmp_path: Path) -> None:
    """A script reads every answer whole, and nothing twice; notes say what happened; all went well."""
    port = free_port(random.Random())
    args = ["--storage", f"sqlite:{tmp_path / 'sessions.db'}", "--bind", f"127.0.0.1:{port}"]
    words = " ".join(str(number) for number in range(50))
    with serving(*args) as server, start("chat", "--url", server.url) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{words}\n")
        process.stdin.flush()
        first = os.read(process.stdout.fileno(), 1).decode()
        process.stdin.write("and on\n")  # it is sent when the first is answered: to the next gateway
        process.stdin.flush()
        assert server.stop()[0] == 0
        with serving(*args):
            out, notes = process.communicate(timeout=PROCESS_HANG)
    assert first + out == f"{words}\nand on\n"
    assert process.returncode == 0
    assert notes.splitlines()[1:] == [
        "[announced: the gateway restarts]",
        "[connection lost: the gateway restarts; reconnecting]",
        "[reconnected, session resumed]",
    ]


async def test_clients_come_back_without_loss(tmp_path: Path, report: Callable[[str], None]) -> None:
    """Each message is answered exactly once, and each event seen exactly once, over SIGTERM after SIGTERM."""
    seed = random.randrange(10**6)
    report(f"restarts, seed {seed}")
    rng = random.Random(seed)
    port = free_port(rng)
    args = ["--agent", "python:tests.integration.numbered_agent:forgetful", "--log-level", "warning"]
    args += ["--storage", f"sqlite:{tmp_path / 'sessions.db'}", "--bind", f"127.0.0.1:{port}"]
    people = [Person(f"p{number}", f"ws://127.0.0.1:{port}") for number in range(PEOPLE)]
    with trio.fail_after(HANG * (1 + RESTARTS / 10)):
        await _restart(people, args, rng)
    for person in people:
        person.check()
        assert person.lives == RESTARTS
    chats = sum(len(person.asked) for person in people)
    events = sum(person.last_seq for person in people)
    report(f"restarts: {RESTARTS}, {PEOPLE} clients, {chats} chats answered once, {events} events seen once")


async def test_what_was_temporary_went_with_a_gateway_that_was_killed(tmp_path: Path) -> None:
    """Nobody was there to see its last watcher leave: the next gateway ends it before it lets anybody in."""
    args = ("--storage", f"sqlite:{tmp_path / 'gateway.db'}")
    with serving(*args) as served:
        async with (
            connect(served.url, reconnect=None) as lasting,
            connect(served.url, temporary=True, reconnect=None) as brief,
        ):
            await brief.chat("/sleep 60")
            kept, gone = lasting.session_id, brief.session_id
            served.process.kill()
            served.process.wait(PROCESS_HANG)
    with serving(*args) as served:
        async with connect(served.url, session_id=gone, temporary=True) as client:
            assert not client.connected.resumed
            listed = await client.command("session.list")
            assert [each["session_id"] for each in listed["sessions"]] == [kept]
            assert (await client.command("gateway.stats"))["statistics"]["turns"]["running"] == 0
