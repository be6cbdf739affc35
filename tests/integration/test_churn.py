"""Thousands of disconnects, stalls, takeovers and slow readers: nobody misses an event untold."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig, Turn
from bamboo_gateway.protocol import AgentToken
from tests.integration.crowd import BROADCASTS, Person, Place, RecordingStorage
from tests.integration.size import is_soak

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.soak]

DISCONNECTS = 10_000 if is_soak() else 500
SESSIONS = 60 if is_soak() else 50
PEOPLE = 150 if is_soak() else 120

LOG_EVENTS = 40
"""Few: who stays away for a while has to be told of a gap."""

SNDBUF = 8192
"""Of the gateway's sockets: a client that does not read is soon behind."""

LONG = "x" * 3000
HANG = 60.0

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    heartbeat_interval=0.5,
    heartbeat_timeout=0.5,
    write_timeout=0.4,
    close_timeout=0.5,
    session_idle_timeout=0.1,
    upkeep_interval=0.1,
    log_max_events=LOG_EVENTS,
)


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    """Thousands of goodbyes need not be printed; but none may be an error."""
    with structlog.testing.capture_logs() as entries:
        yield entries
    assert [entry for entry in entries if entry["log_level"] in ("error", "critical")] == []


async def speak(turn: Turn) -> None:
    """Answer with as many tokens as the chat says, some of them long."""
    for step in range(int(turn.message.content)):
        await trio.sleep(0.003)
        await turn.token(f"{turn.message.id}.{step} " + (LONG if step % 5 == 4 else ""))


class Churn:
    """A gateway whose storage remembers the truth, and a crowd that comes and goes."""

    def __init__(self, gateway: Gateway, storage: RecordingStorage, rng: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self._gateway = gateway
        self._storage = storage
        self._rng = rng
        self.people: list[Person] = []
        self._places: list[Place] = []

    async def found(self) -> None:
        """Make the sessions and the people; each session has some."""
        news = self._storage.ledger(BROADCASTS)
        for _ in range(SESSIONS):
            session = await self._gateway.sessions.create("somebody")
            log = self._storage.ledger(session.number)
            self._places.append(Place(session.id, session.epoch, log, news))
        for number in range(PEOPLE):
            person = Person(
                f"p{number}",
                self._places[number % SESSIONS],
                self._rng,
                self.counts,
                LOG_EVENTS,
                protocol=self._rng.choice([1, 2, 2]),
                dialect=self._rng.choice(["tagged", "serde"]),
                is_exact=self._rng.random() < 0.3,
            )
            self.people.append(person)

    async def run(self, port: int) -> None:
        """Let everybody come and go, until that was often enough."""
        until = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._embed, until)
            for person in self.people:
                nursery.start_soon(person.live, port, until)
            await _until(lambda: self.counts["disconnects"] >= DISCONNECTS, hang=600.0)
            until.set()

    async def come_home(self, port: int) -> None:
        """When no more is said, everybody comes a last time, and hears all that they lack."""
        await _until(lambda: not self._gateway.statistics().turns.running)
        async with trio.open_nursery() as nursery:
            for person in self.people:
                nursery.start_soon(person.come_home, port)

    async def _embed(self, until: trio.Event) -> None:
        """The embedding program has something to say, too."""
        number = 0
        while not until.is_set():
            number += 1
            await trio.sleep(0.05)
            await self._gateway.broadcast(AgentToken("*", f"* {number}"))
            place = self._rng.choice(self._places)
            await self._gateway.send_to(place.id, AgentToken(place.id, f"told {number}"))

    def judge(self) -> None:
        """Each chat that was accepted stands once in its log, and was answered by one turn."""
        for person in self.people:
            for reading in (person.own, person.news):
                reading.check()
        for place in self._places:
            questions = [each for each in place.log.events.values() if each["type"] == "user_message"]
            runs = {each["id"]: each["run_id"] for each in questions}
            assert len(runs) == len(questions), "a chat stands twice in a log"
            assert place.acks.items() <= runs.items()
            assert all(each["content"] == place.asked[each["id"]] for each in questions)
            ends = Counter(
                each["run_id"] for each in place.log.events.values() if each["type"] == "agent_complete"
            )
            assert ends == Counter(runs.values())

    def describe(self) -> str:
        """What has happened, in numbers."""
        stored = sum(ledger.newest for ledger in self._storage.ledgers.values())
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        return (
            f"{len(self.people)} clients in {len(self._places)} sessions, {stored} events stored,"
            f" {self._storage.loads} sessions brought back into memory; {counts}"
        )


async def _listen(gateway: Gateway, *, task_status: trio.TaskStatus[int]) -> None:
    """Accept connections as the gateway would, but for small send buffers."""

    async def serve(stream: trio.SocketStream) -> None:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SNDBUF)
        await gateway.serve_stream(stream)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    task_status.started(listeners[0].socket.getsockname()[1])
    await trio.serve_listeners(serve, listeners)


async def _until(is_so: Callable[[], bool], hang: float = HANG) -> None:
    with trio.fail_after(hang):
        while not is_so():  # noqa: ASYNC110 -- what others do on sockets of their own sets no event
            await trio.sleep(0.05)


def _held() -> tuple[int, int]:
    """Tasks and file descriptors."""
    return trio.lowlevel.current_statistics().tasks_living, len(list(Path("/dev/fd").iterdir()))


async def test_everybody_hears_each_event_once_or_of_a_gap(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    """
    Each client's view is the log's own: each event once, in order, or a gap that says what is missing.

    However clients leave, stall, dawdle, take over, lie about where they were or
    say things twice, and while sessions leave the memory and come back. When all
    are gone, neither a task nor a file descriptor is left.
    """
    seed = random.randrange(10**6)
    report(f"churn, seed {seed}")
    storage = RecordingStorage(tmp_path / "sessions.db")
    gateway = Gateway(CONFIG, agent=speak, storage=storage)
    async with trio.open_nursery() as nursery:
        await nursery.start(gateway.serve)
        port = await nursery.start(_listen, gateway)
        churn = Churn(gateway, storage, random.Random(seed))
        await churn.found()
        before = _held()
        await churn.run(port)
        await churn.come_home(port)
        churn.judge()
        await _until(lambda: _held() == before and not gateway.statistics().connections.open)
        report(f"churn: {churn.describe()}")
        await gateway.stop()
        nursery.cancel_scope.cancel()
