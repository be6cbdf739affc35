"""`gateway.sessions`: the seed's five methods and ours, each one request to the registry."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.session.history import HistoryMessage
from bamboo_gateway.session.requests import GetSession
from bamboo_gateway.session_manager import SessionManager, run_cleanup
from bamboo_gateway.turn import Turn
from tests.backstage import backstage
from tests.session.tables import NOW, TS, handle


async def sleeper(turn: Turn) -> None:
    """An agent that never answers."""
    await trio.sleep_forever()


async def test_create_makes_a_session_of_a_user() -> None:
    """With an id of its own, a name and metadata; `get` finds it, and None where there is none."""
    async with backstage() as stage:
        session = await stage.sessions.create("ann", name="tea", metadata={"a": 1})
        assert uuid.UUID(session.id).version == 4
        assert (session.user_id, session.name, session.metadata) == ("ann", "tea", {"a": 1})
        assert session.created_at.timestamp() == session.last_activity.timestamp() == NOW
        assert await stage.sessions.get(session.id) == session
        assert await stage.sessions.get("nil") is None
        assert (await stage.sessions.create("ann")).metadata == {}


async def test_connections_are_attached_and_detached() -> None:
    """In place of what they watched; only where they watch it."""
    async with backstage() as stage:
        one, two = [await stage.sessions.create("ann") for _ in range(2)]
        assert (await stage.sessions.attach_connection(one.id, handle())).connection == handle()
        assert (await stage.sessions.attach_connection(two.id, handle())).connections == (handle(),)
        assert await stage.sessions.detach_connection(one.id, handle()) is False
        assert await stage.sessions.detach_connection(two.id, handle()) is True
        assert await stage.sessions.detach_connection(two.id, handle()) is False


async def test_list_pages_through_all_sessions() -> None:
    """Everybody's, oldest first."""
    async with backstage() as stage:
        made = [(await stage.sessions.create(user)).id for user in ("ann", "bob", "ann")]
        page = await stage.sessions.list(limit=2)
        assert page.next is not None
        rest = await stage.sessions.list(limit=2, after=page.next)
        assert [session.id for session in (*page.sessions, *rest.sessions)] == made


async def test_name_and_metadata_can_be_changed() -> None:
    """And taken away again."""
    async with backstage() as stage:
        session = await stage.sessions.create("ann")
        assert (await stage.sessions.rename(session.id, "tea")).name == "tea"
        assert (await stage.sessions.rename(session.id, None)).name is None
        assert (await stage.sessions.set_metadata(session.id, {"a": 1, "b": 2})).metadata == {"a": 1, "b": 2}
        assert (await stage.sessions.set_metadata(session.id, {"a": None})).metadata == {"b": 2}


async def test_turns_can_be_read_and_aborted() -> None:
    """The conversation page by page; one turn, or all."""
    async with backstage(sleeper) as stage:
        caller = await stage.connect()
        for run_id in ("r1", "r2", "r3"):
            await stage.chat(caller, run_id=run_id)
        page = await stage.sessions.history("s1", limit=1)
        assert page.messages == [HistoryMessage("assistant", "", "r1", TS, "running")]
        assert (page.first, page.has_more) == (1, True)
        assert (await stage.sessions.history("s1", before=1)).messages == [
            HistoryMessage("user", "hi", "r1", TS)
        ]
        assert await stage.sessions.abort("s1", "r2") == ["r2"]
        assert await stage.sessions.abort("s1") == ["r1", "r3"]


async def test_delete_ends_a_session() -> None:
    """Then it is unknown."""
    async with backstage() as stage:
        session = await stage.sessions.create("ann")
        await stage.sessions.delete(session.id)
        assert await stage.sessions.get(session.id) is None


UNKNOWN: dict[str, Callable[[SessionManager], Awaitable[Any]]] = {
    "attach": lambda sessions: sessions.attach_connection("nil", handle()),
    "rename": lambda sessions: sessions.rename("nil", "tea"),
    "set metadata": lambda sessions: sessions.set_metadata("nil", {}),
    "share": lambda sessions: sessions.share("nil", "bob", "read"),
    "delete": lambda sessions: sessions.delete("nil"),
    "history": lambda sessions: sessions.history("nil"),
    "abort": lambda sessions: sessions.abort("nil"),
}


@pytest.mark.parametrize("method", UNKNOWN.values(), ids=UNKNOWN)
async def test_an_unknown_session_is_an_error(method: Callable[[SessionManager], Awaitable[Any]]) -> None:
    """Everywhere but in `get`, which asks just that."""
    async with backstage() as stage:
        with pytest.raises(GatewayError) as caught:
            await method(stage.sessions)
        assert caught.value.code is ErrorCode.SESSION_NOT_FOUND


async def test_a_slip_stays_with_who_made_it() -> None:
    """A wrong argument raises in the program's own call, and the registry never hears of it."""
    async with backstage() as stage:
        session = await stage.sessions.create("ann")
        with pytest.raises(TypeError):
            await stage.sessions.get(cast(str, session))
        with pytest.raises(ValueError, match="limit"):
            await stage.sessions.list(limit=0)
        assert await stage.sessions.get(session.id) == session


async def test_it_ends_with_the_gateway() -> None:
    """Nobody waits for what will never come."""
    async with backstage() as stage:
        pass
    with pytest.raises(trio.BrokenResourceError):
        await stage.sessions.get("s1")


async def test_a_session_can_be_shared() -> None:
    """With whomever the program likes, and no longer; a slip in how far stays with who made it."""
    async with backstage() as stage:
        session = await stage.sessions.create("ann")
        assert (await stage.sessions.share(session.id, "bob", "read")).shares == {"bob": "read"}
        caller = await stage.connect("b1", session.id, "bob")
        assert (await stage.ask(GetSession(caller))).id == session.id
        assert (await stage.sessions.share(session.id, "bob", None)).shares == {}
        with pytest.raises(GatewayError) as caught:
            await stage.sessions.share(session.id, "ann", "read")
        assert caught.value.code is ErrorCode.INVALID_ARGUMENTS
        with pytest.raises(ValueError, match="access"):
            await stage.sessions.share(session.id, "bob", cast(Any, "own"))


# ── cleanup ──────────────────────────────────────────────────────────────────


async def test_cleanup_deletes_what_is_of_no_use() -> None:
    """So old, unwatched, and idle; it says which."""
    async with backstage() as stage:
        idle = await stage.sessions.create("ann")
        await stage.connect(session_id="watched")
        stage.now += 60
        assert await stage.sessions.cleanup_inactive(60) == [idle.id]
        assert await stage.sessions.cleanup_inactive(60) == []


async def test_cleanup_runs_on_a_schedule(autojump_clock: MockClock) -> None:
    """Every so many seconds, until it is cancelled; what it finds is gone then and not before."""
    async with backstage() as stage, trio.open_nursery() as nursery:
        session = await stage.sessions.create("ann")
        nursery.start_soon(run_cleanup, stage.sessions, 90.0, 60.0)
        for seconds, is_there in ((61, True), (60, False)):
            await trio.sleep(seconds)
            assert (await stage.sessions.get(session.id) is not None) is is_there
            stage.now += 90
        nursery.cancel_scope.cancel()


# ── what is durable ──────────────────────────────────────────────────────────


async def test_the_storage_knows_when_a_session_was_last_of_use() -> None:
    """Who comes, goes, or says something moves the time: a restart must not make a busy session look old."""
    async with backstage(sleeper) as stage:
        caller = await stage.connect()
        acts: list[Callable[[], Awaitable[object]]] = [
            lambda: stage.chat(caller),
            lambda: stage.connect("c2"),
            lambda: stage.sessions.detach_connection("s1", handle("c2")),
        ]
        for step, act in enumerate(acts, start=1):
            stage.now = NOW + step
            await act()
            [session] = await stage.storage.list(None, 0, 9)
            assert session.last_activity.timestamp() == NOW + step
