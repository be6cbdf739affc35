"""The browser client, under Node with `ws`, against the real command line: bad networks, kills, restarts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
import trio

from bamboo_gateway.client import connect
from bamboo_gateway.protocol import AgentComplete
from bamboo_gateway.protocol.codec import encode
from bamboo_gateway.protocol.messages import SessionEvent
from tests.cli.process import Serving, serving, start
from tests.integration.fault_proxy import Trip, Way, fault_proxy, random_trips
from tests.integration.ledger import Ledger, Reading
from tests.integration.page import LOGGED, SOON, STEPS, Page, PageError, counting, ended, load
from tests.integration.ports import free_port
from tests.integration.size import HANG, is_soak
from tests.integration.verdict import check_history, read_answers
from tests.plain_wire import Event

pytestmark = pytest.mark.integration

CHATS = 40 if is_soak() else 6
"""Of each page on a bad network."""

KILLS = 40 if is_soak() else 5

MOST_WAITING = 10
"""Chats that wait for their turn at once: a gateway takes some more."""

IMPATIENT = {"connectTimeout": 2, "replyTimeout": HANG, "heartbeatInterval": 0.5, "heartbeatTimeout": 0.5}
"""A connection that was cut without a word is noticed within a second."""


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A gateway with either storage."""
    file = tmp_path_factory.mktemp("pages") / "sessions.db"
    with serving(*counting("memory:" if request.param == "memory" else f"sqlite:{file}")) as gateway:
        yield gateway
        code, _, log = gateway.stop()
        assert (code, log) == (0, ""), log


def port_of(gateway: Serving) -> int:
    """Where it listens."""
    return int(gateway.url.rsplit(":", 1)[1])


def is_answered(*chat_ids: str) -> Callable[[Page], bool]:
    """Has the page heard the end of the answers to these chats?"""
    return lambda page: ended(page.events) >= set(chat_ids)


def is_free(asked: list[str]) -> Callable[[Page], bool]:
    """Has the session's queue room for another chat?"""
    return is_answered(*asked[:-MOST_WAITING])


def said(events: list[Event], run_id: str) -> str:
    """The text of one answer."""
    return "".join(
        event["token"] for event in events if event["type"] == "agent_token" and event["run_id"] == run_id
    )


# ── what a page does ─────────────────────────────────────────────────────────


async def test_a_page_chats_and_runs_commands(gateway: Serving, node: str) -> None:
    """It is answered, hears all of its session in order, and says goodbye."""
    async with load(node, gateway.url, client={"name": "page", "version": "1"}) as page:
        accepted = await page.chat("hello there", "c1")
        await page.until(is_answered("c1"))
        assert said(page.events, accepted["run_id"]) == "hello there"
        assert [event["seq"] for event in page.events if event["type"] in LOGGED] == [1, 2, 3, 4, 5]
        status = await page.command("status")
        assert (status["session_id"], status["last_seq"]) == (page.connected["session_id"], 5)
        with pytest.raises(PageError, match="UNKNOWN_COMMAND"):
            await page.command("no such thing")
        await page.close()
        assert page.news("open") == [{"news": "open", "resumed": False, "attempt": 0}]
        assert page.news("closed")[0]["code"] == 1000
        with pytest.raises(PageError, match="ClosedError"):
            await page.chat("too late", "c2")


async def test_what_the_client_lets_through_the_gateway_takes(gateway: Serving, node: str) -> None:
    """Its bounds are the gateway's own: up to them it is answered, beyond them the caller is told at once."""
    nested: Any = []
    for _ in range(62):
        nested = [nested]
    async with load(node, gateway.url) as page:
        for args in (nested, {"n": [2**53, -(2**53), 1e300]}, {"text": "\U0001f44b", "none": None}):
            assert await page.command("echo", args) == args
        assert (await page.chat("hello", "\U0001f44b" * 256))["id"] == "\U0001f44b" * 256
        with pytest.raises(PageError, match="TypeError"):
            await page.command("echo", [nested])
        with pytest.raises(PageError, match="TypeError"):
            await page.chat("hello", "\U0001f44b" * 257)
        with pytest.raises(PageError, match=r"RefusedError.*MESSAGE_TOO_BIG"):
            await page.chat("x" * 2**20, "big")
        assert (await page.command("status"))["state"] in {"idle", "running"}


async def test_who_is_not_let_in_is_told_why(locked: Serving, node: str) -> None:
    """A token that is missing is asked for by its code; the right one opens."""
    with pytest.raises(PageError, match=r"RefusedError.*UNAUTHORIZED"):
        async with load(node, locked.url):
            pass
    async with load(node, locked.url, token="sesame") as page:
        assert (await page.command("status"))["state"] == "idle"


async def test_where_nobody_is_it_says_so(node: str) -> None:
    """In one sentence, with the address."""
    port = free_port(random.Random())
    with pytest.raises(
        PageError, match=rf"ConnectError.*cannot reach ws://127\.0\.0\.1:{port}: .*ECONNREFUSED"
    ):
        async with load(node, f"ws://127.0.0.1:{port}"):
            pass


async def test_a_session_that_is_taken_over_is_not_taken_back(gateway: Serving, node: str) -> None:
    """4003: the page ends, and does not come back by itself."""
    async with (
        load(node, gateway.url, reconnect=SOON) as page,
        connect(gateway.url, session_id=page.connected["session_id"], exclusive=True) as other,
    ):
        await page.until(lambda page: bool(page.news("closed")))
        assert page.news("closed")[0]["code"] == 4003
        assert (await other.command("status"))["watchers"] == 1


# ── bad networks ─────────────────────────────────────────────────────────────


async def suffer(node: str, port: int, plan: Iterator[Trip], chats: int) -> Page:
    """A page behind a bad network, which chats; and a good client beside it, which hears the same."""
    ledger = Ledger("session")
    async with (
        connect(f"ws://127.0.0.1:{port}", replay="exact") as witness,
        fault_proxy(port, plan) as proxy,
        load(
            node,
            f"ws://127.0.0.1:{proxy.port}",
            sessionId=witness.session_id,
            reconnect=SOON,
            limits=IMPATIENT,
        ) as page,
    ):

        async def attest() -> None:
            exact = Reading(ledger, 2, is_exact=True)
            ends = 0
            while ends < chats:
                event = await anext(witness)
                ends += isinstance(event, AgentComplete)
                if isinstance(event, SessionEvent):
                    exact.hear(json.loads(encode(event)))

        acks: dict[str, str] = {}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(attest)
            for number in range(chats):
                await page.until(is_free(list(acks)))
                acks[f"c{number}"] = (await page.chat(str(STEPS), f"c{number}"))["run_id"]
            await page.until(is_answered(*acks))
    reading = Reading(ledger, 2, is_exact=False)
    for event in page.events:
        if event["type"] in LOGGED:
            reading.hear(event)
        else:
            assert event["type"] in {"connected", "presence"}, event
    reading.check_complete(ledger.newest)
    answers = read_answers(ledger.span(0, ledger.newest), dict.fromkeys(acks, str(STEPS)))
    for answer in answers:
        answer.check(resumes=True)
    assert {answer.chat_id: answer.run_id for answer in answers} == acks
    return page


def greeted(plan: Iterator[Trip]) -> Iterator[Trip]:
    """A first connection that lasts long enough for the greeting, which a page tries for once."""
    yield Trip(down=Way(cut_at=3_000))
    yield from plan


def mortal(plan: Iterator[Trip]) -> Iterator[Trip]:
    """The same, in which none lasts for ever."""
    for trip in plan:
        cut_at = 8_000 if trip.down.cut_at is None else trip.down.cut_at
        yield attrs.evolve(trip, down=attrs.evolve(trip.down, cut_at=cut_at))


@pytest.mark.slow
@pytest.mark.soak
async def test_pages_behind_a_bad_network(served: Serving, node: str, report: Callable[[str], None]) -> None:
    """Whatever it does, each chat is answered once, and each event seen once and in order."""
    seed = random.randrange(10**6)
    report(f"bad network, pages, seed {seed}")
    pages: list[Page] = []

    async def run(number: int) -> None:
        plan = mortal(random_trips(random.Random(seed + number), 5_000))
        pages.append(await suffer(node, port_of(served), greeted(plan), CHATS))

    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(run, number)
    losses = [len(page.news("disconnected")) for page in pages]
    retries = [len(page.news("retry")) for page in pages]
    assert sum(losses) > 0
    report(f"bad network, pages: {sum(losses)} losses, {sum(retries)} failed attempts")


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["fin", "reset", "silence"])
async def test_a_page_gets_through_a_network_that_always_breaks(
    served: Serving, node: str, ending: Literal["fin", "reset", "silence"]
) -> None:
    """If each connection only lasts for the greeting and a little more."""
    plan = (Trip(down=Way(cut_at=at, ending=ending)) for at in range(900, 3_000, 300))
    page = await suffer(node, port_of(served), greeted(plan), chats=2)
    assert page.news("disconnected")


# ── a gateway that ends ──────────────────────────────────────────────────────


class Lives:
    """A gateway that is killed, and comes back at the same address."""

    def __init__(self, serve: list[str]) -> None:
        self._serve = serve
        self._gateway = Serving(start("serve", *serve))
        self.url = self._gateway.url

    def kill_and_start(self) -> None:
        """End it as a power failure does, and begin its next life."""
        self.kill()
        self._gateway = Serving(start("serve", *self._serve))

    def kill(self) -> None:
        """End it for good."""
        self._gateway.process.kill()
        assert self._gateway.process.communicate()[1] == ""


@contextmanager
def surviving(serve: list[str]) -> Iterator[Lives]:
    """Serve, until the block is left."""
    lives = Lives(serve)
    try:
        yield lives
    finally:
        lives.kill()


async def check_conversation(url: str, page: Page, chat_ids: list[str], acks: dict[str, str]) -> None:
    """What the page has heard is the whole log, without a hole or a doubt; and the history is the same."""
    ledger = Ledger("session")
    reading = Reading(ledger, 2, is_exact=True)
    for event in page.events:
        if event["type"] in LOGGED:
            reading.hear(event)
    answers = read_answers(ledger.span(0, ledger.newest), dict.fromkeys(chat_ids, str(STEPS)))
    for answer in answers:
        answer.check(resumes=True)
    assert {answer.chat_id: answer.run_id for answer in answers} == acks
    async with connect(url, session_id=page.connected["session_id"]) as person:
        history = await person.command("session.history", {"limit": 500})
    check_history(history["messages"], answers)


@pytest.mark.slow
@pytest.mark.soak
async def test_a_page_outlives_a_gateway_that_is_killed_again_and_again(
    node: str, tmp_path: Path, report: Callable[[str], None]
) -> None:
    """What was asked in any life is answered once, and nothing is lost or doubled; not a word."""
    rng = random.Random(seed := random.randrange(10**6))
    port = free_port(rng)
    serve = counting(f"sqlite:{tmp_path / 'sessions.db'}", "--bind", f"127.0.0.1:{port}")
    chat_ids = [f"c{number}" for number in range(2 * KILLS)]
    acks: dict[str, str] = {}

    async def ask(page: Page) -> None:
        for chat_id in chat_ids:
            await page.until(is_free(list(acks)))
            acks[chat_id] = (await page.chat(str(STEPS), chat_id))["run_id"]
            await trio.sleep(rng.uniform(0, 0.3))

    with surviving(serve) as lives:
        async with (
            load(node, lives.url, reconnect=SOON, limits={"replyTimeout": HANG}, replay="exact") as page,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(ask, page)
            for _ in range(KILLS):
                await trio.sleep(rng.uniform(0.05, 0.5))
                lives.kill_and_start()
            await page.until(is_answered(*chat_ids))
            await check_conversation(lives.url, page, chat_ids, acks)
    losses = len(page.news("disconnected"))
    assert losses >= 1
    report(f"kill -9, a page, seed {seed}: {KILLS} kills, {losses} losses, {len(acks)} chats")


async def test_a_page_outlives_a_gateway_that_is_restarted(node: str, tmp_path: Path) -> None:
    """It is told of it; what it asks while the gateway stops is answered by the next one."""
    port = free_port(random.Random())
    serve = counting(f"sqlite:{tmp_path / 'sessions.db'}", "--bind", f"127.0.0.1:{port}")
    acks: dict[str, str] = {}

    async def ask(page: Page, chat_id: str) -> None:
        acks[chat_id] = (await page.chat(str(STEPS), chat_id))["run_id"]

    with serving(*serve) as first:
        async with (
            load(node, first.url, reconnect=SOON, limits={"replyTimeout": HANG}, replay="exact") as page,
            trio.open_nursery() as nursery,
        ):
            await ask(page, "early")
            first.process.terminate()
            await page.until(lambda page: any(event["type"] == "shutdown" for event in page.events))
            nursery.start_soon(ask, page, "late")
            await trio.to_thread.run_sync(first.process.wait)
            with serving(*serve) as second:
                await page.until(is_answered("early", "late"))
                [lost] = page.news("disconnected")
                assert lost["code"] == 1012
                assert page.news("open")[-1]["resumed"] is True
                await check_conversation(second.url, page, ["early", "late"], acks)
                assert second.stop()[0] == 0
