"""One log of the gateway, as far as its clients have told of it."""

from __future__ import annotations

from typing import Any

import attrs

from tests.plain_wire import SEED_KINDS, Event


@attrs.define(eq=False)
class Chosen:
    """A value that the gateway chooses: who is told of it first decides, and all must be told the same."""

    value: Any = None
    within: range | None = None
    """It must be one of these."""

    def matches(self, value: object) -> bool:
        """Is *value* what it is, or may it be?"""
        if self.value is None:
            self.value = value
        return bool(self.value == value) and (self.within is None or value in self.within)


@attrs.define(eq=False, repr=False)
class Record:
    """
    A log: how long it is, which the model knows, and what stands in it, which clients tell.

    Invariant: what two clients were told of one `seq` is the same.
    """

    name: str
    """Of the channel; `"*"`: broadcasts; `"session"`."""
    max_events: int
    """The log keeps so many."""
    session_id: Chosen | None = None
    """Whose log it is; None: a channel's."""
    last_seq: int = 0
    events: dict[int, Event] = attrs.field(factory=dict)
    silent: set[int] = attrs.field(factory=set)
    """What a client of protocol 1 was not told: it must be of a kind that it does not know."""

    def __repr__(self) -> str:
        return f"<log {self.name} {self.first_seq}–{self.last_seq}>"

    @property
    def first_seq(self) -> int:
        """The oldest that can still be had."""
        return max(1, self.last_seq - self.max_events + 1)

    def grow(self) -> None:
        """It is longer by one."""
        self.last_seq += 1

    def tell(self, event: Event) -> None:
        """A client has been sent *event*."""
        seq = event["seq"]
        assert 1 <= seq <= self.last_seq, (self, event)
        known = self.events.setdefault(seq, event)
        # Of what came merged with its neighbours, a client is not told when it was said.
        stamp = known.get("ts", event.get("ts"))
        assert {**known, "ts": stamp} == {**event, "ts": event.get("ts", stamp)}, (known, event)
        self.events[seq] = known if "ts" in known else event
        assert event["type"] not in SEED_KINDS or seq not in self.silent, (self, event)
        assert self.session_id is None or self.session_id.matches(event["session_id"]), (self, event)

    def keep_silent(self, first: int, last: int) -> None:
        """A client of protocol 1 was sent nothing from *first* to *last*."""
        for seq in range(first, last + 1):
            kind = self.events.get(seq, {"type": "unknown"})["type"]
            assert kind not in SEED_KINDS, (self, self.events[seq])
            self.silent.add(seq)
