"""What one client must be told, and the check that it is told that and nothing else."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence

import attrs

from tests.machines.clients.record import Chosen, Record
from tests.plain_wire import SEED_KINDS, Event


@attrs.define
class Span:
    """A stretch of a log that a connection follows."""

    record: Record
    cursor: int
    """The last `seq` that it was told of."""
    end: int | None = None
    """It was left at this `seq`; what was not told by then need not be."""
    is_honoured: bool = True
    """False: the client's cursor meant nothing here, of which it must be told by a gap."""
    begins: Chosen | None = None
    """Where, if that is not `cursor`: it is told before the first event."""
    is_exact: bool = True
    """Each token must come by itself; otherwise it may be merged with its neighbours."""
    is_blind: bool = False
    """A client of protocol 1 was told of a gap, but not how wide it is."""

    def reaches(self, seq: int) -> bool:
        """May *seq* be in this stretch, or be what was wanted of it?"""
        return self.end is None or seq <= self.end or not self.is_honoured


@attrs.frozen
class Answer:
    """Something that is said to one connection alone."""

    fields: Mapping[str, object]
    """What it must hold; it may hold more."""
    spans: dict[str, deque[Span]] | None = None
    """What the connection follows from here on, by the log's name; None: the same as before."""

    def is_met_by(self, event: Event) -> bool:
        """Is *event* this answer?"""
        return all(
            wanted.matches(event.get(name)) if isinstance(wanted, Chosen) else wanted == event.get(name)
            for name, wanted in self.fields.items()
        )


class View:
    """
    One connection's side of the story.

    Invariant: of each log that it follows it has been told every event up to the
    cursor, exactly once and in order, but for gaps that it was told of.
    """

    def __init__(self) -> None:
        self.expected: deque[Answer] = deque()
        self._protocol = 1
        self._spans: dict[str, deque[Span]] = {}

    def expect(self, kind: str, *, spans: Sequence[Span] | None = None, **fields: object) -> None:
        """The next thing said to this connection alone is this; from there on it follows *spans* alone."""
        followed = None if spans is None else {span.record.name: deque([span]) for span in spans}
        self.expected.append(Answer({"type": kind, **fields}, followed))

    def follow(self, record: Record) -> None:
        """The connection follows a channel from now on."""
        self._latest_spans().setdefault(record.name, deque()).append(Span(record, record.last_seq))

    def leave(self, record: Record) -> None:
        """It no longer does."""
        self._latest_spans()[record.name][-1].end = record.last_seq

    def hear(self, event: Event) -> None:
        """Check what the client was told."""
        assert self._protocol > 1 or event["type"] in SEED_KINDS, event
        if "seq" in event:
            self._hear_logged(event)
        elif event["type"] == "gap":
            self._hear_gap(event)
        elif event.get("code") == "GAP":
            self._hear_gap_in_seed_words(event)
        else:
            self._hear_answer(event)

    def check_complete(self) -> None:
        """Check that there is nothing that the client should have been told and was not."""
        assert not self.expected
        for name, spans in self._spans.items():
            while spans and spans[0].end is not None:
                spans.popleft()
            for span in spans:
                self._check_to_the_end(name, span)

    def _latest_spans(self) -> dict[str, deque[Span]]:
        """What the connection follows when it has read everything."""
        pending = [answer.spans for answer in self.expected if answer.spans is not None]
        return pending[-1] if pending else self._spans

    def _check_to_the_end(self, name: str, span: Span) -> None:
        _begun(span)
        last_seq = span.record.last_seq
        assert span.is_honoured, name
        if self._protocol == 1:
            self._skip(span, last_seq + 1)
            span.cursor = last_seq
        assert span.cursor == last_seq, (name, span)

    def _hear_answer(self, event: Event) -> None:
        assert self.expected, event
        answer = self.expected.popleft()
        assert answer.is_met_by(event), (answer, event)
        self._protocol = event.get("protocol", self._protocol)
        if answer.spans is not None:
            self._spans = answer.spans

    def _hear_logged(self, event: Event) -> None:
        parts = _parts(event)
        for part in parts:
            self._hear_part(part, is_alone=len(parts) == 1)

    def _hear_part(self, event: Event, *, is_alone: bool) -> None:
        seq = event["seq"]
        span = self._span_at(event, seq)
        assert span.is_honoured, event
        assert is_alone or not span.is_exact, event
        if self._protocol == 1:
            self._skip(span, seq)
        else:
            assert seq == span.cursor + 1, (span, event)
        span.record.tell(event)
        span.cursor = seq

    def _skip(self, span: Span, seq: int) -> None:
        assert seq > span.cursor, (span, seq)
        if not span.is_blind:
            span.record.keep_silent(span.cursor + 1, seq - 1)
        span.is_blind = False

    def _hear_gap(self, event: Event) -> None:
        requested, earliest = event["requested"], event["earliest"]
        span = self._span_at(event, requested)
        assert requested == span.cursor + 1, (span, event)
        assert requested < earliest or not span.is_honoured, (span, event)
        # It is told of the log as it was then.
        assert earliest <= span.record.first_seq, (span, event)
        assert earliest - 1 <= event["latest"] <= span.record.last_seq, (span, event)
        span.cursor, span.is_honoured = earliest - 1, True

    def _hear_gap_in_seed_words(self, event: Event) -> None:
        for span in self._spans[event.get("channel", "session")]:
            if not span.is_honoured:
                span.cursor, span.is_honoured = 0, True
            span.is_blind = True

    def _span_at(self, event: Event, seq: int) -> Span:
        spans = self._spans.get(event.get("channel", "session"), deque())
        while spans and not spans[0].reaches(seq):
            spans.popleft()
        assert spans, event
        return _begun(spans[0])


_TOKEN = re.compile(r"chat-\d+\.\d+ x*|told \d+|\* \d+")


def _parts(event: Event) -> list[Event]:
    """The entries of the log that *event* is made of: tokens of one turn may be merged."""
    if event["type"] != "agent_token":
        return [event]
    texts = _TOKEN.findall(event["token"])
    assert "".join(texts) == event["token"], event
    first = event["seq"] - len(texts) + 1
    timeless = {name: value for name, value in event.items() if name != "ts"}
    merged = [{**timeless, "token": text, "seq": seq} for seq, text in enumerate(texts[:-1], first)]
    return [*merged, {**event, "token": texts[-1]}]


def _begun(span: Span) -> Span:
    if span.begins is not None:
        span.cursor, span.begins = span.begins.value, None
    return span
