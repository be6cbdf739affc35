"""The connection pool: who is connected, how many may be, and how the others ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs

from ..config import GatewayConfig
from ..principal import Principal
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
        self._seated: dict[Connection, str] = {}
        """And whose each is; of an operator's, nothing."""
        self._per_user: Counter[str] = Counter()
        self._closed: Counter[CloseCode] = Counter()
        self._connections: dict[str, Connection] = {}
        """Oldest first."""
        self._last_number = 0

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._connections.values()))

    def get(self, connection_id: str) -> Connection | None:
        """The connection with this id, while it is open."""
        return self._connections.get(connection_id)

    def has_seat(self, max_connections: int) -> bool:
        """Is one of *max_connections* (0: any number) free?"""
        return not max_connections or len(self._seated) < max_connections

    def seat(self, connection: Connection, principal: Principal, config: GatewayConfig) -> bool:
        """Give a client that has said who it is a seat, or let it keep its own; False: none is free."""
        user = "" if principal.is_operator else principal.user_id
        taken = self._seated.get(connection)
        if taken == user:
            return True
        most = config.max_connections_per_principal
        if taken is None and not self.has_seat(config.max_connections):
            return False
        if user and most and self._per_user[user] >= most:
            return False
        self.release(connection)
        self._seated[connection] = user
        self._per_user[user] += 1
        self.admission.leave(connection.entrant)
        return True

    def add(self, connection: Connection) -> None:
        """From here on it can be spoken to."""
        self._last_number += 1
        connection.number = self._last_number
        self._connections[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        """From here on it is nobody's."""
        self._connections.pop(connection.id, None)

    def release(self, connection: Connection) -> None:
        """Its socket is gone."""
        user = self._seated.pop(connection, None)
        if user is not None:
            self._per_user[user] -= 1
            if not self._per_user[user]:
                del self._per_user[user]

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
