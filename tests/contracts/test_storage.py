"""What every adapter of `ports.SessionStorage` promises: what was committed is there, in its order."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from bamboo_gateway.ports import SessionStorage
from bamboo_gateway.protocol.messages import AgentToken, Chat, ChatAccepted, LoggedEvent
from bamboo_gateway.session.effects import (
    Change,
    Deliver,
    DropChannel,
    DropSession,
    DropShare,
    SaveChannel,
    SaveMessage,
    SaveOutcome,
    SaveRun,
    SaveSession,
    SaveShare,
    Trim,
)
from bamboo_gateway.session.history import HistoryMessage, NumberedMessage
from bamboo_gateway.session.log import Entry, Log, LogLimits
from bamboo_gateway.session.outcomes import MessageKey, Outcome
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.stored import Run, StoredLog, StoredState
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.contracts import storage_values
from tests.contracts.storage_model import Owned, StorageModel, as_values, durable, newest
from tests.contracts.storage_steps import (
    NEW_YEAR,
    WIDE,
    Clock,
    Expire,
    Reopen,
    Step,
    actions,
    entry,
    everybody,
    log_of,
    session_id,
)
from tests.strategies import instances, logged_events

Place: TypeAlias = Callable[[], SessionStorage]
"""Where an adapter keeps things: each call gives it as the next process finds it, unopened."""


@contextmanager
def memory() -> Iterator[Place]:
    """An object, which is all that there is of it."""
    storage = MemoryStorage()
    yield lambda: storage


@contextmanager
def sqlite() -> Iterator[Place]:
    """A new file."""
    with tempfile.TemporaryDirectory() as folder:
        # What is promised here is the same, and to wait for the disk takes most of the time.
        yield lambda: SQLiteStorage(Path(folder) / "gateway.db", "normal")


# Name of the adapter → a new place of it: a further one joins by one line.
ADAPTERS: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "memory": memory,
    "sqlite": sqlite,
}

every_adapter = pytest.mark.parametrize("new_place", ADAPTERS.values(), ids=ADAPTERS)
NewPlace = Callable[[], AbstractContextManager[Place]]

on_disk = settings(max_examples=min(settings().max_examples, 1_500))
"""An example may take 100 ms, and a test 300 s."""

ALL = 2**40
"""More bytes than there are."""


@asynccontextmanager
async def opened(place: Place, limits: LogLimits = WIDE) -> AsyncIterator[tuple[SessionStorage, StoredState]]:
    """A storage for as long as the block lasts, and what it began with."""
    storage = place()
    state = await storage.open(limits)
    try:
        yield storage, state
    finally:
        await storage.aclose()


def session(number: int, user_id: str = "ann") -> Session:
    """A session that nothing is to be said of."""
    return Session(session_id(number), user_id, NEW_YEAR, NEW_YEAR, number=number)


def tokens(number: int, seqs: Sequence[int], ts: int = 0) -> list[Change]:
    """Entries of a log, each 10 ms after the one before."""
    return [
        Deliver(log_of(number), entry(seq, ts + 10 * seq, AgentToken("s", f"token {seq}"))) for seq in seqs
    ]


async def read_log(storage: SessionStorage, number: int, limits: LogLimits = WIDE) -> StoredLog:
    """The log of a session."""
    stored = await storage.load(session_id(number), limits, ALL)
    assert stored is not None
    return attrs.evolve(stored.log, entries=tuple(stored.log.entries))


async def read_seqs(storage: SessionStorage, number: int) -> list[int]:
    """What is there of the log of a session."""
    return [each.seq for each in (await read_log(storage, number)).entries]


async def read_list(storage: SessionStorage, user_id: str | None, limit: int, **asked: Any) -> list[int]:
    """The numbers of all that a list has, page by page."""
    numbers: list[int] = []
    after = 0
    while page := await storage.list(user_id, after, limit, **asked):
        assert len(page) <= limit
        numbers += [each.number for each in page]
        after = numbers[-1]
    return numbers


# ── everything that was committed is there ───────────────────────────────────


NAMES = [
    "Tea",
    "tea for two",
    "100%",
    "a_b",
    "back\\slash",
    "STRASSE",
    "straße",
    "Ärger",
    "竹",
    "nil\0",
    None,
]


@every_adapter
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("TEA", ["Tea", "tea for two"]),
        ("Tea ", ["tea for two"]),
        ("%", ["100%"]),
        ("_", ["a_b"]),
        ("\\", ["back\\slash"]),
        ("strasse", ["STRASSE", "straße"]),
        ("äRG", ["Ärger"]),
        ("竹", ["竹"]),
        ("\0", ["nil\0"]),
        ("S11", [None]),
        ("BOB", [None]),
        ("nobody", []),
        ("", NAMES),
    ],
)
async def test_a_search_finds_a_piece_of_text_in_any_case(
    new_place: NewPlace, search: str, found: list[str | None]
) -> None:
    """In a session's name, id, or owner's id; and each character means itself, whatever SQL makes of it."""
    owners = ["ann"] * (len(NAMES) - 1) + ["bob"]
    made = [
        attrs.evolve(session(number, owner), name=name)
        for number, (name, owner) in enumerate(zip(NAMES, owners, strict=True), start=1)
    ]
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit([SaveSession(each) for each in made])
            assert [each.name for each in await storage.list(None, 0, 99, search=search)] == found


@every_adapter
async def test_pages_join_to_the_whole_list(new_place: NewPlace) -> None:
    """Each session is in one page, in either order, however many there are and however few a search finds."""
    numbers = range(1, 2_102)
    made: list[Change] = [
        SaveSession(attrs.evolve(session(number, "bob" if number % 2 else "ann"), name=str(number % 300)))
        for number in numbers
    ]
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit(
                [*made, *(SaveShare(number, "bob", "read") for number in range(2, 2_101, 4))]
            )
            bobs = [number for number in numbers if number % 2 or number % 4 == 2]
            for user_id, theirs in ((None, [*numbers]), ("bob", bobs), ("eve", [])):
                rare = [number for number in theirs if "299" in f"{number % 300} {session_id(number)}"]
                for newest_first in (False, True):
                    step = -1 if newest_first else 1
                    asked: Any = {"newest_first": newest_first}
                    assert await read_list(storage, user_id, 400, **asked) == theirs[::step]
                    assert await read_list(storage, user_id, 2, search="299", **asked) == rare[::step]


@every_adapter
async def test_it_begins_empty(new_place: NewPlace) -> None:
    """Nothing was saved, so nothing is there; but there is an epoch."""
    with new_place() as place:
        async with opened(place) as (storage, state):
            assert state.epoch
            check_state(state, StorageModel())
            assert await storage.load("a", WIDE, ALL) is None
            assert list(await storage.list(None, 0, 10)) == []
            assert list(await storage.read_messages("a", 0, 10)) == []
            assert list(await storage.find_inactive(2**40, 10)) == []


@every_adapter
@on_disk
@given(first=everybody, story=st.lists(actions, min_size=2, max_size=8), data=st.data())
async def test_what_was_committed_is_there(
    new_place: NewPlace,
    first: Sequence[Step],
    story: Sequence[Sequence[Step] | Expire | Reopen],
    data: st.DataObject,
) -> None:
    """Whatever is committed, dropped, trimmed or expired: every read tells of it, and so after a restart."""
    model, clock = StorageModel(), Clock()
    with new_place() as place:
        storage = place()
        state = await storage.open(WIDE)
        try:
            for action in [first, *story, Reopen()]:
                match action:
                    case Reopen():
                        await check_reads(storage, model, state.epoch, data)
                        await storage.aclose()
                        storage = place()
                        state = await storage.open(WIDE)
                        check_state(state, model)
                    case Expire(age, max_log_bytes, outcome_age):
                        limits = (clock.now - age, max_log_bytes, clock.now - outcome_age)
                        await storage.expire(*limits)
                        model.expire(*limits)
                    case steps:
                        await storage.commit(make_batch(steps, clock, model))
            await check_reads(storage, model, state.epoch, data)
        finally:
            await storage.aclose()


@every_adapter
@on_disk
@given(
    saved=storage_values.sessions,
    event=logged_events,
    message=storage_values.history_messages,
    chat=instances(Chat),
    outcome=storage_values.outcomes,
    guest=st.text(),
)
async def test_values_come_back_as_they_were(
    new_place: NewPlace,
    saved: Session,
    event: LoggedEvent,
    message: HistoryMessage,
    chat: Chat,
    outcome: Outcome,
    guest: str,
) -> None:
    """Every text, number, moment and JSON value that may be said is read back to the letter."""
    owner = saved.number
    its_log = Log(saved.id, "epoch", WIDE, number=owner)
    appended = entry(1, outcome.ts, event)
    numbered = NumberedMessage(2**40, message, seq=2**50, size_bytes=3)
    with new_place() as place:
        async with opened(place) as (storage, state):
            await storage.commit(
                [
                    SaveSession(saved),
                    Deliver(its_log, appended),
                    SaveMessage(owner, numbered),
                    SaveRun(owner, message.run_id, chat),
                    SaveOutcome(owner, outcome),
                    SaveShare(owner, guest, "chat"),
                ]
            )
            stored = await storage.load(saved.id, WIDE, ALL)
            assert stored is not None
            assert stored.session == attrs.evolve(
                saved, last_seq=1, epoch=state.epoch, shares={guest: "chat"}
            )
            assert as_values(stored.log.entries) == as_values([appended])
            assert list(stored.messages) == [numbered]
            assert list(stored.runs) == [Run(message.run_id, chat)]
            assert list(stored.outcomes) == [outcome]
            assert list(await storage.read_messages(saved.id, 2**40, 2**41)) == [numbered]
            assert list(await storage.list(saved.user_id, 0, 1)) == [stored.session]
            assert list(await storage.list(guest, 0, 1)) == [stored.session]


def make_batch(steps: Sequence[Step], clock: Clock, model: StorageModel) -> list[Change]:
    """The changes of one batch; the model has them already."""
    batch: list[Change] = []
    for step in steps:
        changes = step(clock, model)
        model.commit(changes)
        batch += changes
    return batch


def check_state(state: StoredState, model: StorageModel) -> None:
    """What a gateway begins with."""
    assert state.sessions == Counter(owned.session.user_id for owned in model.sessions.values())
    assert (state.last_number, state.lowest_channel) == (model.last_number, model.lowest_channel)
    channels = [model.channels[number] for number in sorted(model.channels, reverse=True)]
    assert [(it.number, it.name, it.members, it.user_id) for it in state.channels] == [
        (it.number, it.name, it.members, it.user_id) for it in channels
    ]
    for channel in state.channels:
        check_log(channel.log, model, channel.number)
    assert sorted(state.unfinished) == sorted(it.session.id for it in model.ordered() if it.runs)


def check_log(log: StoredLog, model: StorageModel, number: int, limits: LogLimits = WIDE) -> None:
    """A log holds what it must, and nothing that was forgotten."""
    expected = model.log(number)
    assert log.last_seq == expected.last_seq
    read = as_values(log.entries)
    assert read == as_values(expected.entries)[len(expected.entries) - len(read) :]
    assert len(read) >= len(newest(expected.entries, limits))


async def check_reads(storage: SessionStorage, model: StorageModel, epoch: str, data: st.DataObject) -> None:
    """Every way to read."""
    for owned in model.ordered():
        await check_session(storage, model, owned, epoch)
        await check_parts(storage, model, owned, data)
    await check_lists(storage, [as_read(owned, model, epoch) for owned in model.ordered()], data)


async def check_session(storage: SessionStorage, model: StorageModel, owned: Owned, epoch: str) -> None:
    """All that is known of a session."""
    stored = await storage.load(owned.session.id, WIDE, ALL)
    assert stored is not None
    assert stored.session == as_read(owned, model, epoch)
    check_log(stored.log, model, owned.session.number)
    assert list(stored.messages) == owned.conversation()
    assert [(run.run_id, run.chat) for run in stored.runs] == list(owned.runs.items())
    assert list(stored.outcomes) == list(owned.outcomes.values())


async def check_parts(
    storage: SessionStorage, model: StorageModel, owned: Owned, data: st.DataObject
) -> None:
    """The newest that is known of a session, and any part of its conversation."""
    messages = owned.conversation()
    limits = LogLimits(data.draw(st.integers(1, 5)), data.draw(st.integers(0, 500)))
    history_bytes = data.draw(st.integers(0, 200))
    stored = await storage.load(owned.session.id, limits, history_bytes)
    assert stored is not None
    check_log(stored.log, model, owned.session.number, limits)
    check_newest(stored.messages, messages, history_bytes)

    first, end = sorted(data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5))))
    part = [message for message in messages if first <= message.number < end]
    assert list(await storage.read_messages(owned.session.id, first, end)) == part


async def check_lists(storage: SessionStorage, sessions: Sequence[Session], data: st.DataObject) -> None:
    """A page of all sessions, of those of one user, and of those that nobody has used for a while."""
    after, limit = data.draw(st.integers(0, 3)), data.draw(st.integers(1, 3))
    newest_first, search = data.draw(st.booleans()), data.draw(st.sampled_from(["", "A", "tea", "2", "_"]))
    asked: Any = {"newest_first": newest_first, "search": search}
    rest = [
        session
        for session in (reversed(sessions) if newest_first else sessions)
        if not after or ((session.number < after) == newest_first and session.number != after)
        if any(search.lower() in text.lower() for text in (session.id, session.name or "", session.user_id))
    ]
    assert list(await storage.list(None, after, limit, **asked)) == rest[:limit]
    for user in ("ann", "cat"):
        theirs = [session for session in rest if session.user_id == user or user in session.shares]
        assert list(await storage.list(user, after, limit, **asked)) == theirs[:limit]

    before = data.draw(st.sampled_from([it.last_activity for it in sessions] or [NEW_YEAR]))
    idle = sorted(it.last_activity for it in sessions if it.last_activity <= before)
    active = {it.id: it.last_activity for it in sessions}
    found = await storage.find_inactive(before.timestamp(), limit)
    assert [active[each] for each in found] == idle[:limit]


def as_read(owned: Owned, model: StorageModel, epoch: str) -> Session:
    """A session as it comes back."""
    last_seq = model.log(owned.session.number).last_seq
    return attrs.evolve(durable(owned.session), last_seq=last_seq, epoch=epoch, shares=owned.shares)


def check_newest(
    read: Sequence[NumberedMessage], messages: Sequence[NumberedMessage], history_bytes: int
) -> None:
    """The newest messages are there; those that find room, and the last with what it answers in any case."""
    assert list(read) == list(messages)[len(messages) - len(read) :]
    is_running = bool(messages) and messages[-1].message.status == "running"
    assert len(read) >= min(len(messages), 1 + is_running)
    if len(read) < len(messages):
        rest = messages[len(messages) - len(read) - 1 :]
        assert sum(message.size_bytes for message in rest) > history_bytes


# ── what follows from that, and would be missed by chance ────────────────────


@every_adapter
async def test_a_batch_that_comes_again_changes_nothing(new_place: NewPlace) -> None:
    """A gateway that was not told that its commit succeeded repeats it; it may have been trimmed since."""
    batch = [SaveSession(session(1)), *tokens(1, range(1, 9)), Trim(log_of(1), 4)]
    with new_place() as place:
        async with opened(place) as (storage, _):
            for _ in range(3):
                await storage.commit(batch)
                log = await read_log(storage, 1)
                assert [each.seq for each in log.entries] == [4, 5, 6, 7, 8]
                assert log.last_seq == 8
            assert len(await storage.list(None, 0, 10)) == 1


@every_adapter
async def test_one_batch_may_grow_a_log_and_cut_it_and_grow_it_again(new_place: NewPlace) -> None:
    """The order of changes counts, within a batch as between two; and ages are known afterwards."""
    with new_place() as place:
        async with opened(place) as (storage, _):
            grown = [SaveSession(session(1)), *tokens(1, range(1, 6))]
            await storage.commit([*grown, Trim(log_of(1), 3), *tokens(1, range(6, 9))])
            assert await read_seqs(storage, 1) == [3, 4, 5, 6, 7, 8]
            await storage.expire(50, ALL, 0)
            assert await read_seqs(storage, 1) == [5, 6, 7, 8]


@every_adapter
async def test_a_turn_that_is_saved_again_keeps_its_place(new_place: NewPlace) -> None:
    """Turns wait in the order in which they were promised, whatever becomes known of one later."""
    first, second, other = (Chat(text, "s1") for text in ("first", "second", "other"))
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit([SaveSession(session(1)), SaveRun(1, "b", first), SaveRun(1, "a", second)])
            await storage.commit([SaveRun(1, "b", other)])
            stored = await storage.load(session_id(1), WIDE, ALL)
            assert stored is not None
            assert list(stored.runs) == [Run("b", other), Run("a", second)]


@every_adapter
async def test_numbers_count_on_whatever_was_cut(new_place: NewPlace) -> None:
    """`last_seq` stays when no entry is left, over a restart as well: no two events have one number."""
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit([SaveSession(session(1)), *tokens(1, [1, 2, 3])])
            await storage.commit([Trim(log_of(1), 99)])
            assert await read_log(storage, 1) == StoredLog(3)
        async with opened(place) as (storage, _):
            assert await read_log(storage, 1) == StoredLog(3)
            await storage.commit(tokens(1, [4]))
            await storage.expire(2**50, 0, 0)
            assert await read_log(storage, 1) == StoredLog(4)


@every_adapter
async def test_a_session_s_number_is_never_given_again(new_place: NewPlace) -> None:
    """The newest one is deleted, and still known as the last number."""
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit([SaveSession(session(7)), DropSession(session_id(7))])
        async with opened(place) as (_, state):
            assert (state.sessions, state.last_number) == ({}, 7)


@every_adapter
async def test_nothing_of_a_dropped_session_comes_back(new_place: NewPlace) -> None:
    """What is said of it afterwards is nothing, and one of the same name begins anew."""
    chat, said = Chat("hi", session_id(1)), HistoryMessage("user", "hi", "r1", 0)
    late = [SaveRun(1, "r1", chat), SaveMessage(1, NumberedMessage(0, said)), *tokens(1, [1, 2])]
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit([SaveSession(session(1)), *late, DropSession(session_id(1)), *late])
            assert await storage.load(session_id(1), WIDE, ALL) is None
            assert list(await storage.read_messages(session_id(1), 0, 9)) == []
            again = attrs.evolve(session(2), id=session_id(1))
            await storage.commit([*late, SaveSession(again)])
            await check_empty(storage, 2)
        async with opened(place) as (_, state):
            assert (state.sessions, list(state.unfinished)) == ({"ann": 1}, [])


@every_adapter
async def test_which_sessions_were_temporary_is_told_at_the_next_start(new_place: NewPlace) -> None:
    """Whatever is saved of them later; those that are gone by then are not among them."""
    brief = [attrs.evolve(session(number), is_temporary=True) for number in (1, 2, 3)]
    with new_place() as place:
        async with opened(place) as (storage, state):
            assert list(state.temporary) == []
            await storage.commit([*map(SaveSession, brief), SaveSession(session(4))])
            await storage.commit(
                [SaveSession(attrs.evolve(brief[2], name="tea")), DropSession(session_id(1))]
            )
        async with opened(place) as (storage, state):
            assert list(state.temporary) == [session_id(2), session_id(3)]
            await storage.commit([DropSession(session_id(2)), DropSession(session_id(3))])
        async with opened(place) as (_, state):
            assert list(state.temporary) == []


@every_adapter
async def test_a_batch_that_dropped_a_session_may_come_again(new_place: NewPlace) -> None:
    """Its number is the same then, and still nothing of what was dropped comes back."""
    chat, said = Chat("hi", session_id(1)), HistoryMessage("user", "hi", "r1", 0)
    outcome = Outcome(MessageKey("chat", "a", "f"), 1, ChatAccepted("s"))
    late = [
        SaveRun(1, "r1", chat),
        SaveMessage(1, NumberedMessage(0, said)),
        SaveOutcome(1, outcome),
        SaveShare(1, "bob", "read"),
        *tokens(1, range(1, 5_001)),
    ]
    with new_place() as place:
        async with opened(place) as (storage, _):
            for _ in range(2):
                await storage.commit([SaveSession(session(1)), *late])
                await storage.commit([DropSession(session_id(1))])
                await storage.commit([SaveSession(session(1))])
                await check_empty(storage, 1)
                await storage.commit([*late, DropSession(session_id(1)), *late])
                await storage.commit([SaveSession(session(1))])
                await check_empty(storage, 1)


@every_adapter
async def test_who_has_a_session_shared_finds_it(new_place: NewPlace) -> None:
    """In the list, among their own and in its place, until it is withdrawn or the session is gone."""
    shared = [SaveSession(session(1)), SaveSession(session(2, "bob")), SaveSession(session(3))]
    with new_place() as place:
        async with opened(place) as (storage, _):
            await storage.commit([*shared, SaveShare(1, "bob", "read"), SaveShare(3, "bob", "read")])
            await storage.commit([SaveShare(3, "bob", "chat"), SaveSession(session(3))])
        async with opened(place) as (storage, _):
            found = await storage.list("bob", 0, 10)
            assert [(each.number, each.shares) for each in found] == [
                (1, {"bob": "read"}),
                (2, {}),
                (3, {"bob": "chat"}),
            ]
            await storage.commit([DropShare(1, "bob"), DropSession(session_id(3))])
            await storage.commit([SaveSession(session(3)), SaveShare(9, "bob", "read")])
            assert [each.number for each in await storage.list("bob", 0, 10)] == [2]


@every_adapter
async def test_a_channel_that_was_dropped_leaves_nothing_but_its_number(new_place: NewPlace) -> None:
    """Its log is gone, even if the same batch comes again; and what is said of it afterwards is nothing."""
    made: list[Change] = [SaveChannel(-1, "news", 0), SaveChannel(-2, "talk", 0, "ann"), *tokens(-2, [1, 2])]
    with new_place() as place:
        async with opened(place) as (storage, _):
            for _ in range(2):
                await storage.commit([*made, DropChannel(-2), *tokens(-2, [3]), DropChannel(-2)])
        async with opened(place) as (storage, state):
            assert [(each.number, each.user_id) for each in state.channels] == [(-1, None)]
            assert state.lowest_channel == -2
            await storage.commit([SaveChannel(-2, "talk", 0)])
        async with opened(place) as (_, state):
            assert [(each.log.last_seq, list(each.log.entries)) for each in state.channels] == [(0, [])] * 2


async def check_empty(storage: SessionStorage, number: int) -> None:
    """Session s1 is there and has this number, and nothing belongs to it."""
    stored = await storage.load(session_id(1), WIDE, ALL)
    assert stored is not None
    assert stored.session.number == number
    assert [*stored.runs, *stored.messages, *stored.outcomes, *stored.log.entries] == []
    assert stored.session.shares == {}
    assert stored.log.last_seq == 0


@every_adapter
async def test_only_the_beginning_of_a_log_expires(new_place: NewPlace) -> None:
    """A clock that was put back makes no hole: an old time behind a young one waits for it."""
    with new_place() as place:
        async with opened(place) as (storage, _):
            late = tokens(1, [3, 4], ts=-1_000)
            await storage.commit([SaveSession(session(1)), *tokens(1, [1, 2]), *late])
            await storage.expire(20, ALL, 0)
            assert await read_seqs(storage, 1) == [2, 3, 4]
            await storage.expire(21, ALL, 0)
            assert await read_seqs(storage, 1) == []


@every_adapter
async def test_all_of_a_log_is_there_while_a_turn_is_not_over(new_place: NewPlace) -> None:
    """What an interrupted agent has said may be in the log alone, so limits do not count until then."""
    narrow = LogLimits(max_events=2, max_bytes=1)
    with new_place() as place:
        async with opened(place) as (storage, _):
            run = SaveRun(1, "r1", Chat("hi", session_id(1)))
            await storage.commit([SaveSession(session(1)), run, *tokens(1, range(1, 6))])
            assert len((await read_log(storage, 1, narrow)).entries) == 5


@every_adapter
async def test_too_much_goes_the_oldest_first(new_place: NewPlace) -> None:
    """All logs share one budget, sessions' and channels' alike; no more goes than must."""
    with new_place() as place:
        async with opened(place) as (storage, _):
            both = [SaveSession(session(1)), SaveSession(session(2))]
            await storage.commit([*both, *tokens(1, range(1, 5)), *tokens(2, range(1, 5), ts=1)])
            log = await read_log(storage, 1)
            size = len(log.entries[0].body)
            await storage.expire(0, 5 * size, 0)
            assert (await read_seqs(storage, 1), await read_seqs(storage, 2)) == ([3, 4], [2, 3, 4])
            await storage.expire(0, 5 * size - 1, 0)
            assert (await read_seqs(storage, 1), await read_seqs(storage, 2)) == ([3, 4], [3, 4])
            await storage.commit([DropSession(session_id(2))])
            await storage.expire(0, size, 0)
            assert await read_seqs(storage, 1) == [4]


@every_adapter
async def test_a_great_deal_is_forgotten_as_well(new_place: NewPlace) -> None:
    """Far more than goes in one step: it is out of sight at once, and the budget of the others is right."""
    many = range(1, 5_001)
    with new_place() as place:
        async with opened(place) as (storage, _):
            both = [SaveSession(session(1)), SaveSession(session(2)), SaveSession(session(3))]
            await storage.commit([*both, *tokens(1, many), *tokens(2, many), *tokens(3, [1, 2, 3])])
            await storage.commit([Trim(log_of(1), 4_999)])
            await storage.commit([DropSession(session_id(2))])
            assert await read_seqs(storage, 1) == [4_999, 5_000]
            assert await storage.load(session_id(2), WIDE, ALL) is None
            kept: list[Entry] = [*(await read_log(storage, 1)).entries, *(await read_log(storage, 3)).entries]
            await storage.expire(0, sum(len(each.body) for each in kept), 0)
            assert await read_seqs(storage, 1) == [4_999, 5_000]
            assert await read_seqs(storage, 3) == [1, 2, 3]
            await storage.commit([SaveSession(session(2))])
            assert await read_log(storage, 2) == StoredLog(0)


@every_adapter
async def test_what_was_read_is_nobody_s_to_change(new_place: NewPlace) -> None:
    """What was given away does not grow, and growing it changes nothing."""
    with new_place() as place:
        async with opened(place) as (storage, _):
            before = await storage.list(None, 0, 10)
            await storage.commit([SaveSession(session(1))])
            assert list(before) == []
            list(await storage.list(None, 0, 10)).clear()
            assert len(await storage.list(None, 0, 10)) == 1
