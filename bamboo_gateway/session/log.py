"""One append-only sequence of events, bounded, read by cursor."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from ..protocol import codec, framing, strict_json, versions
from ..protocol.codec import Dialect
from ..protocol.messages import AgentToken, Gap, LoggedEvent

BROADCAST = "*"
"""The channel whose log is that of broadcasts: every connection follows it and none can join."""


@attrs.frozen(eq=False)
class Entry:
    """
    One event in a log, as the bytes that it is on the wire and in the storage.

    Its frames are not kept: fan-out shares them among all who are live, and who
    reads later has them made anew, which costs less than to keep them all.
    """

    seq: int
    ts: int
    """Unix milliseconds when it was appended."""
    kind: type
    """Its class, which `body` does not name."""
    body: bytes = attrs.field(repr=False)

    @property
    def event(self) -> LoggedEvent:
        """The event itself, decoded anew each time: most entries are only ever copied as bytes."""
        value = strict_json.parse(self.body.decode(), strict_json.MAX_EVENT_NESTING)
        event: LoggedEvent = codec.structure(value, self.kind)
        return event

    def frame(self, dialect: Dialect, protocol: int) -> bytes:
        """The WebSocket frame of this event; empty where the protocol has no word for it."""
        said = protocol >= versions.LATEST or self.kind in versions.SEED_EVENTS
        return framing.text_frame(codec.wrap(self.kind, self.body, dialect)) if said else b""


def merge_tokens(entries: Sequence[Entry]) -> Iterator[Entry]:
    """
    Join neighbouring tokens of one turn into one, which carries the last `seq`; leave all else as it is.

    The text is what counts: who comes back, or cannot keep up, is spared the frames.
    """
    speech: list[_Token] = []
    for entry in entries:
        # Our own encoder has made it, so the plain parser will do; it takes a tenth of the time.
        token = _Token(entry, json.loads(entry.body)) if entry.kind is AgentToken else None
        if speech and not (token and token.speaker == speech[-1].speaker):
            yield _joined(speech)
            speech.clear()
        if token:
            speech.append(token)
        else:
            yield entry
    if speech:
        yield _joined(speech)


@attrs.frozen
class _Token:
    entry: Entry
    fields: dict[str, Any]

    @property
    def speaker(self) -> tuple[str, str | None]:
        """In a log of broadcasts, tokens of several sessions may meet."""
        return self.fields["session_id"], self.fields.get("run_id")


def _joined(speech: Sequence[_Token]) -> Entry:
    last = speech[-1]
    if len(speech) == 1:
        return last.entry
    text = "".join(token.fields["token"] for token in speech)
    body = strict_json.dump({**last.fields, "token": text})
    return Entry(last.entry.seq, last.entry.ts, AgentToken, body)


@attrs.frozen
class Chunk:
    """What a reader finds after its cursor."""

    entries: Sequence[Entry]
    missing: tuple[int, int] | None = None
    """The first and last `seq` that were wanted and are no longer there."""


@attrs.frozen
class LogLimits:
    """How much a log keeps; whatever exceeds any of them is cut off its beginning."""

    max_events: int
    max_bytes: int
    """Of encoded events; the newest event is kept whatever its size."""
    max_age: float | None = None
    """Seconds; an event as old as that goes, the newest as well. None: no age is too great."""

    @property
    def slack(self) -> int:
        """
        How many entries may be cut before the storage is told to cut them, too.

        To tell it of each one would double its work.
        """
        return max(1, self.max_events // 16)


class Log:
    """
    The events of one session or channel.

    Invariant: the entries are consecutive from `first_seq` to `last_seq`;
    readers see them up to `visible_seq`, which moves when they are committed.
    What is visible keeps the limits, as of the newest append.

    Args:
        name: The session's id or the channel's name.
        epoch: Changes whenever events could have been lost.
        limits: How much it keeps.
        channel: Set where it is no session's.
        number: Its place in the storage: above 0 a session's, from 0 down a channel's.
        last_seq: The greatest that was ever given.
        entries: Up to *last_seq*, and committed.
    """

    def __init__(
        self,
        name: str,
        epoch: str,
        limits: LogLimits,
        *,
        channel: str | None = None,
        number: int = 0,
        last_seq: int = 0,
        entries: Sequence[Entry] = (),
    ) -> None:
        self.name = name
        self.epoch = epoch
        self.channel = channel
        self.number = number
        self.last_seq = last_seq
        self.visible_seq = last_seq
        self._limits = limits
        self._entries = deque(entries)
        self._bytes = sum(len(entry.body) for entry in entries)
        self._told_seq = self.first_seq
        """What the storage keeps begins here."""
        self._untold_bytes = 0

    def __repr__(self) -> str:
        return f"<Log {self.name} {self.first_seq}–{self.last_seq}>"

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def first_seq(self) -> int:
        """The oldest `seq` that can still be read; `last_seq + 1` where there is none."""
        return self.last_seq - len(self._entries) + 1

    @property
    def newest_ts(self) -> int:
        """When the newest entry was appended (Unix milliseconds); 0 where there is none."""
        return self._entries[-1].ts if self._entries else 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the encoded events that are kept."""
        return self._bytes

    def append(self, event: LoggedEvent, ts: int, run_id: str | None = None) -> Entry:
        """
        Add *event* as the next entry; it is not yet visible.

        Args:
            event: What shall be in it; its own `seq`, `ts` and `channel` do not count.
            ts: Unix milliseconds.
            run_id: The turn that it belongs to. None: the event's own, if it has one.

        Raises:
            InvalidMessageError: The event cannot be encoded; the log is as it was.
        """
        seq = self.last_seq + 1
        body = codec.encode_entry(event, seq=seq, ts=ts, run_id=run_id or event.run_id, channel=self.channel)
        entry = Entry(seq, ts, type(event), body)
        self.last_seq = seq
        self._entries.append(entry)
        self._bytes += len(body)
        self.expire(ts)
        while self._is_over() and len(self._entries) > 1 and self.drop_first():
            pass
        return entry

    def expire(self, now: int) -> None:
        """Drop what is too old at *now* (Unix milliseconds)."""
        if self._limits.max_age is not None:
            oldest = now - self._limits.max_age * 1000
            while self._entries and self._entries[0].ts <= oldest and self.drop_first():
                pass

    def drop_first(self) -> bool:
        """
        Drop the oldest entry, which is there; False: it must stay.

        What is not committed stays: a gap would tell clients of numbers that a
        crash gives to other events.
        """
        if self._entries[0].seq > self.visible_seq:
            return False
        size_bytes = len(self._entries.popleft().body)
        self._bytes -= size_bytes
        self._untold_bytes += size_bytes
        return True

    def cut(self, *, at_once: bool = False) -> int | None:
        """
        Where the storage shall cut: it may forget what is before this `seq`. None: it is not worth it yet.

        Args:
            at_once: It is, if there is anything at all.
        """
        count = self.first_seq - self._told_seq
        is_worth_it = count >= self._limits.slack or self._untold_bytes * 16 >= self._limits.max_bytes
        if not count or not (at_once or is_worth_it):
            return None
        self._told_seq, self._untold_bytes = self.first_seq, 0
        return self.first_seq

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
            latest=self.visible_seq,
            epoch=self.epoch,
            session_id=None if self.channel else self.name,
            channel=self.channel,
        )

    def _is_over(self) -> bool:
        return len(self._entries) > self._limits.max_events or self._bytes > self._limits.max_bytes
