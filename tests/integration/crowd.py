"""People who come and go at random, each with a memory of all that they were told."""

from __future__ import annotations

import json
import random
import re
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TypeAlias

import attrs
import trio

from bamboo_gateway.session.effects import Change, Deliver
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.stored import StoredSession
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests import plain_wire
from tests.integration.ledger import Ledger, Reading
from tests.plain_wire import SEED_KINDS, DialectName, Event
from tests.sansio_client import SansIOClient
from tests.stream_client import NO_LINGER

HANG = 30.0
BROADCASTS = 0
"""The number of the log of broadcasts."""

Cursor: TypeAlias = Literal["right", "absent", "foreign", "future"]
Leave: TypeAlias = Literal["clean", "dropped", "reset", "silent"]


class RecordingStorage(SQLiteStorage):
    """A storage that remembers every event that it was ever given: the truth about each log."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.ledgers: dict[int, Ledger] = {}
        self.loads = 0

    def ledger(self, number: int) -> Ledger:
        """The truth about one log."""
        return self.ledgers.setdefault(number, Ledger(f"log {number}", is_recorded=True))

    async def commit(self, changes: Sequence[Change], /) -> None:
        """Commit; then it is true."""
        await super().commit(changes)
        for change in changes:
            if isinstance(change, Deliver):
                kind = plain_wire.snake(change.entry.kind.__name__)
                event = {"type": kind, **json.loads(change.entry.body)}
                self.ledger(change.log.number).record(event)

    async def load(self, session_id: str, log_limits: LogLimits, history_bytes: int) -> StoredSession | None:
        """Count how often a session comes back into memory."""
        self.loads += 1
        return await super().load(session_id, log_limits, history_bytes)


@attrs.define
class Place:
    """One session, as its people know it."""

    id: str
    epoch: str
    log: Ledger
    news: Ledger
    asked: dict[str, str] = attrs.field(factory=dict)
    """Chats that were said, by their ids."""
    acks: dict[str, str] = attrs.field(factory=dict)
    """The turn that answers a chat, as anybody was told."""


@attrs.define(eq=False)
class Person:
    """One client, over all its connections; each of them is a `Visit`."""

    name: str
    place: Place
    rng: random.Random
    counts: Counter[str]
    max_events: int
    """What a log keeps at least."""
    protocol: int = 2
    dialect: DialectName = "tagged"
    is_exact: bool = False
    own: Reading = attrs.field(init=False)
    news: Reading = attrs.field(init=False)
    chats: list[str] = attrs.field(factory=list)
    is_homing: bool = False
    """It comes for the last time, to hear what it lacks, and does nothing else."""

    def __attrs_post_init__(self) -> None:
        """Begin to read at the beginning."""
        self.own = Reading(self.place.log, self.protocol, self.is_exact)
        self.news = Reading(self.place.news, self.protocol, self.is_exact, is_adrift=self.protocol == 1)

    @property
    def has_all(self) -> bool:
        """Has it been told of everything that there is?"""
        behind = self.own.cursor < self.place.log.newest and not self._is_unspeakable()
        return not behind and (self.protocol == 1 or self.news.cursor == self.place.news.newest)

    def _is_unspeakable(self) -> bool:
        """Has protocol 1 no word for what it lacks?"""
        rest = self.place.log.span(self.own.cursor, self.place.log.newest)
        return self.protocol == 1 and not any(each["type"] in SEED_KINDS for each in rest)

    async def live(self, port: int, until: trio.Event) -> None:
        """Come and go *until* then; each time in some way."""
        while not until.is_set():
            await Visit(self, port).run()
            await trio.sleep(self.rng.choice([0.0, 0.05, self.rng.uniform(0, 2.0)]))

    async def come_home(self, port: int) -> None:
        """Hear all that there is; it must come."""
        self.is_homing = True
        with trio.fail_after(HANG):
            while not self.has_all:
                await Visit(self, port).run()


class Visit:
    """One connection of one person."""

    def __init__(self, person: Person, port: int) -> None:
        self._person = person
        self._rng = person.rng
        self._counts = person.counts
        self._port = port
        self._is_over = False
        self._is_connected = False
        self._is_superseded = False
        self._joined_at = 0
        """The newest event of the session when it was greeted."""
        self._cursor: Cursor = "right"
        self._leave: Leave = "clean"
        if not person.is_homing:
            self._cursor = self._rng.choice(_CURSORS)
            self._leave = self._rng.choice(_LEAVES)
        self._wire = SansIOClient(person.dialect, answers_pings=self._leave != "silent")

    async def run(self) -> None:
        """Come, do this and that, and leave."""
        with trio.socket.socket() as self._socket:
            if self._rng.random() < 0.3:
                self._counts["small receive buffers"] += 1
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            with suppress(ConnectionError):
                await self._socket.connect(("127.0.0.1", self._port))
                await self._socket.send(self._wire.upgrade())
                await self._until(lambda: self._wire.accepted)
                if not self._is_over:
                    await self._say(("connect", self._greeting()))
                    await self._until(lambda: self._is_connected)
                await (self._hear_all() if self._person.is_homing else self._dwell())
            self._count_end()

    # ── what it does ─────────────────────────────────────────────────────────

    def _greeting(self) -> dict[str, object]:
        person, place = self._person, self._person.place
        last_seq = person.own.cursor
        person.own.distrusted = person.news.distrusted = None
        fields: dict[str, object] = {"session_id": place.id, "protocol": person.protocol}
        if self._cursor == "foreign":
            fields["epoch"] = "another"
            person.own.distrusted = last_seq
            person.news.distrusted = person.news.cursor if person.protocol > 1 else None
        else:
            fields["epoch"] = place.epoch
        if self._cursor == "future":
            last_seq = person.own.distrusted = place.log.newest + 1000
        if self._cursor != "absent":
            fields["last_seq"] = last_seq
        if person.protocol > 1:
            fields["channels"] = {"*": person.news.cursor}
        else:
            person.news.is_adrift = True
        if person.is_exact:
            fields["replay"] = "exact"
        if not person.is_homing and self._rng.random() < 0.1:
            fields["exclusive"] = True
            self._counts["takeovers"] += 1
        self._counts[f"cursors {self._cursor}"] += 1
        return fields

    async def _dwell(self) -> None:
        for _ in range(self._rng.randint(1, 3)):
            act = self._rng.choice([self._listen_on, self._chat, self._repeat, self._stall, self._sip])
            if not self._is_over:
                await act()
        if not self._is_over:
            await self._go()

    async def _listen_on(self) -> None:
        with trio.move_on_after(self._rng.uniform(0, 0.3)):
            await self._until(lambda: False)

    async def _chat(self) -> None:
        person = self._person
        chat_id = f"{person.name}-{len(person.chats)}"
        person.chats.append(chat_id)
        person.place.asked[chat_id] = f"{self._rng.randint(0, 20)}"
        self._counts["chats"] += 1
        await self._say(self._words(chat_id, person.place.asked[chat_id]))
        await self._listen_on()

    async def _repeat(self) -> None:
        """Say something again; or something else with the id of what was said, which is refused."""
        if known := [each for each in self._person.chats if each in self._person.place.acks]:
            chat_id = self._rng.choice(known)
            is_other = self._rng.random() < 0.3
            self._counts["reused ids" if is_other else "repeats"] += 1
            content = "other" if is_other else self._person.place.asked[chat_id]
            await self._say(self._words(chat_id, content))
        await self._listen_on()

    async def _stall(self) -> None:
        self._counts["stalls"] += 1
        await trio.sleep(self._rng.uniform(0, 0.6))

    async def _sip(self) -> None:
        self._counts["slow readers"] += 1
        for _ in range(20):
            if not self._is_over:
                with trio.move_on_after(0.02):
                    await self._listen(100)
                await trio.sleep(0.01)

    async def _go(self) -> None:
        if self._wire.closed is not None:
            self._leave = "dropped"
        self._counts[f"left {self._leave}"] += 1
        match self._leave:
            case "clean":
                await self._socket.send(self._wire.close())
                await self._until(lambda: False)
            case "silent":
                # Half-open: it is let go when it answers no ping.
                await self._until(lambda: False)
                assert self._wire.closed is None or self._wire.closed[0] in (4003, 4004, 4005, 1000)
            case "reset":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            case _:
                pass

    async def _hear_all(self) -> None:
        await self._until(lambda: self._person.has_all)

    def _words(self, chat_id: str, content: str) -> tuple[str, dict[str, object]]:
        return "chat", {"id": chat_id, "content": content, "session_id": self._person.place.id}

    async def _say(self, *messages: tuple[str, dict[str, object]]) -> None:
        if self._wire.closed is None:  # else the gateway has said goodbye
            await self._socket.send(b"".join(self._wire.say(kind, **fields) for kind, fields in messages))

    def _count_end(self) -> None:
        code = self._wire.closed[0] if self._wire.closed else None
        self._counts["disconnects"] += 1
        if self._is_over:
            self._counts[f"ended by the gateway {code}"] += 1

    # ── what it is told ──────────────────────────────────────────────────────

    async def _until(self, is_so: Callable[[], bool]) -> None:
        with trio.fail_after(HANG):
            while not self._is_over and not is_so():
                await self._listen()

    async def _listen(self, max_bytes: int = 65536) -> None:
        try:
            data = await self._socket.recv(max_bytes)
        except ConnectionResetError:
            data = b""
        self._is_over = not data
        for event in self._wire.hear(data) if data else ():
            self._hear(event)
        if replies := self._wire.take_replies():
            with suppress(ConnectionError):
                await self._socket.send(replies)

    def _hear(self, event: Event) -> None:
        reading = self._person.own if event.get("channel") is None else self._person.news
        if "seq" in event:
            self._counts["events heard"] += 1
            reading.hear(event)
            reading.check()
            return
        match event["type"]:
            case "connected":
                self._be_greeted(event)
            case "gap":
                self._hear_gap(reading, event["requested"], event["earliest"])
            case "error":
                self._hear_error(reading, event)
            case "chat_accepted":
                run_id = self._person.place.acks.setdefault(event["id"], event["run_id"])
                assert run_id == event["run_id"], event
            case _:
                assert event["type"] in ("presence", "shutdown"), event

    def _be_greeted(self, event: Event) -> None:
        person = self._person
        assert event["resumed"] is True, event
        assert event["epoch"] == person.place.epoch, event
        assert event["last_seq"] <= person.place.log.newest, event
        self._is_connected = True
        self._joined_at = event["last_seq"]
        if self._cursor == "absent":
            person.own.cursor = event["last_seq"]
        else:
            self._counts["resumes"] += 1

    def _hear_gap(self, reading: Reading, requested: int, earliest: int) -> None:
        if reading.distrusted is None:
            self._counts["gaps"] += 1
            # What is not yet stored counts, too, where a log is cut: a batch of it.
            surely_kept = reading.ledger.newest - self._person.max_events + 1
            assert earliest <= max(1, surely_kept) + 256, f"more was cut than had to be: {reading}"
        reading.skip(requested, earliest)

    def _hear_error(self, reading: Reading, event: Event) -> None:
        code = event["code"]
        self._counts[f"errors {code}"] += 1
        if code == "GAP":
            self._hear_gap_in_words(reading, event["message"])
            return
        self._is_superseded = self._is_superseded or code == "SUPERSEDED"
        # What a client says before it has heard that it is superseded has no session to go to.
        answers_late = code == "NOT_CONNECTED" and self._is_superseded
        assert answers_late or code in ("SUPERSEDED", "QUEUE_FULL", "ID_REUSED"), event

    def _hear_gap_in_words(self, reading: Reading, message: str) -> None:
        """Protocol 1 has no `gap`, but an error that says the same."""
        if found := re.fullmatch(r"events (\d+) to (\d+) are no longer in the log", message):
            requested = int(found[1]) if reading.distrusted is None else reading.distrusted + 1
            self._hear_gap(reading, requested, int(found[2]) + 1)
            return
        assert reading.distrusted is not None, message
        found = re.fullmatch(
            r"the log was begun anew and holds (?:events (\d+) to \d+|no event yet)", message
        )
        assert found is not None, message
        # Not what the storage has: that is ahead of what anybody may be told.
        earliest = int(found[1]) if found[1] else self._joined_at + 1
        self._hear_gap(reading, reading.distrusted + 1, earliest)


_CURSORS: Sequence[Cursor] = ("right", "right", "right", "right", "right", "absent", "foreign", "future")
_LEAVES: Sequence[Leave] = ("clean", "clean", "dropped", "dropped", "dropped", "reset", "reset", "silent")
