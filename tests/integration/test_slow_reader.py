"""A client that reads one byte a second, beside fifty that read as they should."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

import pytest
import trio

from tests.cli.process import Serving, serving
from tests.integration.ledger import Ledger, Reading
from tests.integration.size import is_soak
from tests.sansio_client import SansIOClient
from tests.stream_client import StreamClient, dial

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.soak]

WATCHERS = 50

SLOW_SECONDS = 60 if is_soak() else 5
"""For which the slow client takes a byte each second."""

ROUNDS = 10 if is_soak() else 0
"""Of two periods, one without a slow client and one with, in which latencies are compared."""

PERIOD = 3.0
"""Seconds."""

CUT_SECONDS = 40 if is_soak() else 5
"""More than twice the time without a byte taken after which a client is let go."""

INTERVAL = 0.01
"""Seconds between two tokens."""

TOKEN_BYTES = 500 if is_soak() else 5000
"""Large enough that the sockets soon hold no more."""

LOG_EVENTS = 8000 if is_soak() else 1000
"""More than are spoken in a minute: what the slow client misses stays in the log."""

RCVBUF = 4096
MAX_GROWTH_KB = 5 * 1024
MAX_RATIO = 1.10
HANG = 60.0


class Room:
    """One session in a gateway of its own, in which an agent speaks at a steady pace."""

    def __init__(self, served: Serving, host: StreamClient, epoch: str) -> None:
        self.served = served
        self.host = host
        self.epoch = epoch
        self.session_id = host.session_id
        self.port = int(served.url.rsplit(":", 1)[1])
        self.ledger = Ledger("session")

    def rss_kb(self) -> int:
        """What the gateway occupies."""
        status = Path(f"/proc/{self.served.process.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1])

    async def speak(self, count: int, interval: float) -> None:
        """Have tokens spoken, and wait until the last one was; `host` knows then what the log holds."""
        reading = Reading(self.ledger, 2, is_exact=True, cursor=self.ledger.newest)
        words = f"{count} {interval} {TOKEN_BYTES}"
        await self.host.say("chat", content=words, session_id=self.session_id)
        while True:
            event = await self.host.next()
            if "seq" in event:
                reading.hear(event)
            if event["type"] == "agent_complete":
                return


@asynccontextmanager
async def _room(folder: Path, *args: str) -> AsyncIterator[Room]:
    """A gateway, its log filled once, so that what it occupies grows no more by itself."""
    settings = ["--agent", "python:tests.integration.numbered_agent:steady", "--heartbeat-interval", "10m"]
    settings += ["--log-max-events", str(LOG_EVENTS), "--log-max-bytes", str(64 * 1024 * 1024)]
    with serving(*settings, "--storage", f"sqlite:{folder / 'sessions.db'}", *args) as served:
        port = int(served.url.rsplit(":", 1)[1])
        async with dial("127.0.0.1", port) as host:
            connected = await host.connect(protocol=2, replay="exact")
            room = Room(served, host, connected["epoch"])
            yield room


class Watcher:
    """
    A normal client: it reads whatever comes at once, and notes how long it was under way.

    It picks numbers out of the bytes; to parse each frame would take this process
    longer than the gateway takes to send it.
    """

    def __init__(self, room: Room) -> None:
        self.latencies: list[float] = []
        """Seconds, since they were last taken."""
        self.last_seq = room.ledger.newest
        self._room = room

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Watch until cancelled; each event comes once and in order."""
        async with await trio.open_tcp_stream("127.0.0.1", self._room.port) as stream:
            client = SansIOClient()
            await stream.send_all(client.upgrade())
            while not client.accepted:
                client.hear(bytes(await stream.receive_some()))
            fields = {"session_id": self._room.session_id, "protocol": 2, "replay": "exact"}
            await stream.send_all(client.say("connect", **fields))
            rest = b""
            while b'"connected"' not in rest:
                rest += await stream.receive_some()
            task_status.started()
            async for data in stream:
                rest = self._take(rest + data)

    def _take(self, data: bytes) -> bytes:
        now, end = time.monotonic_ns(), 0
        for match in _LOGGED.finditer(data):
            assert int(match[2]) == self.last_seq + 1
            self.last_seq += 1
            if match[1]:
                self.latencies.append((now - int(match[1])) / 1e9)
            end = match.end()
        return data[end:]


_LOGGED = re.compile(rb'(?:"token":"(\d+) \.*",)?"seq":(\d+),')


class SlowReader:
    """A client with a small receive buffer."""

    def __init__(self, room: Room) -> None:
        self.reading = Reading(room.ledger, 2, is_exact=False, cursor=room.ledger.newest)
        self.began = self.reading.cursor
        self.is_over = False
        self._room = room
        self._client = SansIOClient()

    @property
    def close_code(self) -> int | None:
        """What the gateway has said at the end, if that could be read."""
        return self._client.closed[0] if self._client.closed else None

    async def run(self, until: trio.Event, *, task_status: trio.TaskStatus[None]) -> None:
        """Take a byte a second, *until* then; read on to the end of the log, or of the connection."""
        self._client, self.is_over = SansIOClient(), False
        with trio.socket.socket() as self._socket:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RCVBUF)
            await self._socket.connect(("127.0.0.1", self._room.port))
            await self._socket.send(self._client.upgrade())
            await self._listen()
            await self._socket.send(self._client.say("connect", **self._cursor()))
            await self._listen()
            task_status.started()
            while not until.is_set() and not self.is_over:
                await trio.sleep(1)
                await self._listen(1)
            await self._read_on()

    def _cursor(self) -> dict[str, object]:
        room = self._room
        cursor = {"last_seq": self.reading.cursor, "epoch": room.epoch}
        return {"session_id": room.session_id, "protocol": 2, **cursor}

    async def _read_on(self) -> None:
        with trio.fail_after(HANG):
            while self.reading.cursor < self._room.ledger.newest and await self._listen():
                pass

    async def _listen(self, max_bytes: int = 65536) -> bool:
        try:
            data = await self._socket.recv(max_bytes)
        except ConnectionResetError:
            data = b""
        self._hear(data)
        return not self.is_over

    def _hear(self, data: bytes) -> None:
        self.is_over = not data
        for event in self._client.hear(data) if data else ():
            if "seq" in event:
                self.reading.hear(event)
            else:
                assert event["type"] in ("connected", "presence"), event


class Play:
    """What is done in a room: an agent speaks, watchers watch, and a slow client may come."""

    def __init__(self, room: Room, nursery: trio.Nursery) -> None:
        self.room = room
        self.watchers = [Watcher(room) for _ in range(WATCHERS)]
        self._nursery = nursery

    async def begin(self) -> None:
        """Let the watchers come, and fill the log."""
        for watcher in self.watchers:
            await self._nursery.start(watcher.run)
        await self.room.speak(LOG_EVENTS, 0.0)
        await self.speak(2.0)

    async def speak(self, seconds: float) -> int:
        """Have the agent speak for so long; return the most that the gateway has occupied meanwhile."""
        async with trio.open_nursery() as nursery:
            most = [self.room.rss_kb()]
            nursery.start_soon(self._measure, most)
            await self.room.speak(int(seconds / INTERVAL), INTERVAL)
            nursery.cancel_scope.cancel()
        return max(most)

    async def speak_to(self, slow: SlowReader, seconds: float) -> int:
        """The same while *slow* takes a byte a second; then it reads on."""
        async with trio.open_nursery() as nursery:
            until = trio.Event()
            await nursery.start(slow.run, until)
            most = await self.speak(seconds)
            until.set()
        return most

    async def bring_back(self, slow: SlowReader) -> None:
        """Have *slow* connect again, with its cursor, and read as others do."""
        at_once = trio.Event()
        at_once.set()
        async with trio.open_nursery() as nursery:
            await nursery.start(slow.run, at_once)

    async def take_p99(self) -> float:
        """The 99th percentile of what was under way since the last time, when everybody has everything."""
        with trio.fail_after(HANG):
            while any(watcher.last_seq < self.room.ledger.newest for watcher in self.watchers):
                await trio.lowlevel.checkpoint()
        latencies = [each for watcher in self.watchers for each in watcher.latencies]
        for watcher in self.watchers:
            watcher.latencies.clear()
        return quantiles(latencies, n=100)[98]

    async def _measure(self, most: list[int]) -> None:
        while True:
            most.append(self.room.rss_kb())
            await trio.sleep(0.2)


@asynccontextmanager
async def _play(folder: Path, *args: str) -> AsyncIterator[Play]:
    async with _room(folder, *args) as room, trio.open_nursery() as nursery:
        play = Play(room, nursery)
        await play.begin()
        yield play
        nursery.cancel_scope.cancel()


async def test_it_costs_the_others_nothing_and_misses_nothing(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    """
    A client that takes a byte a second is no burden, and when it reads on it has missed nothing.

    The gateway grows by less than 5 MB for it; and under `make soak`, by when it
    has dawdled for a minute, the p99 of the fifty others changes by less than 10 %.
    """
    async with _play(tmp_path, "--write-timeout", "10m") as play:
        before = await play.speak(5.0)
        # The log grows in any case.
        alone = await play.speak(SLOW_SECONDS)
        slow = SlowReader(play.room)
        growth = (await play.speak_to(slow, SLOW_SECONDS) - alone) - (alone - before)
        slow.reading.check_complete(play.room.ledger.newest)
        events, frames = play.room.ledger.newest - slow.began, slow.reading.heard
        report(
            f"slow reader: {SLOW_SECONDS} s at a byte a second beside {WATCHERS} watchers: RSS {growth:+} kB"
            f" beyond the log's, of {before} kB; then {events} events in {frames} frames, in order"
        )
        assert frames < events, "it was never behind"
        assert not slow.reading.gaps
        assert growth < MAX_GROWTH_KB
        await play.take_p99()
        if ROUNDS:
            await _compare_latencies(play, report)


async def _compare_latencies(play: Play, report: Callable[[str], None]) -> None:
    """Alternate, so that whatever else the machine does befalls both alike."""
    pairs: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        found: dict[bool, float] = {}
        for is_beside in (number % 2 == 0, number % 2 == 1):
            if is_beside:
                await play.speak_to(SlowReader(play.room), PERIOD)
            else:
                await play.speak(PERIOD)
            found[is_beside] = await play.take_p99()
        pairs.append((found[False], found[True]))
    ratio = median(beside / alone for alone, beside in pairs)
    report(
        f"slow reader: p99 of the others alone {median(alone for alone, _ in pairs) * 1e3:.2f} ms, beside it"
        f" {median(beside for _, beside in pairs) * 1e3:.2f} ms, median of {ROUNDS} ratios {ratio:.3f}"
        f" ({min(b / a for a, b in pairs):.2f} to {max(b / a for a, b in pairs):.2f})"
    )
    assert ratio < MAX_RATIO


async def test_it_is_let_go_and_comes_back(tmp_path: Path, report: Callable[[str], None]) -> None:
    """
    By default it is let go (4005): no TCP can tell a byte a second from none at all.

    When it comes back with its cursor it is sent all that it lacks.
    """
    # In `make check` there is no time for the default.
    async with _play(tmp_path, *([] if is_soak() else ["--write-timeout", "2s"])) as play:
        slow = SlowReader(play.room)
        await play.speak_to(slow, CUT_SECONDS)
        assert slow.is_over
        assert slow.close_code in (4005, None)  # None: it came too late to read that
        cut_at, newest = slow.reading.cursor, play.room.ledger.newest
        assert cut_at < newest
        await play.bring_back(slow)
        slow.reading.check_complete(play.room.ledger.newest)
        assert not slow.reading.gaps
        report(f"slow reader: let go at event {cut_at} of {newest}, and came back for the rest")
        code, _, log = play.room.served.stop()
        assert (code, log.count("code=4005")) == (0, 1), log
