"""Everything at once, for long: chats, resumes, stalls, faults, hostile sockets; nothing may pile up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest
import trio

from tests.cli.process import Serving, serving
from tests.connection.raw_client import RawClient, frame
from tests.fuzz.raw_frame import BINARY, PING, TEXT
from tests.integration.fault_proxy import Trip, random_trips
from tests.integration.neighbour import AGENT, Neighbour, port_of
from tests.integration.size import is_soak
from tests.integration.test_faults import CUT_BYTES, GREETED, converse
from tests.integration.test_half_open import HEADS, come_from, pour
from tests.integration.test_hostile_frames import OFFENCES, STAGES, half_close, offend, reset
from tests.stream_client import dial

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.soak]

SECONDS = 600.0 if is_soak() else 6.0
WARM_UP = 30.0 if is_soak() else 3.0
"""Seconds of the same load before what the process holds is looked at."""

CHATTERS = 10
STALLERS = 4
ATTACKERS = 6
CHATS = 5
"""Of one client of the library, which then makes way for a new one."""

MAX_GROWTH_KB = 24 * 1024
"""Over all the time: a tenth of what one leak of 1 KB in each connection would be."""


class Soak:
    """The load, and what has come of it."""

    def __init__(self, port: int, rng: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._port = port
        self._rng = rng
        self._is_over = False

    async def run(self, seconds: float) -> None:
        """Keep it up for so long, and let everything come to its end."""
        self._is_over = False
        async with trio.open_nursery() as nursery:
            for deed, count in (
                (self._chat, CHATTERS),
                (self._stall, STALLERS),
                (self._resume, STALLERS),
                (self._attack, ATTACKERS),
            ):
                for _ in range(count):
                    nursery.start_soon(self._repeat, deed)
            await trio.sleep(seconds)
            self._is_over = True

    async def _repeat(self, deed: Callable[[], Awaitable[None]]) -> None:
        while not self._is_over:
            await deed()

    async def _chat(self) -> None:
        """A client of the library behind a bad network: each event once, each chat once."""
        proxy, listener = await converse(self._port, self._plan(), CHATS)
        self.faults += proxy.counts
        self.counts["chats"] += CHATS
        self.counts["events checked"] += listener.reading.heard
        self.counts["resumes"] += listener.losses

    def _plan(self) -> Iterator[Trip]:
        yield GREETED
        yield from random_trips(random.Random(self._rng.random()), CUT_BYTES)

    async def _stall(self) -> None:
        """A client that lets its agent flood it, and does not read."""
        async with dial("127.0.0.1", self._port) as client:
            await client.connect(protocol=2)
            await client.say("chat", content="flood", session_id=client.session_id)
            await client.next("agent_token")
            await trio.sleep(self._rng.uniform(0, 1.0))
            await client.say("command", name="session.abort", args={})
            await client.next("error")
            self.counts["stalls"] += 1

    async def _resume(self) -> None:
        """A client that leaves in mid-turn, and comes back for the rest."""
        async with dial("127.0.0.1", self._port) as client:
            connected = await client.connect(protocol=2)
            await client.say("chat", content="100", session_id=client.session_id)
            seen = (await client.next("agent_token"))["seq"]
            await client.reset()
        async with dial("127.0.0.1", self._port) as client:
            fields = {"session_id": connected["session_id"], "epoch": connected["epoch"], "last_seq": seen}
            await client.connect(protocol=2, replay="exact", **fields)
            while (event := await client.next())["type"] != "agent_complete":
                if "seq" in event:
                    assert event["seq"] == seen + 1
                    seen += 1
            self.counts["resumes"] += 1

    async def _attack(self) -> None:
        """One of all that is tried elsewhere."""
        kind = self._rng.choice(list(self._attacks))
        self.counts["hostile inputs"] += 1
        with suppress(OSError, trio.BrokenResourceError):
            await self._attacks[kind](self)

    async def _offend(self) -> None:
        offence = self._rng.choice(OFFENCES)
        await offend(self._port, offence, self._rng.random() < 0.5, is_chopped=False)

    async def _end_somewhere(self) -> None:
        end = self._rng.choice([reset, half_close])
        await end(self._port, self._rng.choice(STAGES))

    async def _pour_heads(self) -> None:
        await pour(self._port, self._rng.choice(list(HEADS.values())), 1)

    async def _stay_silent(self) -> None:
        streams = [await come_from(f"127.0.9.{host}", self._port) for host in range(1, 21)]
        await trio.sleep(self._rng.uniform(0, 0.5))
        for stream in streams:
            await trio.aclose_forcefully(stream)

    async def _flood(self) -> None:
        client = RawClient(await trio.open_tcp_stream("127.0.0.1", self._port))
        await client.connect(protocol=2)
        data = self._rng.choice(
            [frame(PING, b"x"), frame(BINARY, b"x"), frame(TEXT, b"{}"), frame(TEXT, b"")]
        )
        with trio.move_on_after(1.0), suppress(trio.BrokenResourceError):
            await client.stream.send_all(data * 2_000)
        await client.leave()

    _attacks: ClassVar[dict[str, Callable[[Soak], Awaitable[None]]]] = {
        "offence": _offend,
        "end": _end_somewhere,
        "heads": _pour_heads,
        "silence": _stay_silent,
        "flood": _flood,
    }


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Serving]:
    """A gateway that keeps on the disk what nobody needs."""
    args = ["--storage", f"sqlite:{tmp_path / 'sessions.db'}", "--log-max-bytes", "100000"]
    args += ["--session-idle-timeout", "0.5s", "--upkeep-interval", "0.2s", "--history-max-bytes", "100000"]
    with serving("--agent", AGENT, "--log-level", "error", *args) as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, log) == (0, ""), log


async def test_nothing_piles_up(served: Serving, report: Callable[[str], None]) -> None:
    """Afterwards tasks, descriptors, connections and memory are what they were, and nobody was let down."""
    seed = random.randrange(10**6)
    report(f"soak, seed {seed}")
    soak = Soak(port_of(served), random.Random(seed))
    await soak.run(WARM_UP)
    async with dial("127.0.0.1", port_of(served)) as client:
        neighbour = Neighbour(client, served.process.pid)
        await neighbour.settle()
        before = neighbour.rss_kb()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(neighbour.check_on)
            await soak.run(SECONDS)
            nursery.cancel_scope.cancel()
        await neighbour.check_alone(MAX_GROWTH_KB)
        for line in table(soak, neighbour, before):
            report(line)


def table(soak: Soak, neighbour: Neighbour, before_kb: int) -> Iterator[str]:
    """The numbers, as docs/security.md has them."""
    latencies = sorted(neighbour.latencies)
    rows = {
        "seconds of mixed load": f"{SECONDS + WARM_UP:.0f}",
        **{name: f"{count:,}" for name, count in sorted(soak.counts.items())},
        **{f"network: {name}": f"{count:,}" for name, count in sorted(soak.faults.items())},
        "neighbour: checks": f"{len(latencies):,}",
        "neighbour: p50, p99, worst": ", ".join(
            f"{latencies[int((len(latencies) - 1) * part)] * 1000:.0f} ms" for part in (0.5, 0.99, 1.0)
        ),
        "memory before, after": f"{before_kb / 1024:.1f} MiB, {neighbour.rss_kb() / 1024:.1f} MiB",
        "tasks, descriptors, connections left": "0, 0, 0",
    }
    return (f"| {name} | {value} |" for name, value in rows.items())
