"""Lists of sessions and whole conversations, whether they are in memory or in the storage alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import attrs
from attrs.validators import ge, instance_of

from .errors import StorageError
from .journal import unavailable
from .ports import SessionStorage
from .registry import SessionRegistry
from .session.requests import Caller, GetHistory, HistoryPage, RefreshSessions, SessionPage
from .session.session import Session


@attrs.frozen
class SessionQuery:
    """Which page of a list: a slip surfaces where it is made."""

    limit: int = attrs.field(validator=[instance_of(int), ge(1)])
    after: int = attrs.field(validator=[instance_of(int), ge(0)])
    newest_first: bool = attrs.field(validator=instance_of(bool))
    search: str = attrs.field(validator=instance_of(str))


class SessionCatalog:
    """
    Reads the storage, and has the registry put right what is in memory.

    The storage is read after the reply to whatever the caller has asked before,
    so it has that.
    """

    def __init__(self, registry: SessionRegistry, storage: SessionStorage) -> None:
        self._registry = registry
        self._storage = storage

    async def list(
        self, caller: Caller, limit: int, after: int = 0, *, newest_first: bool = False, search: str = ""
    ) -> SessionPage:
        """
        List what *caller* may see: at most *limit* sessions behind number *after* (0: from the first on).

        Args:
            caller: Who asks.
            limit: How many.
            after: `SessionPage.next` of the page before.
            newest_first: Otherwise the oldest come first.
            search: Only those in whose id, name or owner's id this text stands, in upper or lower case.

        Raises:
            GatewayError: `STORAGE_UNAVAILABLE`.
        """
        query = SessionQuery(limit, after, newest_first, search)
        sessions: list[Session] = []
        following: int | None = after
        # One more than is shown, to see whether there is more. What is temporary, or was withdrawn meanwhile,
        # makes no page short, and none look as if there were another: clients might go by either.
        while following is not None and (missing := limit + 1 - len(sessions)) > 0:
            page, following = await self._read(caller, attrs.evolve(query, limit=missing, after=following))
            sessions += page
        return SessionPage(sessions[:limit], sessions[limit - 1].number if len(sessions) > limit else None)

    async def _read(self, caller: Caller, query: SessionQuery) -> tuple[Sequence[Session], int | None]:
        """Those of a page of the storage that are to be listed, and where the next one begins."""
        owner = None if caller.principal.is_operator else caller.principal.user_id
        with _reading():
            stored = await self._storage.list(
                owner, query.after, query.limit, newest_first=query.newest_first, search=query.search
            )
        sessions = await self._registry.ask(RefreshSessions(caller, stored))
        return sessions, stored[-1].number if len(stored) == query.limit else None

    async def history(
        self, caller: Caller, session_id: str | None, limit: int, before: int | None = None
    ) -> HistoryPage:
        """
        Read the last *limit* messages ahead of number *before*; by default, the newest.

        Raises:
            GatewayError: `NOT_CONNECTED`, `SESSION_NOT_FOUND`, or `STORAGE_UNAVAILABLE`.
        """
        tail = await self._registry.ask(GetHistory(caller, session_id, limit, before))
        messages = list(tail.messages)
        if tail.first < tail.end:
            with _reading():
                older = await self._storage.read_messages(tail.session_id, tail.first, tail.end)
            messages[:0] = [each.message for each in older]
        return HistoryPage(messages, tail.first, tail.first > 0, tail.seq, tail.queued)

    async def find_inactive(self, since: float, limit: int) -> Sequence[str]:
        """
        Name *limit* sessions at most that have done nothing since *since* (Unix seconds), oldest first.

        Raises:
            GatewayError: `STORAGE_UNAVAILABLE`.
        """
        with _reading():
            return await self._storage.find_inactive(since, limit)


@contextmanager
def _reading() -> Iterator[None]:
    """Say of a storage that fails what clients are told."""
    try:
        yield
    except StorageError:
        raise unavailable() from None
