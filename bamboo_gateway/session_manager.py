"""The Session Manager (seed): what an embedding program may do with sessions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import structlog
import trio

from .errors import GatewayError
from .protocol.messages import Json
from .registry import SessionRegistry
from .session import requests
from .session.requests import OPERATOR, HistoryPage, SessionPage
from .session.session import ConnectionHandle, Session

log = structlog.get_logger(__name__)


class SessionManager:
    """
    `gateway.sessions`: every method is one request to the registry.

    All of them raise `trio.BrokenResourceError` once the gateway has stopped,
    and wait for it to start before that; an argument that makes no sense is a
    `TypeError` or `ValueError`.
    """

    def __init__(self, registry: SessionRegistry) -> None:
        self._registry = registry

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
        """Look at a session; None if there is none."""
        try:
            return await self._registry.ask(requests.GetSession(OPERATOR, session_id))
        except GatewayError:
            return None  # nothing else can be wrong with an id

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
        """Delete what nobody watches, runs nothing and was last active *max_age* seconds ago."""
        return await self._registry.ask(requests.CleanupInactive(max_age))

    async def list(self, *, limit: int = 100, after: int = 0) -> SessionPage:
        """A page of sessions, oldest first."""
        return await self._registry.ask(requests.ListSessions(OPERATOR, limit, after))

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
        return await self._registry.ask(requests.GetHistory(OPERATOR, session_id, limit, before))

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
        if ended := await sessions.cleanup_inactive(max_age):
            log.info("inactive sessions deleted", count=len(ended))
