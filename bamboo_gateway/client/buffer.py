"""The events that have come and that nobody has read yet."""

from __future__ import annotations

from collections import deque

import trio

from .errors import ClosedError
from .events import ClientEvent


class EventBuffer:
    """
    A queue of events, in order, bounded by the size of their frames.

    Invariant: it holds at most *max_bytes*, or a single event; who puts more
    waits, and with it the socket and so the gateway.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._events: deque[tuple[ClientEvent, int]] = deque()
        self._closed: ClosedError | None = None
        self._arrival = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._events)

    @property
    def size_bytes(self) -> int:
        """The size of what waits to be read."""
        return self._bytes

    async def put(self, event: ClientEvent, size_bytes: int) -> None:
        """Append *event*; wait for room first. Cancelled, nothing was put."""
        while self._events and self._bytes + size_bytes > self._max_bytes:
            await self._room.park()
        self._events.append((event, size_bytes))
        self._bytes += size_bytes
        self._arrival.unpark()

    async def get(self) -> ClientEvent:
        """
        Take the oldest event; wait until there is one. Cancelled, nothing was taken.

        Raises:
            ClosedError: All was read, and nothing more will come.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._events:
            if self._closed:
                raise ClosedError(self._closed.code, self._closed.reason)
            await self._arrival.park()
        event, size_bytes = self._events.popleft()
        self._bytes -= size_bytes
        self._room.unpark_all()
        await trio.lowlevel.cancel_shielded_checkpoint()
        return event

    def close(self, error: ClosedError) -> None:
        """Let readers have what is left, and then *error*."""
        self._closed = error
        self._arrival.unpark_all()
