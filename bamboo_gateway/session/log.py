"""One append-only sequence of events, bounded, read by cursor."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import attrs

from ..protocol import codec, framing, versions
from ..protocol.codec import Dialect
from ..protocol.messages import Gap, LoggedEvent


@attrs.frozen(eq=False)
class Entry:
    """
    One event in a log.

    Its frame is made once for each way of speaking (dialect and protocol), and
    the same bytes go to every connection.
    """

    seq: int
    event: LoggedEvent
    body: bytes = attrs.field(repr=False)
    _frames: dict[tuple[Dialect, int], bytes] = attrs.field(factory=dict, init=False, repr=False)

    def frame(self, dialect: Dialect, protocol: int) -> bytes:
        """The WebSocket frame of this event; empty where the protocol has no word for it."""
        frame = self._frames.get((dialect, protocol))
        if frame is None:
            said = protocol >= versions.LATEST or type(self.event) in versions.SEED_EVENTS
            frame = framing.text_frame(codec.wrap(type(self.event), self.body, dialect)) if said else b""
            self._frames[dialect, protocol] = frame
        return frame


@attrs.frozen
class Chunk:
    """What a reader finds after its cursor."""

    entries: Sequence[Entry]
    missing: tuple[int, int] | None = None
    """The first and last `seq` that were wanted and are no longer there."""


@attrs.frozen
class LogLimits:
    """How much a log keeps."""

    max_events: int
    max_bytes: int
    """Of encoded events; the newest event is kept whatever its size."""


class Log:
    """
    The events of one session or channel.

    Invariant: the entries are consecutive from `first_seq` to `last_seq`;
    readers see them up to `visible_seq`, which moves when they are committed.
    """

    def __init__(self, name: str, epoch: str, limits: LogLimits, *, channel: str | None = None) -> None:
        self.name = name
        """The session's id or the channel's name."""
        self.epoch = epoch
        self.channel = channel
        self.last_seq = 0
        self.visible_seq = 0
        self._limits = limits
        self._entries: deque[Entry] = deque()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<Log {self.name} {self.first_seq}–{self.last_seq}>"

    @property
    def first_seq(self) -> int:
        """The oldest `seq` that can still be read; `last_seq + 1` where there is none."""
        return self.last_seq - len(self._entries) + 1

    @property
    def size_bytes(self) -> int:
        """Bytes of the encoded events that are kept."""
        return self._bytes

    def append(self, event: LoggedEvent, ts: int) -> Entry:
        """
        Add *event* as the next entry; it is not yet visible.

        Raises:
            InvalidMessageError: The event cannot be encoded; the log is as it was.
        """
        stamp: dict[str, Any] = {"seq": self.last_seq + 1, "ts": ts, "channel": self.channel}
        event = attrs.evolve(event, **stamp)
        entry = Entry(self.last_seq + 1, event, codec.encode_body(event))
        self.last_seq = entry.seq
        self._entries.append(entry)
        self._bytes += len(entry.body)
        while len(self._entries) > 1 and self._is_over():
            self._bytes -= len(self._entries.popleft().body)
        return entry

    def show(self, seq: int) -> None:
        """Let readers see the entries up to *seq*."""
        self.visible_seq = max(self.visible_seq, seq)

    def read(self, after: int, max_bytes: int) -> Chunk:
        """
        The visible entries after cursor *after*, of at most *max_bytes* together, but at least one.

        A cursor beyond what is visible finds nothing.
        """
        first = self.first_seq
        missing = (after + 1, first - 1) if after + 1 < first and after < self.visible_seq else None
        entries: list[Entry] = []
        for seq in range(max(first, after + 1), self.visible_seq + 1):
            # By index: most readers stand near the end, and a deque finds either end at once.
            entry = self._entries[seq - first]
            max_bytes -= len(entry.body)
            if max_bytes < 0 and entries:
                break
            entries.append(entry)
        return Chunk(entries, missing)

    def gap(self, requested: int) -> Gap:
        """What a reader is told that wanted the entries from *requested* on, and cannot have the first."""
        return Gap(
            requested=requested,
            earliest=self.first_seq,
            latest=self.last_seq,
            epoch=self.epoch,
            session_id=None if self.channel else self.name,
            channel=self.channel,
        )

    def _is_over(self) -> bool:
        return len(self._entries) > self._limits.max_events or self._bytes > self._limits.max_bytes
