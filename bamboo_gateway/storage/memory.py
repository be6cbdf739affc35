"""Storage in memory: sessions live as long as this object, and may outlive the gateway that uses it."""

from __future__ import annotations

from collections.abc import Sequence

from ..session.effects import Change, SaveSession
from ..session.session import Session


class MemoryStorage:
    """The default: nothing survives the process."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    async def load(self) -> Sequence[Session]:
        """Every session, in the order in which they were first saved."""
        return list(self._sessions.values())

    async def commit(self, changes: Sequence[Change]) -> None:
        """Apply *changes*; without a disk there is nothing to wait for."""
        for change in changes:
            if isinstance(change, SaveSession):
                self._sessions[change.session.id] = change.session
            else:
                self._sessions.pop(change.session_id, None)

    async def aclose(self) -> None:
        """Nothing to let go of."""
