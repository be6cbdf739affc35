"""What every adapter of `ports.SessionStorage` promises: what was committed is there, in its order."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.ports import SessionStorage
from bamboo_gateway.session.effects import Change, DropSession, SaveSession
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.memory import MemoryStorage
from tests.backstage import backstage
from tests.strategies import json_objects


@asynccontextmanager
async def memory() -> AsyncIterator[SessionStorage]:
    """Storage in memory."""
    storage = MemoryStorage()
    yield storage
    await storage.aclose()


OpenStorage = Callable[[], AbstractAsyncContextManager[SessionStorage]]

# Name of the adapter → how it is opened, empty, and closed: a further one joins by one line.
ADAPTERS: dict[str, OpenStorage] = {
    "memory": memory,
}

every_adapter = pytest.mark.parametrize("open_storage", ADAPTERS.values(), ids=ADAPTERS)

NEW_YEAR = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

ids = st.sampled_from(["a", "b", "c"])
moments = st.timedeltas(datetime.timedelta(days=-9999), datetime.timedelta(days=9999)).map(NEW_YEAR.__add__)
sessions = st.builds(
    Session,
    id=ids,
    user_id=st.text(max_size=5),
    created_at=moments,
    last_activity=moments,
    name=st.none() | st.text(max_size=5),
    metadata=json_objects,
)
changes: st.SearchStrategy[Change] = st.builds(SaveSession, sessions) | st.builds(DropSession, ids)


def durable(session: Session) -> Session:
    """What a session is beyond the process that holds it: who watches and what runs is gone with that."""
    return Session(
        session.id,
        session.user_id,
        session.created_at,
        session.last_activity,
        session.name,
        metadata=session.metadata,
    )


async def load(storage: SessionStorage) -> list[Session]:
    """All that a restart would find."""
    return [durable(session) for session in await storage.load()]


@every_adapter
async def test_it_begins_empty(open_storage: OpenStorage) -> None:
    """Nothing was saved, so nothing is there."""
    async with open_storage() as storage:
        assert await load(storage) == []


@every_adapter
@given(batches=st.lists(st.lists(changes, max_size=5), max_size=5))
async def test_it_keeps_what_was_saved_and_not_dropped(
    open_storage: OpenStorage, batches: list[list[Change]]
) -> None:
    """The last state of each session, first saved first; to drop what is not there is nothing."""
    expected: dict[str, Session] = {}
    async with open_storage() as storage:
        for batch in batches:
            await storage.commit(batch)
            for change in batch:
                if isinstance(change, SaveSession):
                    expected[change.session.id] = change.session
                else:
                    expected.pop(change.session_id, None)
            assert await load(storage) == list(expected.values())


@every_adapter
async def test_what_is_loaded_is_nobody_s_to_change(open_storage: OpenStorage) -> None:
    """A list that was given away does not grow, and growing it changes nothing."""
    session = Session("a", "ann", NEW_YEAR, NEW_YEAR)
    async with open_storage() as storage:
        before = await storage.load()
        await storage.commit([SaveSession(session)])
        assert list(before) == []
        list(await storage.load()).clear()
        assert await load(storage) == [session]


@every_adapter
async def test_a_gateway_finds_its_sessions_again(open_storage: OpenStorage) -> None:
    """Who owns them, what they are called and labelled, in the order in which they were made."""
    async with open_storage() as storage:
        async with backstage(storage=storage) as first:
            for name in ("tea", "rice", "salt"):
                await first.sessions.create("ann", name=name, metadata={"of": name})
            await first.connect("c1", (await first.sessions.list()).sessions[1].id)
            kept = [durable(session) for session in (await first.sessions.list()).sessions]
            await first.sessions.delete(kept.pop(0).id)
        async with backstage(storage=storage) as second:
            second.table.restore(await storage.load())
            restored = (await second.sessions.list()).sessions
            assert [durable(session) for session in restored] == kept
            assert all(session == attrs.evolve(durable(session), epoch="epoch") for session in restored)
