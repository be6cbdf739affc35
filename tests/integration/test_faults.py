"""A network that stalls, delays, splits, joins and cuts, between clients and the real command line."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
import trio
from hypothesis import example, given, settings, strategies as st

from bamboo_gateway.client import Client, ClientLimits, Disconnected, Reconnect, connect
from bamboo_gateway.protocol import AgentComplete, Connected, Presence
from bamboo_gateway.protocol.codec import encode
from bamboo_gateway.protocol.messages import SessionEvent
from tests.cli.process import Serving, serving
from tests.integration.fault_proxy import FaultProxy, Trip, Way, fault_proxy, random_trips, trips
from tests.integration.ledger import Ledger, Reading
from tests.integration.size import HANG, is_soak
from tests.integration.verdict import check_history, read_answers
from tests.integration.witness import CHANNEL, Session, Witness
from tests.stream_client import StreamClient, dial

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.soak]

TRIPS = 1_500 if is_soak() else 120
"""Connections of raw clients through the proxy, at least."""

CHATS = 40 if is_soak() else 6
"""Of each client of the library."""

STORAGES = ["memory", "sqlite"]

CUT_BYTES = 12_000
"""Of what the gateway says, the most within which a connection is cut."""

SOON = Reconnect(first_interval=0.001, max_interval=0.05, give_up_timeout=HANG)

IMPATIENT = ClientLimits(
    connect_timeout=2.0, reply_timeout=HANG, heartbeat_interval=0.5, heartbeat_timeout=0.5
)
"""A connection that was cut without a word is noticed within a second."""

GREETED = Trip(down=Way(cut_at=3_000))
"""Long enough for the first greeting, which a client tries for once."""


@pytest.fixture(scope="module", params=STORAGES)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A gateway whose agent counts, with either storage."""
    file = tmp_path_factory.mktemp("faults") / "sessions.db"
    storage = "memory:" if request.param == "memory" else f"sqlite:{file}"
    agent = "python:tests.integration.numbered_agent:steadfast"
    with serving("--agent", agent, "--storage", storage, "--log-level", "warning") as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, log) == (0, ""), log


def port_of(gateway: Serving) -> int:
    """Where it listens."""
    return int(gateway.url.rsplit(":", 1)[1])


# ── raw clients ──────────────────────────────────────────────────────────────


class Party:
    """Some sessions with three clients each, of every kind, behind one bad network."""

    def __init__(self, port: int, rng: random.Random) -> None:
        self.news = Ledger(CHANNEL)
        self.sessions = [Session(self.news) for _ in range(3)]
        self.witnesses = [witness for session in self.sessions for witness in _witnesses(session, rng)]
        self._port = port
        self._rng = rng

    async def found(self) -> None:
        """Make the sessions, and the channel that joins them."""
        for session in self.sessions:
            async with dial("127.0.0.1", self._port) as client:
                connected = await client.connect(protocol=2)
                session.id, session.epoch = connected["session_id"], connected["epoch"]
                if session is self.sessions[0]:
                    await answer_to(client, "channel.create", name=CHANNEL)
                await answer_to(client, "channel.join", name=CHANNEL)

    async def suffer(self, proxy: FaultProxy) -> None:
        """Come back again and again, until there were enough connections."""
        async with trio.open_nursery() as nursery:
            for witness in self.witnesses:
                nursery.start_soon(self._persist, witness, proxy)

    async def _persist(self, witness: Witness, proxy: FaultProxy) -> None:
        while proxy.counts["connections"] < TRIPS:
            with trio.move_on_after(self._rng.uniform(0.05, 1.5)):
                await witness.attend(proxy.port)
            await trio.sleep(self._rng.uniform(0, 0.02))

    async def conclude(self) -> None:
        """Over a good network, hear all that is missing; then judge."""
        changed_send, changed = trio.open_memory_channel[None](1)
        async with trio.open_nursery() as nursery:
            for witness in self.witnesses:
                witness.is_quiet = True
                nursery.start_soon(witness.attend, self._port, changed_send)
            with trio.fail_after(HANG):
                while not all(each.is_content(each.session.log.newest) for each in self.witnesses):
                    await changed.receive()
            nursery.cancel_scope.cancel()
        for session in self.sessions:
            await self._judge(session)

    async def _judge(self, session: Session) -> None:
        log = session.log
        assert log.whole_to == log.newest
        answers = read_answers(log.span(0, log.newest), session.asked)
        for answer in answers:
            answer.check(resumes=True)
        async with dial("127.0.0.1", self._port) as client:
            await client.connect(protocol=2, session_id=session.id)
            check_history(await history(client), answers)
        runs = {answer.chat_id: answer.run_id for answer in answers}
        assert set(runs) == set(session.asked)
        for witness in [each for each in self.witnesses if each.session is session]:
            assert dict(witness.acked_runs()).items() <= runs.items(), witness.name
            witness.own.check_complete(log.newest)
            assert not witness.own.gaps, witness.name

    def describe(self) -> str:
        """What has happened, in numbers."""
        return (
            f"{len(self.witnesses)} clients, {sum(each.resumes for each in self.witnesses)} resumes, "
            f"{sum(each.repeats for each in self.witnesses)} messages said again, "
            f"{sum(len(session.asked) for session in self.sessions)} chats, "
            f"{sum(each.own.heard for each in self.witnesses)} events heard"
        )


def _witnesses(session: Session, rng: random.Random) -> list[Witness]:
    """The first is the one whom the others are held against: its replays are exact."""
    return [
        Witness("exact", session, rng, is_exact=True),
        Witness("merged", session, rng, dialect="serde"),
        Witness("old", session, rng, protocol=1),
    ]


async def answer_to(client: StreamClient, command: str, **args: object) -> Any:
    """What a command comes to."""
    await client.say("command", name=command, args=args)
    answer = await client.next("command_result")
    assert answer["ok"] is True, answer
    return answer["result"]


async def history(client: StreamClient) -> list[dict[str, Any]]:
    """The whole conversation."""
    messages: list[dict[str, Any]] = []
    before: int | None = None
    while before is None or before > 0:
        page = await answer_to(client, "session.history", limit=100, before=before)
        messages = page["messages"] + messages
        before = page["first"]
    return messages


async def test_raw_clients_behind_a_bad_network(served: Serving, report: Callable[[str], None]) -> None:
    """
    Each event comes once, in order, and each chat is taken once, whatever the network does.

    Clients of both protocols and dialects come back with their cursors, and say
    again what they do not know to have been heard.
    """
    seed = random.randrange(10**6)
    report(f"bad network, raw clients, seed {seed}")
    rng = random.Random(seed)
    party = Party(port_of(served), rng)
    await party.found()
    async with fault_proxy(port_of(served), random_trips(rng, CUT_BYTES)) as proxy:
        await party.suffer(proxy)
        report(f"bad network, raw clients: {describe(proxy)}")
    await party.conclude()
    report(f"bad network, raw clients: {party.describe()}")


def describe(*proxies: FaultProxy) -> str:
    """What the network has done."""
    counts = sum((proxy.counts for proxy in proxies), start=type(proxies[0].counts)())
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


# ── clients of the library ───────────────────────────────────────────────────


class Listener:
    """What one client of the library is told, held against the log."""

    def __init__(self, client: Client, ledger: Ledger, *, is_exact: bool) -> None:
        self.reading = Reading(ledger, 2, is_exact)
        self.ends = 0
        self.losses = 0
        self._client = client

    async def hear(self, ends: int) -> None:
        """Read until so many turns are over."""
        while self.ends < ends:
            event = await anext(self._client)
            self.losses += isinstance(event, Disconnected)
            self.ends += isinstance(event, AgentComplete)
            if isinstance(event, SessionEvent):
                self.reading.hear(json.loads(encode(event)))
            else:
                assert isinstance(event, (Connected, Disconnected, Presence)), event


async def converse(port: int, plan: Iterator[Trip], chats: int) -> tuple[FaultProxy, Listener]:
    """One client behind a bad network, which chats; and one beside it, which hears the same."""
    ledger = Ledger("session")
    async with (
        connect(f"ws://127.0.0.1:{port}", replay="exact") as witness,
        fault_proxy(port, plan) as proxy,
        connect(
            f"ws://127.0.0.1:{proxy.port}", session_id=witness.session_id, reconnect=SOON, limits=IMPATIENT
        ) as client,
    ):
        exact = Listener(witness, ledger, is_exact=True)
        merged = Listener(client, ledger, is_exact=False)
        acks: dict[str, str | None] = {}
        with trio.fail_after(10 * HANG if is_soak() else HANG):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(exact.hear, chats)
                nursery.start_soon(merged.hear, chats)
                for number in range(chats):
                    acks[f"c{number}"] = (await client.chat("25", chat_id=f"c{number}")).run_id
    log = ledger.span(0, ledger.newest)
    answers = read_answers(log, dict.fromkeys(acks, "25"))
    for answer in answers:
        answer.check(resumes=True)
    assert {answer.chat_id: answer.run_id for answer in answers} == acks
    merged.reading.check_complete(ledger.newest)
    return proxy, merged


async def test_library_clients_behind_a_bad_network(served: Serving, report: Callable[[str], None]) -> None:
    """A client of the library chats as ever: each chat is answered once, and each event seen once."""
    seed = random.randrange(10**6)
    report(f"bad network, library clients, seed {seed}")
    results: list[tuple[FaultProxy, Listener]] = []

    async def run(number: int) -> None:
        plan = random_trips(random.Random(seed + number), CUT_BYTES)
        results.append(await converse(port_of(served), _greeted(plan), CHATS))

    async with trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(run, number)
    losses = sum(listener.losses for _, listener in results)
    report(f"bad network, library clients: {losses} losses; {describe(*[proxy for proxy, _ in results])}")


def _greeted(plan: Iterator[Trip]) -> Iterator[Trip]:
    yield GREETED
    yield from plan


@settings(max_examples=min(settings().max_examples, 12))
@example([Trip(Way(sizes=(1,)), Way(sizes=(1,)))])
@example([Trip(down=Way(cut_at=at, ending="reset")) for at in range(0, 800, 37)])
@given(st.lists(trips, max_size=12))
async def test_any_plan(served: Serving, plan: list[Trip]) -> None:
    """Whatever goes wrong in whichever order, a chat is answered once and seen once."""
    await converse(port_of(served), iter([GREETED, *plan]), chats=2)


# ── the network itself ───────────────────────────────────────────────────────


async def _echo(stream: trio.SocketStream) -> None:
    with suppress(trio.BrokenResourceError):
        async with stream:
            while data := await stream.receive_some():
                await stream.send_all(data)


@given(trips, st.binary(max_size=5_000))
async def test_the_network_changes_no_byte(trip: Trip, data: bytes) -> None:
    """What comes out is a beginning of what went in: all of it, where nothing is cut."""
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, _echo, 0, host="127.0.0.1"))
        async with fault_proxy(listener.socket.getsockname()[1], [trip]) as proxy:
            heard = await _say_and_hear(proxy.port, data)
        nursery.cancel_scope.cancel()
    assert data.startswith(heard)
    if trip.up.cut_at is None and trip.down.cut_at is None:
        assert heard == data


async def _say_and_hear(port: int, data: bytes) -> bytes:
    heard = b""
    with suppress(trio.BrokenResourceError):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(data)
            await stream.send_eof()
            while more := await stream.receive_some():
                heard += more
    return heard
