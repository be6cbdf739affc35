"""The connection pool: who is connected, how many may be, and how the others ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from ..protocol.closing import CloseCode
from .connection import Connection

MAX_REFUSALS = 64
"""Sockets beyond `max_connections` that are told so at the same time; more are dropped unheard."""


@attrs.frozen
class PoolStatistics:
    """The connections."""

    open: int
    accepted: int
    refused: int
    """For want of room."""
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

    Invariant: never more than *max_connections* slots are taken; a slot is taken
    and given back in one step.
    """

    def __init__(self, max_connections: int) -> None:
        self._max_connections = max_connections
        self._slots = 0
        self._refusals = 0
        self._accepted = 0
        self._refused = 0
        self._closed: Counter[CloseCode] = Counter()
        self._connections: dict[str, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._connections.values()))

    def get(self, connection_id: str) -> Connection | None:
        """The connection with this id, while it is open."""
        return self._connections.get(connection_id)

    @contextmanager
    def slot(self) -> Iterator[bool | None]:
        """
        Take a slot for as long as the block runs.

        Yields:
            True: there was one. False: there was none, and the client is to be
            told. None: too many are being told already.
        """
        if self._slots < self._max_connections:
            self._slots += 1
            self._accepted += 1
            try:
                yield True
            finally:
                self._slots -= 1
            return
        self._refused += 1
        if self._refusals >= MAX_REFUSALS:
            yield None
            return
        self._refusals += 1
        try:
            yield False
        finally:
            self._refusals -= 1

    def add(self, connection: Connection) -> None:
        """From here on it can be spoken to."""
        self._connections[connection.id] = connection

    def remove(self, connection: Connection) -> None:
        """From here on it is nobody's."""
        self._connections.pop(connection.id, None)

    def count(self, code: CloseCode) -> None:
        """One more has ended."""
        self._closed[code] += 1

    def statistics(self) -> PoolStatistics:
        """Count the connections; costs a look at each."""
        outboxes = {connection.id: connection.outbox for connection in self}
        lags = {name: outbox.lag for name, outbox in outboxes.items() if outbox.may_lag}
        return PoolStatistics(
            open=self._slots,
            accepted=self._accepted,
            refused=self._refused,
            closed={str(code): count for code, count in self._closed.items()},
            behind=sum(outbox.behind for outbox in outboxes.values()),
            waiting_bytes=sum(outbox.waiting_bytes for outbox in outboxes.values()),
            lags={name: lag for name, lag in lags.items() if lag},
        )
