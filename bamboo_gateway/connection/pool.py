"""The connection pool: who is connected, how many may be, and how the others ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs

from ..protocol.closing import CloseCode
from .admission import Admission
from .connection import Connection


@attrs.frozen
class PoolStatistics:
    """The connections."""

    open: int
    """Sockets that are served."""
    unauthenticated: int
    """Those of them whose client has yet to say who it is."""
    accepted: int
    refused: dict[str, int]
    """Sockets that came to nothing, by the reason."""
    closed: dict[str, int]
    """By close code, which is a text here because these statistics also go out as JSON."""
    behind: int
    """Those that are catching up."""
    waiting_bytes: int
    lags: dict[str, int]
    """Events that a connection has yet to be sent, by its id; of those that have yet to be sent any."""


class ConnectionPool:
    """
    Every connection by its id.

    Invariant: never more seats are taken than there are; a seat is taken and
    given back in one step.
    """

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self._seated: set[Connection] = set()
        self._closed: Counter[CloseCode] = Counter()
        self._connections: dict[str, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._connections.values()))

    def get(self, connection_id: str) -> Connection | None:
        """The connection with this id, while it is open."""
        return self._connections.get(connection_id)

    def has_seat(self, max_connections: int) -> bool:
        """Is one of *max_connections* (0: any number) free?"""
        return not max_connections or len(self._seated) < max_connections

    def seat(self, connection: Connection, max_connections: int) -> bool:
        """Give a client that has said who it is one of the seats; False: none is free."""
        if connection in self._seated:
            return True
        if not self.has_seat(max_connections):
            return False
        self._seated.add(connection)
        self.admission.leave(connection.entrant)
        return True

    def add(self, connection: Connection) -> None:
        """From here on it can be spoken to."""
        self._connections[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        """From here on it is nobody's."""
        self._connections.pop(connection.id, None)

    def release(self, connection: Connection) -> None:
        """Its socket is gone."""
        self._seated.discard(connection)

    def count(self, code: CloseCode) -> None:
        """One more has ended."""
        self._closed[code] += 1

    def statistics(self) -> PoolStatistics:
        """Count the connections; costs a look at each."""
        outboxes = {connection.id: connection.outbox for connection in self}
        lags = {name: outbox.lag for name, outbox in outboxes.items() if outbox.may_lag}
        return PoolStatistics(
            open=len(self._seated) + len(self.admission),
            unauthenticated=len(self.admission),
            accepted=self.admission.accepted,
            refused=self.admission.refused,
            closed={str(code): count for code, count in self._closed.items()},
            behind=sum(outbox.behind for outbox in outboxes.values()),
            waiting_bytes=sum(outbox.waiting_bytes for outbox in outboxes.values()),
            lags={name: lag for name, lag in lags.items() if lag},
        )
