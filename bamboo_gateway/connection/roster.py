"""`connection.list`: who is connected, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import attrs

from ..commands.context import ConnectionInfo
from ..session.live import milliseconds
from .connection import Connection
from .pool import ConnectionPool


@attrs.frozen
class Roster:
    """Tells of the connections in a pool; a `commands.context.ListConnections`."""

    _pool: ConnectionPool

    def __call__(self, after: int, limit: int) -> tuple[Sequence[ConnectionInfo], int | None]:
        """
        At most *limit* of those whose `connect` was accepted, behind number *after*, oldest first.

        Returns:
            Them, and the *after* of the next page; None: there is none.
        """
        found = [*islice(self._behind(after), limit + 1)]
        page = found[:limit]
        following = page[-1][0] if len(found) > limit else None
        return [info for _, info in page], following

    def _behind(self, after: int) -> Iterator[tuple[int, ConnectionInfo]]:
        for connection in self._pool:
            if connection.number > after and (info := describe(connection)) is not None:
                yield connection.number, info


def describe(connection: Connection) -> ConnectionInfo | None:
    """What an operator is shown of *connection*; None: its `connect` was not accepted yet."""
    handle, principal, outbox = connection.handle, connection.principal, connection.outbox
    if handle is None or principal is None:
        return None
    return ConnectionInfo(
        connection_id=connection.id,
        user_id=principal.user_id,
        session_id=connection.session_id,
        protocol=handle.protocol,
        client=handle.client,
        address=connection.address,
        connected_at=milliseconds(handle.connected_at),
        state="behind" if outbox.behind else "live",
        waiting_bytes=outbox.waiting_bytes,
    )
