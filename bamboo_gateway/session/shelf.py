"""All logs that are in memory, and the bound on them together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from .log import Log


class LogShelf:
    """
    Every log in memory, the one that grew longest ago first.

    Invariant: together they hold at most *max_bytes*, except for what is not yet
    committed and the newest event of each.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._sizes: OrderedDict[Log, int] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[Log]:
        return iter(list(self._sizes))

    @property
    def size_bytes(self) -> int:
        """Bytes of the encoded events of all of them."""
        return self._bytes

    def add(self, log: Log) -> None:
        """Take in a log that is there from now on; `settle` enforces the bound."""
        self._sizes[log] = 0
        self._weigh(log)

    def remove(self, log: Log) -> None:
        """A log leaves the memory."""
        self._bytes -= self._sizes.pop(log)

    def settle(self, log: Log) -> Sequence[Log]:
        """Note that *log* has grown, and make room for it; returns the logs that have changed."""
        self._sizes.move_to_end(log)
        self._weigh(log)
        return [log] if self._bytes <= self._max_bytes else [log, *self._make_room()]

    def validate_state(self, logs: Iterable[Log]) -> None:
        """Check that exactly *logs* are here, and weighed right; for tests."""
        assert self._sizes == {log: log.size_bytes for log in logs}
        assert self._bytes == sum(self._sizes.values())

    def _make_room(self) -> Iterator[Log]:
        """Cut a little more than must be, so that not every event has to look for what to cut."""
        goal = self._max_bytes - self._max_bytes // 8
        # Whoever has been silent for longest is the least likely to be asked for what it said.
        for log in self._sizes:
            while self._bytes > goal and len(log) > 1 and log.drop_first():
                self._weigh(log)
            yield log
            if self._bytes <= goal:
                break

    def reweigh(self) -> None:
        """Logs have shrunk by themselves."""
        for log in self._sizes:
            self._weigh(log)

    def _weigh(self, log: Log) -> None:
        self._bytes += log.size_bytes - self._sizes[log]
        self._sizes[log] = log.size_bytes
