"""The Session Manager (seed): what an embedding program may do with sessions."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence

import attrs
import structlog
import trio

from .errors import ErrorCode, GatewayError
from .protocol.messages import Json
from .registry import SessionRegistry
from .session import requests
from .session.access import SharedAccess
from .session.requests import OPERATOR, HistoryPage, SessionPage
from .session.session import ConnectionHandle, Session
from .session_catalog import SessionCatalog

log = structlog.get_logger(__name__)

_CLEANUP_PAGE = 100
"""Sessions looked for at a time: their ids are all that it costs."""


class SessionManager:
    """
    `gateway.sessions`: every method is one request to the registry.

    All of them raise `trio.BrokenResourceError` once the gateway has stopped,
    and wait for it to start before that; an argument that makes no sense is a
    `TypeError` or `ValueError`.
    """

    def __init__(
        self, registry: SessionRegistry, catalog: SessionCatalog, clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._catalog = catalog
        self._clock = clock

    async def create(
        self, user_id: str, *, name: str | None = None, metadata: Mapping[str, Json] | None = None
    ) -> Session:
        """
        Make a session that belongs to *user_id*.

        Raises:
            GatewayError: `LIMIT_EXCEEDED`; or `INVALID_ARGUMENTS`, where *metadata* is no JSON.
        """
        request = requests.CreateSession(user_id, str(uuid.uuid4()), name, metadata or {})
        return await self._registry.ask(request)

    async def get(self, session_id: str) -> Session | None:
        """
        Look at a session; None if there is none.

        Raises:
            GatewayError: `STORAGE_UNAVAILABLE`.
        """
        try:
            return await self._registry.ask(requests.GetSession(OPERATOR, session_id))
        except GatewayError as error:
            if error.code == ErrorCode.SESSION_NOT_FOUND:
                return None
            raise

    async def attach_connection(self, session_id: str, connection: ConnectionHandle) -> Session:
        """
        Let a connection watch this session, in place of the one that it watched.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`.
        """
        return await self._registry.ask(requests.Attach(OPERATOR, connection, session_id))

    async def detach_connection(self, session_id: str, connection: ConnectionHandle) -> bool:
        """Let a connection no longer watch this session; False if it did not, or watches another by now."""
        return await self._registry.ask(requests.Detach(connection.id, session_id))

    async def cleanup_inactive(self, max_age: float) -> Sequence[str]:
        """
        Delete what nobody watches, runs nothing and was last active *max_age* seconds ago; returns their ids.

        Raises:
            GatewayError: `STORAGE_UNAVAILABLE`; some may have been deleted.
        """
        request = requests.DeleteInactive("", max_age)  # refuses at once what is no age
        deleted: list[str] = []
        asked: set[str] = set()
        since = self._clock() - max_age
        while True:
            # What is in use has a younger last activity in memory than in the storage, and is found again.
            found = await self._catalog.find_inactive(since, len(asked) + _CLEANUP_PAGE)
            fresh = [session_id for session_id in found if session_id not in asked]
            if not fresh:
                return deleted
            for session_id in fresh:
                if await self._registry.ask(attrs.evolve(request, session_id=session_id)):
                    deleted.append(session_id)
                else:
                    asked.add(session_id)

    async def list(
        self, *, limit: int = 100, after: int = 0, newest_first: bool = False, search: str = ""
    ) -> SessionPage:
        """
        A page of sessions, oldest first or *newest_first*; temporary ones are in none.

        Args:
            limit: How many.
            after: `SessionPage.next` of the page before, in the same order; 0: from the first on.
            newest_first: Otherwise the oldest come first.
            search: Only those in whose id, name or owner's id this text stands, in upper or lower case.

        Raises:
            GatewayError: `STORAGE_UNAVAILABLE`.
        """
        return await self._catalog.list(OPERATOR, limit, after, newest_first=newest_first, search=search)

    async def rename(self, session_id: str, name: str | None) -> Session:
        """
        Give a session a name; None takes it away.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`.
        """
        return await self._registry.ask(requests.RenameSession(OPERATOR, session_id, name))

    async def set_metadata(self, session_id: str, metadata: Mapping[str, Json]) -> Session:
        """
        Merge keys into a session's metadata; a None takes its key away.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`; or as for `create`.
        """
        return await self._registry.ask(requests.SetMetadata(OPERATOR, session_id, metadata))

    async def share(self, session_id: str, user_id: str, access: SharedAccess | None) -> Session:
        """
        Let *user_id* read a session ("read"), or chat in it as well ("chat"), and do no more with it.

        None takes that away: their connections are told, and no longer watch it.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`; `INVALID_ARGUMENTS`: it is theirs; or `LIMIT_EXCEEDED`.
        """
        return await self._registry.ask(requests.ShareSession(OPERATOR, session_id, user_id, access))

    async def delete(self, session_id: str) -> None:
        """
        End a session: its turn is cancelled, its watchers are told.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`.
        """
        await self._registry.ask(requests.DeleteSession(OPERATOR, session_id))

    async def history(self, session_id: str, *, limit: int = 100, before: int | None = None) -> HistoryPage:
        """
        A page of the conversation, the newest first.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`.
        """
        return await self._catalog.history(OPERATOR, session_id, limit, before)

    async def abort(self, session_id: str, run_id: str | None = None) -> Sequence[str]:
        """
        Abort one turn, or all that run or wait; returns their ids.

        Raises:
            GatewayError: `SESSION_NOT_FOUND`.
        """
        return await self._registry.ask(requests.AbortTurn(OPERATOR, session_id, run_id))


async def run_cleanup(sessions: SessionManager, max_age: float, interval: float) -> None:
    """Delete inactive sessions every *interval* seconds, until cancelled."""
    while True:
        await trio.sleep(interval)
        try:
            ended = await sessions.cleanup_inactive(max_age)
        except GatewayError as error:
            log.warning("inactive sessions not deleted", error=str(error))
        else:
            if ended:
                log.info("inactive sessions deleted", count=len(ended))
