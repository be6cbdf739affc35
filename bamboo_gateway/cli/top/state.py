"""What the screen of `top` shows, and what a key makes of it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from .keys import Key
from .look import Look, Part, Record
from .pace import Pace

Table: TypeAlias = Literal["sessions", "connections"]

PAGE = 10
"""Rows that a page key goes over."""


@attrs.frozen(kw_only=True)
class State:
    """All that is drawn."""

    url: str
    version: str
    interval: float
    look: Look
    pace: Pace
    history: Mapping[str, Sequence[float | None]] = {}
    now: float
    """Unix seconds of the look: what is told of the gateway has its times so."""
    table: Table = "sessions"
    offset: int = 0
    """Rows that are scrolled over."""
    is_paused: bool = False
    lost: str | None = None
    """Why there is no connection at the moment."""
    complaint: str | None = None
    """What went wrong with the last look."""

    @property
    def missing(self) -> Mapping[Part, str]:
        """What the gateway does not tell, and why."""
        return self.look.missing

    @property
    def sessions(self) -> Sequence[Record]:
        """Those that run first, then the busiest, then those that were last active."""
        return sorted(self.look.sessions or (), key=self._by_bustle)

    @property
    def connections(self) -> Sequence[Record]:
        """Those that are behind first, with most to be sent; then the newest."""
        return sorted(self.look.connections or (), key=_by_trouble)

    @property
    def rows(self) -> Sequence[Record]:
        """Of the table that is shown."""
        return self.sessions if self.table == "sessions" else self.connections

    def press(self, key: Key) -> State:
        """Go on with what *key* asks for."""
        match key:
            case "s" | "c":
                return attrs.evolve(self, table="sessions" if key == "s" else "connections", offset=0)
            case "p" | " ":
                return attrs.evolve(self, is_paused=not self.is_paused)
            case _:
                last = max(0, len(self.rows) - 1)
                return attrs.evolve(self, offset=min(last, max(0, self.offset + _STEPS.get(key, 0))))

    def _by_bustle(self, session: Record) -> tuple[bool, float, int]:
        rate = self.pace.by_session.get(session["session_id"], 0.0)
        return session["state"] != "running", -rate, -int(session["last_activity"])


_STEPS: Mapping[Key, int] = {"up": -1, "down": 1, "page up": -PAGE, "page down": PAGE, "home": -(10**9)}


def _by_trouble(connection: Record) -> tuple[bool, int, int]:
    is_behind = connection["state"] == "behind"
    return not is_behind, -int(connection["waiting_bytes"]), -int(connection["connected_at"])
