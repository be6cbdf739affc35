"""What stands in one log, as far as clients have told of it, and each client's reading of it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from tests.plain_wire import SEED_KINDS, Event


@attrs.define(eq=False)
class Ledger:
    """
    One log.

    Invariant: what two clients were told of one `seq` is the same, and so is
    what one client was told of it by two gateways.
    """

    name: str
    is_recorded: bool = False
    """The storage tells what stands here before any client may."""
    events: dict[int, Event] = attrs.field(factory=dict)
    whole_to: int = 0
    """Every event up to this one is known."""
    newest: int = 0
    """The greatest `seq` that anybody was told of, in whatever way."""

    def tell(self, event: Event) -> None:
        """A client has been sent *event*, which is surely a single one."""
        assert not self.is_recorded or event["seq"] in self.events, f"{event} was told before it was stored"
        known = self.events.setdefault(event["seq"], event)
        assert known == event, f"{self.name}: two events of one seq: {known} and {event}"
        while self.whole_to + 1 in self.events:
            self.whole_to += 1

    def record(self, event: Event) -> None:
        """The storage has committed *event*."""
        assert event["seq"] == self.newest + 1, f"{self.name}: {event} was stored after {self.newest}"
        self.events[event["seq"]] = event
        self.whole_to = self.newest = event["seq"]

    def ends_with(self, event: Event) -> bool:
        """Is *event* the entry of its `seq`, perhaps merged with some before it?"""
        first = seq = event["seq"]
        while first > 1 and len(_text(self.span(first - 1, seq))) < len(event.get("token", "")):
            first -= 1
        return bool(event == _joined(self.span(first - 1, seq)))

    def span(self, after: int, seq: int) -> list[Event]:
        """The events after *after*, up to *seq*."""
        return [self.events[each] for each in range(after + 1, seq + 1)]


@attrs.define(eq=False)
class Reading:
    """
    How far one client has read one log, over all its connections.

    Invariant: each event up to `cursor` was told once, in order, by itself or
    merged with its neighbours, or a gap has said that it is gone.
    """

    ledger: Ledger
    protocol: int
    is_exact: bool
    cursor: int = 0
    heard: int = 0
    gaps: list[tuple[int, int]] = attrs.field(factory=list)
    """The first and last `seq` of each hole of which the client was told."""
    is_adrift: bool = False
    """It has no cursor: what comes next may stand anywhere behind `cursor`."""
    distrusted: int | None = None
    """It gave a cursor, at this `seq`, that means nothing to the log: of that it must be told."""
    _unchecked: list[tuple[int, Event]] = attrs.field(factory=list)
    """What may be merged, or stands behind what the protocol does not know; and the cursor before it."""

    def hear(self, event: Event) -> None:
        """The client was sent *event*."""
        seq = event["seq"]
        assert seq > self.cursor, f"{self.ledger.name}: {event} came after {self.cursor}"
        assert self.distrusted is None, f"{self.ledger.name}: {event} came instead of a gap"
        self.heard += 1
        self.ledger.newest = max(self.ledger.newest, seq)
        if self.is_adrift:
            assert self.ledger.ends_with(event)
            self.cursor, self.is_adrift = seq, False
            return
        may_cover_more = self.protocol == 1 or (event["type"] == "agent_token" and not self.is_exact)
        assert may_cover_more or seq == self.cursor + 1, (
            f"{self.ledger.name}: {self.cursor + 1} to {seq - 1} are lost, then came {event}"
        )
        if seq == self.cursor + 1:
            self.ledger.tell(event)
        else:
            self._unchecked.append((self.cursor, event))
        self.cursor = seq

    def skip(self, requested: int, earliest: int) -> None:
        """The client was told that there is nothing from *requested* to before *earliest*."""
        if self.distrusted is not None:
            assert requested == self.distrusted + 1
            self.distrusted = None
            self.cursor = earliest - 1
            return
        if self.is_adrift:
            assert requested > self.cursor
            self.is_adrift = False
        else:
            assert requested == self.cursor + 1, f"{self.ledger.name}: gap at {requested} after {self.cursor}"
        assert requested < earliest, f"{self.ledger.name}: a gap from {requested} to before {earliest}"
        self.gaps.append((requested, earliest - 1))
        self.cursor = earliest - 1

    def check(self) -> None:
        """Hold what could not be judged at once against what others have told since."""
        rest: list[tuple[int, Event]] = []
        for after, event in self._unchecked:
            if event["seq"] > self.ledger.whole_to:
                rest.append((after, event))
                continue
            span = [
                each
                for each in self.ledger.span(after, event["seq"])
                if self.protocol > 1 or each["type"] in SEED_KINDS
            ]
            assert event == _joined(span), f"{self.ledger.name}: after {after} came {event}, not {span}"
        self._unchecked = rest

    def check_complete(self, last_seq: int) -> None:
        """The client has read everything up to *last_seq*, where the log ends."""
        self.check()
        assert not self._unchecked
        unspoken = self.ledger.span(self.cursor, last_seq)
        assert self.protocol == 1 or not unspoken, f"{self.ledger.name}: {unspoken} never came"
        assert not [each for each in unspoken if each["type"] in SEED_KINDS], unspoken


def _text(span: Sequence[Event]) -> str:
    return "".join(each.get("token", "") for each in span)


def _joined(span: Sequence[Event]) -> Event:
    """*span*, as one event: it is one, or consists of tokens of one turn."""
    assert span, "one event was told twice"
    if len(span) == 1:
        return span[0]
    kinds = {(each["type"], each.get("run_id")) for each in span}
    assert len(kinds) == 1, f"merged what cannot be: {span}"
    assert span[0]["type"] == "agent_token", f"merged what cannot be: {span}"
    return {**span[-1], "token": "".join(each["token"] for each in span)}
