"""The registry: requests in order and in batches, replies to who asked, and a loud end."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Sequence

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.journal import JOURNAL_SIZE, Batch, Journal
from bamboo_gateway.protocol.messages import AgentToken, ChannelMessage, LoggedEvent
from bamboo_gateway.registry import (
    BATCH_SIZE,
    INBOX_SIZE,
    SPEECH_SIZE,
    Call,
    RegistryStatistics,
    SessionRegistry,
)
from bamboo_gateway.session.effects import Deliver, Effect, SaveSession
from bamboo_gateway.session.requests import (
    OPERATOR,
    AppendEvent,
    BroadcastEvent,
    CreateSession,
    EmitEvents,
    GetSession,
    ListChannels,
    Request,
)
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.table import SessionTable
from bamboo_gateway.storage.memory import MemoryStorage
from tests.backstage import HANG, backstage
from tests.session.tables import NOW, new_table

TOKEN = AgentToken("s1", "a")

CHANNEL_MESSAGE = ChannelMessage("news", "no event of a session")


@attrs.frozen
class Unheard(Request[None]):
    """A request that the table does not know: a bug."""


@pytest.fixture
def table() -> SessionTable:
    """An empty table."""
    return new_table()


@pytest.fixture
def journal() -> Journal:
    """A journal that does not run."""
    return Journal(MemoryStorage())


@pytest.fixture
def registry(table: SessionTable, journal: Journal) -> SessionRegistry:
    """A registry that does not run yet, and whose batches nobody takes."""
    return new_registry(table, journal)


def new_registry(
    table: SessionTable, journal: Journal, clock: Callable[[], float] = lambda: NOW
) -> SessionRegistry:
    """A registry with nothing in its storage."""

    async def load(session_id: str) -> None:
        await trio.lowlevel.checkpoint()

    return SessionRegistry(table, clock, journal, load)


async def take(journal: Journal) -> Batch:
    """The next batch, as the journal takes it."""
    with trio.fail_after(HANG):
        return await journal.batches.receive()


def settle(batch: Batch) -> None:
    """As the journal does in the end."""
    for step in batch:
        step.asker.settle()


def effects(batch: Batch) -> list[Effect]:
    """All that a batch lets out."""
    return [effect for step in batch for effect in step.effects]


def deliveries(batch: Batch) -> Sequence[int]:
    """The numbers of the entries that a batch lets out."""
    return [effect.entry.seq for effect in effects(batch) if isinstance(effect, Deliver)]


# ── replies ──────────────────────────────────────────────────────────────────


async def test_who_asks_is_given_the_reply() -> None:
    """Each one its own, of many at once."""
    async with backstage(max_sessions=50) as stage:
        replies: dict[str, Session] = {}

        async def create(session_id: str) -> None:
            replies[session_id] = await stage.ask(CreateSession("ann", session_id))

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(create, f"s{number}")
        assert len(replies) == 50
        assert all(session.id == session_id for session_id, session in replies.items())


async def test_a_refusal_reaches_who_asked_alone() -> None:
    """Others in the same batch have their replies, and the registry goes on."""
    async with backstage() as stage:
        outcomes: list[str] = []

        async def create() -> None:
            try:
                session = await stage.ask(CreateSession("ann", "s1"))
                outcomes.append(session.id)
            except GatewayError as error:
                outcomes.append(error.code)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(create)
        assert sorted(outcomes) == [ErrorCode.SESSION_EXISTS] * 2 + ["s1"]
        assert (await stage.ask(GetSession(OPERATOR, "s1"))).id == "s1"


async def test_who_tells_does_not_wait_for_it(registry: SessionRegistry, journal: Journal) -> None:
    """A refusal is only counted, and nobody is to be told of it."""
    await registry.tell(CreateSession("ann", "s1"))
    await registry.tell(AppendEvent("s1", CHANNEL_MESSAGE))
    await registry.tell(BroadcastEvent(TOKEN))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        batch = await take(journal)
        assert deliveries(batch) == [1]
        statistics = registry.statistics()
        assert (statistics.handled, statistics.refused) == (3, 1)
        nursery.cancel_scope.cancel()


# ── order and batches ────────────────────────────────────────────────────────


async def test_what_waits_is_done_in_one_batch_and_in_order(
    registry: SessionRegistry, journal: Journal
) -> None:
    """Up to so many requests share their effects; what is more is left for the next."""
    for _ in range(BATCH_SIZE + 3):
        await registry.tell(BroadcastEvent(TOKEN))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        # Each step counts, and each of its effects.
        half = BATCH_SIZE // 2
        assert deliveries(await take(journal)) == list(range(1, half + 1))
        assert deliveries(await take(journal)) == list(range(half + 1, BATCH_SIZE + 1))
        assert deliveries(await take(journal)) == list(range(BATCH_SIZE + 1, BATCH_SIZE + 4))
        nursery.cancel_scope.cancel()


def speech(batch: Batch) -> list[Sequence[LoggedEvent]]:
    """What turns have said, request by request."""
    requests = [step.asker.request for step in batch if isinstance(step.asker, Call)]
    return [request.events for request in requests if isinstance(request, EmitEvents)]


async def test_what_a_turn_says_in_one_go_is_one_request(registry: SessionRegistry, journal: Journal) -> None:
    """Each turn's own, in order; what is said after the registry has listened is another one."""
    for _ in range(3):
        await registry.emit("s1", "r1", TOKEN)
        await registry.emit("s2", "r2", TOKEN)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        assert speech(await take(journal)) == [[TOKEN] * 3, [TOKEN] * 3]
        await registry.emit("s1", "r1", TOKEN)
        assert speech(await take(journal)) == [[TOKEN]]
        nursery.cancel_scope.cancel()


async def test_a_turn_that_floods_waits_for_the_registry(registry: SessionRegistry, journal: Journal) -> None:
    """It may be ahead by so many events; other turns are not held up by it, and none is lost."""
    said = 0

    async def flood() -> None:
        nonlocal said
        for number in range(SPEECH_SIZE * 2 + 1):
            await registry.emit("s1", "r1", AgentToken("s1", str(number)))
            said += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(flood)
        await wait_all_tasks_blocked()
        assert said == SPEECH_SIZE
        await registry.emit("s2", "r2", TOKEN)
        nursery.start_soon(registry.run)
        heard: list[str] = []
        while len(heard) < SPEECH_SIZE * 2 + 1:
            for events in speech(await take(journal)):
                heard += [event.token for event in events if event is not TOKEN and type(event) is AgentToken]
        assert heard == [str(number) for number in range(SPEECH_SIZE * 2 + 1)]
        nursery.cancel_scope.cancel()


async def test_a_turn_waits_for_room_in_the_inbox(registry: SessionRegistry, journal: Journal) -> None:
    """What waits there is the registry's already: nothing is added to it, and nothing lost."""
    for _ in range(INBOX_SIZE):
        await registry.tell(BroadcastEvent(TOKEN))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.emit, "s1", "r1", TOKEN)
        nursery.start_soon(registry.emit, "s1", "r1", TOKEN)
        await wait_all_tasks_blocked()
        nursery.start_soon(registry.run)
        heard: list[LoggedEvent] = []
        while len(heard) < 2:
            heard += [event for events in speech(await take(journal)) for event in events]
        assert heard == [TOKEN, TOKEN]
        nursery.cancel_scope.cancel()


async def test_a_turn_is_told_that_the_registry_has_stopped(registry: SessionRegistry) -> None:
    """One that waits, and one that says something afterwards."""
    for _ in range(SPEECH_SIZE):
        await registry.emit("s1", "r1", TOKEN)
    async with trio.open_nursery() as nursery:

        async def say_more() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await registry.emit("s1", "r1", TOKEN)

        nursery.start_soon(say_more)
        await wait_all_tasks_blocked()
        registry.close()
    await say_more()


async def test_a_turn_that_was_cancelled_says_nothing_more(registry: SessionRegistry) -> None:
    """To say something is where a cancel is felt, though nothing is waited for."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await registry.emit("s1", "r1", TOKEN)
    assert scope.cancelled_caught


async def test_a_batch_has_one_time(table: SessionTable, journal: Journal) -> None:
    """The clock is looked at once for all that is done together."""
    times = iter([NOW, NOW + 1])
    registry = new_registry(table, journal, lambda: next(times))
    for session_id in ("s1", "s2"):
        await registry.tell(CreateSession("ann", session_id))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        batch = await take(journal)
        saved = [effect.session for effect in effects(batch) if isinstance(effect, SaveSession)]
        assert [session.created_at.timestamp() for session in saved] == [NOW, NOW]
        nursery.cancel_scope.cancel()


async def test_the_effects_of_a_refused_request_are_none(registry: SessionRegistry, journal: Journal) -> None:
    """What the others in its batch did goes out without it."""
    for session_id in ("s1", "s1", "s2"):
        await registry.tell(CreateSession("ann", session_id))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        assert len(effects(await take(journal))) == 2
        nursery.cancel_scope.cancel()


# ── back-pressure ────────────────────────────────────────────────────────────


async def test_who_finds_the_inbox_full_waits(registry: SessionRegistry, journal: Journal) -> None:
    """Nothing is dropped and nothing grows: the one too many goes on once there is room."""
    for _ in range(INBOX_SIZE):
        await registry.tell(BroadcastEvent(TOKEN))
    assert registry.statistics().inbox == INBOX_SIZE
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.tell, BroadcastEvent(TOKEN))
        await wait_all_tasks_blocked()
        assert registry.statistics().inbox == INBOX_SIZE
        nursery.start_soon(registry.run)
        seen: list[int] = []
        while len(seen) <= INBOX_SIZE:
            seen += deliveries(await take(journal))
        assert seen == list(range(1, INBOX_SIZE + 2))
        nursery.cancel_scope.cancel()


async def test_a_slow_journal_holds_the_registry_up(registry: SessionRegistry, journal: Journal) -> None:
    """So many batches wait for their commit; then requests wait, and who makes them."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        for _ in range(JOURNAL_SIZE + 3):
            await registry.tell(BroadcastEvent(TOKEN))
            await wait_all_tasks_blocked()
        assert registry.statistics().handled == JOURNAL_SIZE + 1
        assert registry.statistics().inbox == 2
        for _ in range(JOURNAL_SIZE + 1):
            await take(journal)
        assert deliveries(await take(journal)) == [JOURNAL_SIZE + 2, JOURNAL_SIZE + 3]
        nursery.cancel_scope.cancel()


# ── cancellation ─────────────────────────────────────────────────────────────


async def test_cancellation_abandons_the_reply_and_not_the_request(
    registry: SessionRegistry, journal: Journal, table: SessionTable
) -> None:
    """What the registry has taken it has done."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as asking:
                asking.start_soon(registry.ask, CreateSession("ann", "s1"))
                await wait_all_tasks_blocked()
                scope.cancel()
        assert scope.cancelled_caught
        settle(await take(journal))
        assert table.statistics().sessions == 1
        nursery.cancel_scope.cancel()


async def test_who_gives_up_before_there_is_room_has_asked_nothing(
    registry: SessionRegistry, journal: Journal
) -> None:
    """What was never in the inbox is never done."""
    for _ in range(INBOX_SIZE):
        await registry.tell(BroadcastEvent(TOKEN))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as asking:
            asking.start_soon(registry.ask, CreateSession("ann", "s1"))
            await wait_all_tasks_blocked()
            scope.cancel()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        for _ in range(INBOX_SIZE // BATCH_SIZE):
            await take(journal)
        await wait_all_tasks_blocked()
        assert registry.statistics() == RegistryStatistics(
            inbox=0, handled=INBOX_SIZE, refused=0, fetching=0, table=registry.statistics().table
        )
        assert registry.statistics().table.sessions == 0
        nursery.cancel_scope.cancel()


async def test_what_is_over_is_forgotten() -> None:
    """Neither an answered request nor an abandoned one stays in memory."""
    async with backstage() as stage:
        requests = [CreateSession("ann", "s1"), CreateSession("ann", "s2")]
        await stage.ask(requests[0])
        with trio.CancelScope() as scope:
            scope.cancel()
            await stage.ask(requests[1])
        await stage.ask(ListChannels(OPERATOR))  # the last one is still at hand
        traces = [weakref.ref(request) for request in requests]
        requests.clear()
        gc.collect()
        assert [trace() for trace in traces] == [None, None]


# ── the end ──────────────────────────────────────────────────────────────────


async def test_who_waits_when_it_stops_is_told(registry: SessionRegistry, journal: Journal) -> None:
    """Whether the request was done already, or waited in the inbox, or for room in it."""
    broken: list[str] = []

    async def ask(session_id: str) -> None:
        try:
            await registry.ask(CreateSession("ann", session_id))
        except trio.BrokenResourceError:
            broken.append(session_id)

    async with trio.open_nursery() as nursery:
        running = await nursery.start(run_until_cancelled, registry)
        nursery.start_soon(ask, "done")
        await wait_all_tasks_blocked()
        for _ in range(JOURNAL_SIZE):  # the journal takes none: from here on requests stay in the inbox
            await registry.tell(BroadcastEvent(TOKEN))
            await wait_all_tasks_blocked()
        nursery.start_soon(ask, "waits")
        await wait_all_tasks_blocked()
        for _ in range(INBOX_SIZE - registry.statistics().inbox):
            await registry.tell(BroadcastEvent(TOKEN))
        nursery.start_soon(ask, "waits for room")
        await wait_all_tasks_blocked()
        running.cancel()
    assert sorted(broken) == ["done", "waits", "waits for room"]


async def run_until_cancelled(
    registry: SessionRegistry, *, task_status: trio.TaskStatus[trio.CancelScope]
) -> None:
    """The registry, in a scope of its own."""
    with trio.CancelScope() as scope:
        task_status.started(scope)
        await registry.run()


async def test_after_its_end_nothing_can_be_asked(registry: SessionRegistry, journal: Journal) -> None:
    """Neither with a reply nor without; it is told at once."""
    with trio.CancelScope() as scope:
        scope.cancel()
        await registry.run()
    with pytest.raises(trio.BrokenResourceError):
        await registry.ask(GetSession(OPERATOR, "s1"))
    with pytest.raises(trio.BrokenResourceError):
        await registry.tell(BroadcastEvent(TOKEN))


async def test_a_bug_in_the_table_ends_it_loudly(registry: SessionRegistry, journal: Journal) -> None:
    """Better than to limp on: `run` raises, and who waits is told."""

    async def ask_with_a_bug() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await registry.ask(Unheard())

    async def ask_beside_it() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await registry.ask(CreateSession("ann", "s1"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_beside_it)
        nursery.start_soon(ask_with_a_bug)
        await wait_all_tasks_blocked()
        with pytest.RaisesGroup(KeyError):
            await registry.run()
    with pytest.raises(trio.EndOfChannel):
        journal.batches.receive_nowait()


async def test_statistics_tell_how_it_does(
    registry: SessionRegistry, journal: Journal, table: SessionTable
) -> None:
    """What waits, what was done and what was refused, and what there is."""
    await registry.tell(CreateSession("ann", "s1"))
    await registry.tell(CreateSession("ann", "s1"))
    assert registry.statistics() == RegistryStatistics(2, 0, 0, 0, table.statistics())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(registry.run)
        await take(journal)
        assert registry.statistics() == RegistryStatistics(0, 2, 1, 0, table.statistics())
        assert table.statistics().sessions == 1
        nursery.cancel_scope.cancel()
