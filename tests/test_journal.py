"""The journal: committed, then let out, then answered; many batches a commit; and a storage that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
from hypothesis import given, strategies as st
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from bamboo_gateway.errors import ErrorCode, GatewayError, StorageError
from bamboo_gateway.journal import MAX_RETRY_INTERVAL, RETRY_INTERVAL, Batch, Journal, JournalStatistics, Step
from bamboo_gateway.session.effects import Change, Dismiss, DropSession, Effect, SaveSession
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.memory import MemoryStorage
from tests.backstage import HANG
from tests.session.test_live import BORN

FULL = StorageError("the disk is full")


class RecordingStorage(MemoryStorage):
    """Storage in memory that writes down what it was given, and can be made to wait or to fail."""

    def __init__(self, record: list[tuple[str, Any]]) -> None:
        super().__init__()
        self.is_instant = False
        self._record = record
        self.open_gate = trio.Event()
        self.open_gate.set()
        self.fault: Exception | None = None

    async def commit(self, changes: Sequence[Change]) -> None:
        """Commit when the gate is open."""
        await self.open_gate.wait()
        if self.fault:
            raise self.fault
        await super().commit(changes)
        self._record.append(("commit", list(changes)))


@attrs.define(eq=False)
class Asker:
    """Somebody who waits, and what came of it."""

    record: list[tuple[str, Any]]
    name: object
    errors: list[ErrorCode] = attrs.field(factory=list)

    def settle(self) -> None:
        """It is durable."""
        self.record.append(("reply", self.name))

    def refuse(self, error: Exception) -> None:
        """It may not be."""
        assert isinstance(error, GatewayError)
        self.errors.append(error.code)


@attrs.define
class Desk:
    """A journal, the way into it, and what came out of it, in the order in which it did."""

    journal: Journal
    storage: RecordingStorage
    record: list[tuple[str, Any]] = attrs.field(factory=list)

    async def deliver(self, effects: Sequence[Effect]) -> None:
        """Let out."""
        await trio.lowlevel.checkpoint()
        if effects:
            self.record.append(("deliver", list(effects)))

    def step(self, name: object, *effects: Effect, may_go_on: bool = False) -> Step:
        """What somebody has asked for."""
        return Step(Asker(self.record, name), effects, may_go_on)

    async def send(self, *steps: Step) -> None:
        """Hand over one batch."""
        await self.journal.write(steps)

    def let_out(self) -> list[Effect]:
        """All that was let out so far."""
        return [effect for what, effects in self.record if what == "deliver" for effect in effects]


@asynccontextmanager
async def desk(*, is_instant: bool = False) -> AsyncIterator[Desk]:
    """A journal that runs as long as the block."""
    record: list[tuple[str, Any]] = []
    storage = RecordingStorage(record)
    storage.is_instant = is_instant
    here = Desk(Journal(storage), storage, record)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(here.journal.run, here.deliver)
        yield here
        here.journal.close()
        nursery.cancel_scope.deadline = trio.current_time() + HANG


def save(session_id: str, user_id: str = "ann") -> SaveSession:
    """A change."""
    return SaveSession(Session(session_id, user_id, BORN, BORN, number=sum(session_id.encode())))


def errors(*steps: Step) -> list[list[ErrorCode]]:
    """What each asker was refused with."""
    found = []
    for step in steps:
        assert isinstance(step.asker, Asker)
        found.append(step.asker.errors)
    return found


changes = st.sampled_from(["a", "b", "c"]).map(save) | st.sampled_from(["a", "b", "c"]).map(DropSession)
effects = st.lists(changes | st.sampled_from(["c1", "c2"]).map(Dismiss), max_size=4)


@given(
    batches=st.lists(effects, max_size=8),
    pauses=st.lists(st.booleans(), min_size=8, max_size=8),
    is_instant=st.booleans(),
)
async def test_nobody_sees_what_could_be_forgotten(
    batches: list[list[Effect]], pauses: list[bool], *, is_instant: bool
) -> None:
    """Each step is committed as far as it changes something, then let out, then answered; in order, once."""
    async with desk(is_instant=is_instant) as here:
        for number, (batch, pause) in enumerate(zip(batches, pauses, strict=False)):
            await here.send(here.step(number, *batch))
            if pause:
                await wait_all_tasks_blocked()
    committed: list[Effect] = []
    delivered: list[Effect] = []
    replies: list[int] = []
    for what, content in here.record:
        if what == "commit":
            committed += content
        elif what == "deliver":
            delivered += content
            assert [each for each in delivered if not isinstance(each, Dismiss)] == committed
        else:
            replies.append(content)
            assert len(delivered) >= sum(len(batch) for batch in batches[: content + 1])
    assert delivered == [effect for batch in batches for effect in batch]
    assert replies == list(range(len(batches)))


async def test_where_nothing_waits_no_other_task_is_asked() -> None:
    """A batch is through when it was written: committed, let out, answered."""
    async with desk(is_instant=True) as here:
        await wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            await here.send(here.step("a", save("s1")))
            assert [what for what, _ in here.record] == ["commit", "deliver", "reply"]
        assert not scope.cancelled_caught


async def test_after_an_outage_nothing_overtakes_what_was_held() -> None:
    """An instant storage that has failed is written to by one task alone from then on."""
    async with desk(is_instant=True) as here:
        await wait_all_tasks_blocked()
        here.storage.fault = StorageError("the disk is full")
        held, later = here.step("a", save("s1")), here.step("b", save("s2"))
        await here.send(held)
        await wait_all_tasks_blocked()
        assert errors(held) == [[ErrorCode.STORAGE_UNAVAILABLE]]
        here.storage.fault = None
        await here.send(later)
        with trio.fail_after(HANG):
            await here.journal.wait_well()
        await wait_all_tasks_blocked()
        assert here.let_out() == [save("s1"), save("s2")]


async def test_while_one_commit_lasts_the_next_gathers() -> None:
    """Three batches that came meanwhile cost one commit and one delivery."""
    async with desk() as here:
        here.storage.open_gate = trio.Event()
        await here.send(here.step(0, save("first")))
        await wait_all_tasks_blocked()
        for number in range(3):
            await here.send(here.step(number, save(f"s{number}"), Dismiss(f"c{number}")))
        here.storage.open_gate.set()
    together = [effect for number in range(3) for effect in (save(f"s{number}"), Dismiss(f"c{number}"))]
    assert [entry for entry in here.record if entry[0] != "reply"] == [
        ("commit", [save("first")]),
        ("deliver", [save("first")]),
        ("commit", [save(f"s{number}") for number in range(3)]),
        ("deliver", together),
    ]
    assert here.journal.statistics() == JournalStatistics(False, held=0, commits=2, failures=0, changes=4)
    measured = here.journal.histograms()
    assert (measured.changes.count, measured.changes.sum) == (2, 4)
    assert measured.commit_time.count == 2
    assert measured.delivery_lag.count == 4, "each batch was on its way for a time of its own"


async def test_a_batch_in_place_is_measured_like_any_other() -> None:
    """Its size, and its time on the way; the commit takes none, and what changes nothing is no commit."""
    async with desk(is_instant=True) as here:
        await wait_all_tasks_blocked()  # so that `run` runs
        await here.send(here.step("one", save("s1")), here.step("two", save("s2")))
        await here.send(here.step("three", Dismiss("c1")))
    measured = here.journal.histograms()
    assert (measured.changes.count, measured.changes.sum) == (1, 2)
    assert (measured.commit_time.count, measured.delivery_lag.count) == (0, 2)


async def test_an_outage_is_in_no_histogram(autojump_clock: MockClock) -> None:
    """Nothing of what it holds up is measured but the commit that ends it: it would hide all else."""
    async with desk() as here:
        here.storage.fault = FULL
        await here.send(here.step("held", save("s1")))
        await wait_all_tasks_blocked()
        await here.send(here.step("held, too", save("s2")))
        await wait_all_tasks_blocked()
        assert here.journal.histograms().commit_time.count == 0
        here.storage.fault = None
        await here.journal.wait_well()
        await here.send(here.step("after", save("s3")))
    measured = here.journal.histograms()
    assert (measured.changes.count, measured.changes.sum) == (2, 3)
    assert measured.delivery_lag.count == 1


async def test_what_changes_nothing_waits_for_no_storage() -> None:
    """A step without a change is let out without a commit."""
    async with desk() as here:
        here.storage.fault = FULL
        await here.send(here.step("asked", Dismiss("c1")))
    assert here.record == [("deliver", [Dismiss("c1")]), ("reply", "asked")]


async def test_it_ends_with_the_registry() -> None:
    """What was handed over before is still let out."""
    async with desk() as here:
        await here.send(here.step("asked", Dismiss("c1")))
    assert here.let_out() == [Dismiss("c1")]


async def test_a_bug_of_the_storage_ends_it_loudly() -> None:
    """What is no `StorageError` is nobody's to wait out; nothing is let out of what was not committed."""
    with pytest.RaisesGroup(pytest.RaisesExc(TypeError, match="a slip")):
        async with desk() as here:
            here.storage.fault = TypeError("a slip")
            await here.send(here.step("asked", save("s1"), Dismiss("c1")))
            await trio.sleep_forever()
    assert here.record == []


# ── a storage that fails ─────────────────────────────────────────────────────


async def test_what_was_not_committed_is_not_acked(autojump_clock: MockClock) -> None:
    """Who asked is told at once that nothing is promised; when it is well, all comes out, in order."""
    async with desk() as here:
        here.storage.fault = FULL
        first = [here.step("a", save("a"), Dismiss("a")), here.step("b", Dismiss("b"))]
        await here.send(*first)
        await wait_all_tasks_blocked()
        later = here.step("c", save("c"), Dismiss("c"))
        await here.send(later)
        await wait_all_tasks_blocked()
        assert here.record == []
        assert errors(*first, later) == [[ErrorCode.STORAGE_UNAVAILABLE]] * 3
        assert here.journal.statistics().is_failing
        assert here.journal.statistics().held == 3
        here.storage.fault = None
        with trio.fail_after(HANG):
            await here.journal.wait_well()
    assert here.record == [
        ("commit", [save("a"), save("c")]),
        ("deliver", [save("a"), Dismiss("a"), Dismiss("b"), save("c"), Dismiss("c")]),
        ("reply", "a"),
        ("reply", "b"),
        ("reply", "c"),
    ]
    assert not here.journal.statistics().is_failing
    assert here.journal.statistics().held == 0


async def test_what_promises_nothing_goes_on(autojump_clock: MockClock) -> None:
    """It overtakes what is held; what it saves waits in its place, the newest of each session."""
    async with desk() as here:
        here.storage.fault = FULL
        await here.send(here.step("held", save("a", "held")))
        await wait_all_tasks_blocked()
        for name in ("1", "2"):
            await here.send(here.step(name, save("a", name), Dismiss(name), may_go_on=True))
        await wait_all_tasks_blocked()
        assert here.record == [
            ("deliver", [save("a", "1"), Dismiss("1")]),
            ("reply", "1"),
            ("deliver", [save("a", "2"), Dismiss("2")]),
            ("reply", "2"),
        ]
        assert here.journal.statistics().held == 1
        here.record.clear()
        here.storage.fault = None
        with trio.fail_after(HANG):
            await here.journal.wait_well()
    assert here.record[0] == ("commit", [save("a", "held"), save("a", "2")])


async def test_the_last_save_wins(autojump_clock: MockClock) -> None:
    """Who goes on and saves a session before it is renamed or dropped does not undo that."""
    async with desk() as here:
        here.storage.fault = FULL
        looks = [here.step(name, save(name, "old"), may_go_on=True) for name in ("a", "b")]
        await here.send(here.step("held", save("c")), *looks, here.step("renames", save("a", "new")))
        await here.send(here.step("drops", DropSession("b")))
        await wait_all_tasks_blocked()
        here.storage.fault = None
        with trio.fail_after(HANG):
            await here.journal.wait_well()
        found = [(each.id, each.user_id) for each in await here.storage.list(None, -1, 9)]
    assert found == [("a", "new"), ("c", "ann")]


async def test_nothing_overtakes_what_moves_the_same_connection(autojump_clock: MockClock) -> None:
    """Moved first and let out last, it would undo where the connection has gone since; others go on."""
    async with desk() as here:
        here.storage.fault = FULL
        await here.send(here.step("held", save("a"), Dismiss("c1")))
        await wait_all_tasks_blocked()
        moves = here.step("moves", Dismiss("c1"), may_go_on=True)
        await here.send(moves, here.step("other", Dismiss("c2"), may_go_on=True))
        await wait_all_tasks_blocked()
        assert here.let_out() == [Dismiss("c2")]
        assert errors(moves) == [[ErrorCode.STORAGE_UNAVAILABLE]]
        here.storage.fault = None
        with trio.fail_after(HANG):
            await here.journal.wait_well()
    assert here.let_out() == [Dismiss("c2"), save("a"), Dismiss("c1"), Dismiss("c1")]


async def test_it_tries_again_and_again_but_not_without_a_pause(autojump_clock: MockClock) -> None:
    """The pauses double up to a bound; what comes meanwhile shortens none of them."""
    async with desk() as here:
        here.storage.fault = FULL
        await here.send(here.step("held", save("a")))
        for _ in range(100):
            await trio.sleep(1.0)
            await here.send(here.step("looks", may_go_on=True))
        failures = here.journal.statistics().failures
        assert 100 / MAX_RETRY_INTERVAL <= failures <= 100 / MAX_RETRY_INTERVAL + 8
        assert RETRY_INTERVAL < MAX_RETRY_INTERVAL
        here.storage.fault = None
        with trio.fail_after(HANG):
            await here.journal.wait_well()


async def test_it_says_so_once(autojump_clock: MockClock) -> None:
    """An outage is two lines in the log, however long: that it began, with the cause, and that it is over."""
    with capture_logs() as logs:
        async with desk() as here:
            here.storage.fault = FULL
            await here.send(here.step("held", save("a")))
            await trio.sleep(60.0)
            here.storage.fault = None
            await here.journal.wait_well()
    told = [(entry["event"], entry.get("error")) for entry in logs]
    assert told == [("storage failed", "the disk is full"), ("storage is well again", None)]


async def test_the_end_of_the_registry_ends_an_outage(autojump_clock: MockClock) -> None:
    """One last try; what could not be committed is lost, and nobody has seen it."""
    with capture_logs() as logs:
        async with desk() as here:
            here.storage.fault = FULL
            await here.send(here.step("held", save("a")))
            await wait_all_tasks_blocked()
    assert here.record == []
    assert logs[-1]["event"] == "what was not committed is lost"


@given(
    steps=st.lists(st.tuples(effects, st.booleans(), st.booleans()), max_size=12),
    begins_well=st.booleans(),
)
async def test_an_outage_loses_nothing_and_shows_nothing(
    steps: list[tuple[list[Effect], bool, bool]], begins_well: bool
) -> None:
    """Whenever it fails and heals, all is let out in the end, nothing twice, and nothing early."""
    async with desk() as here:
        here.storage.fault = None if begins_well else FULL
        sent: list[Effect] = []
        held: list[Effect] = []
        for number, (found, may_go_on, toggles) in enumerate(steps):
            if toggles:
                here.storage.fault = None if here.storage.fault else FULL
            allowed = [each for each in found if not may_go_on or isinstance(each, Dismiss | SaveSession)]
            sent += allowed
            held += [] if may_go_on else allowed
            await here.send(here.step(number, *allowed, may_go_on=may_go_on))
            await wait_all_tasks_blocked()
            let_out = here.let_out()
            committed = [each for what, group in here.record if what == "commit" for each in group]
            strict = [each for each in let_out if isinstance(each, DropSession)]
            assert all(each in committed for each in strict)
        here.storage.fault = None
        with trio.fail_after(HANG):
            await here.journal.wait_well()
        await wait_all_tasks_blocked()
    assert sorted(map(repr, here.let_out())) == sorted(map(repr, sent))
    assert [each for each in here.let_out() if each in held and held.count(each) == sent.count(each)] == [
        each for each in held if held.count(each) == sent.count(each)
    ]


def test_a_batch_is_a_sequence_of_steps() -> None:
    """A step knows what of its effects has to be committed."""
    batch: Batch = [Step(Asker([], "a"), [Dismiss("c"), save("s")])]
    assert batch[0].changes == [save("s")]
