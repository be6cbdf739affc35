"""Lists and conversations, whether their sessions are in memory or in the storage alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.errors import ErrorCode, GatewayError, StorageError
from bamboo_gateway.principal import Principal
from bamboo_gateway.protocol.messages import TokenUsage
from bamboo_gateway.session.history import NumberedMessage
from bamboo_gateway.session.requests import OPERATOR, Attach, Caller, Tidy
from bamboo_gateway.session.session import ConnectionHandle, Session
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn
from tests.backstage import ALL, Backstage, backstage


async def echo(turn: Turn) -> TokenUsage:
    """Say what was said."""
    await turn.token(turn.message.content)
    return TokenUsage()


class BrokenStorage(MemoryStorage):
    """A storage that can no longer be read, once it was told so."""

    fails = False

    async def list(
        self, user_id: str | None, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> Sequence[Session]:
        """Fail, or not."""
        self._check()
        return await super().list(user_id, after, limit, newest_first=newest_first, search=search)

    async def read_messages(self, session_id: str, first: int, end: int) -> Sequence[NumberedMessage]:
        """Fail, or not."""
        self._check()
        return await super().read_messages(session_id, first, end)

    async def find_inactive(self, since: float, limit: int) -> Sequence[str]:
        """Fail, or not."""
        self._check()
        return await super().find_inactive(since, limit)

    def _check(self) -> None:
        if self.fails:
            raise StorageError("the disk is gone")


async def visit(stage: Backstage, session_id: str) -> None:
    """A connection that comes for a look, with a session that goes with it."""
    watcher = ConnectionHandle(f"to {session_id}", "ann", protocol=2)
    caller = Caller(Principal("ann", ALL), watcher.id)
    request = Attach(caller, watcher, None, new_session_id=session_id, is_temporary=True)
    await stage.ask(request)


async def forget(stage: Backstage) -> None:
    """Let every session that nobody needs leave the memory."""
    await stage.ask(Tidy(max_idle=0.0))
    assert stage.table.statistics().resident == 0


async def converse(stage: Backstage, count: int) -> None:
    """Session s1, in which *count* chats were said and answered, and which nobody watches any more."""
    caller = await stage.connect()
    for number in range(count):
        await stage.chat(caller, f"chat {number}", run_id=f"r{number}")
        await stage.settle()
    await stage.wait_until(lambda: stage.table.statistics().turns_running == 0)
    session = await stage.sessions.get("s1")
    assert session is not None
    for connection in session.connections:
        await stage.sessions.detach_connection("s1", connection)


# ── lists ────────────────────────────────────────────────────────────────────


async def test_a_list_has_those_in_memory_and_those_that_are_not() -> None:
    """In the order in which they were made; each once, and as it is now."""
    async with backstage(max_sessions=9) as stage:
        made = [await stage.sessions.create("ann", name=str(number)) for number in range(3)]
        await forget(stage)
        await stage.sessions.rename(made[1].id, "back in memory")
        await stage.sessions.create("ann", name="new")
        page = await stage.catalog.list(OPERATOR, 9)
        assert [each.name for each in page.sessions] == ["0", "back in memory", "2", "new"]
        assert page.next is None
        assert stage.table.statistics().resident == 2


@given(
    visits=st.lists(st.booleans(), max_size=8),
    limit=st.integers(1, 9),
    newest_first=st.booleans(),
    search=st.sampled_from(["", "OD", "eve"]),
)
async def test_pages_join_to_the_whole_list(
    visits: list[bool], limit: int, newest_first: bool, search: str
) -> None:
    """
    By `next`, from one page to the one behind it, in either order: each session once, no page short or empty.

    Who only visits is in none, however many they are.
    """
    async with backstage(max_sessions=9) as stage:
        made: list[str] = []
        names = {"": ("odd", "even"), "OD": ("odd",), "eve": ("even",)}[search]
        for number, is_visit in enumerate(visits):
            if is_visit:
                await visit(stage, f"visit{number}")
            else:
                name = "odd" if number % 2 else "even"
                session = await stage.sessions.create("ann", name=name)
                made += [session.id] * (name in names)
        pages: list[list[str]] = []
        after: int | None = 0
        while after is not None:
            page = await stage.catalog.list(OPERATOR, limit, after, newest_first=newest_first, search=search)
            pages.append([each.id for each in page.sessions])
            after = page.next
        assert [each for page in pages for each in page] == made[:: -1 if newest_first else 1]
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1] or not made


async def test_a_visit_is_in_no_list() -> None:
    """A temporary session can be looked at by its id, and says that it is one; it is stored as any other."""
    async with backstage() as stage:
        await visit(stage, "v1")
        kept = await stage.sessions.create("ann")
        assert [each.id for each in (await stage.catalog.list(OPERATOR, 9)).sessions] == [kept.id]
        seen = await stage.sessions.get("v1")
        assert seen is not None
        assert seen.is_temporary
        assert [(each.id, each.is_temporary) for each in await stage.storage.list(None, 0, 9)] == [
            ("v1", False),
            (kept.id, False),
        ]


async def test_a_list_shows_nobody_else_s_sessions() -> None:
    """A page of one's own is full, however many others there are between."""
    async with backstage(max_sessions=9) as stage:
        for user in ("ann", "bob", "ann", "bob"):
            await stage.sessions.create(user)
        page = await stage.catalog.list(Caller(Principal("bob")), 2)
        assert [each.user_id for each in page.sessions] == ["bob", "bob"]
        assert page.next is None


@pytest.mark.parametrize(("limit", "after"), [(0, 0), (-1, 0), (1, -1)])
async def test_a_page_that_makes_no_sense(limit: int, after: int) -> None:
    """Is a slip of the caller's."""
    async with backstage() as stage:
        with pytest.raises(ValueError, match="must be >="):
            await stage.catalog.list(OPERATOR, limit, after)


# ── conversations ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("history_bytes", [1, 2_500, 100_000])
async def test_a_conversation_is_whole_however_little_is_in_memory(history_bytes: int) -> None:
    """Pages from the newest back join to all that was ever said, with the session in memory or without."""
    async with backstage(echo, history_bytes=max(history_bytes, 600), max_sessions=2) as stage:
        await converse(stage, 6)
        said = [text for number in range(6) for text in (f"chat {number}",) * 2]
        for _ in range(2):
            for limit in (1, 3, 50):
                page = await stage.catalog.history(OPERATOR, "s1", limit)
                joined = list(page.messages)
                while page.has_more:
                    page = await stage.catalog.history(OPERATOR, "s1", limit, before=page.first)
                    joined[:0] = page.messages
                assert [message.content for message in joined] == said
                assert page.first == 0
            await forget(stage)


async def test_an_unknown_session_has_no_conversation() -> None:
    """Nor has somebody else's."""
    async with backstage() as stage:
        await stage.connect()
        for caller, session_id in ((OPERATOR, "nil"), (Caller(Principal("bob")), "s1")):
            with pytest.raises(GatewayError) as caught:
                await stage.catalog.history(caller, session_id, 9)
            assert caught.value.code is ErrorCode.SESSION_NOT_FOUND


async def test_what_is_in_memory_can_be_read_while_the_storage_cannot() -> None:
    """The newest part of a conversation is there; for all else, the client is to ask again."""
    storage = BrokenStorage()
    async with backstage(echo, storage=storage, history_bytes=1_200) as stage:
        await converse(stage, 3)
        storage.fails = True
        newest = await stage.catalog.history(OPERATOR, "s1", 1)
        assert [message.content for message in newest.messages] == ["chat 2"]
        for read in (
            lambda: stage.catalog.history(OPERATOR, "s1", 50),
            lambda: stage.catalog.list(OPERATOR, 9),
            lambda: stage.catalog.find_inactive(0.0, 9),
        ):
            with pytest.raises(GatewayError) as caught:
                await read()
            assert caught.value.code is ErrorCode.STORAGE_UNAVAILABLE
            assert caught.value.retryable
