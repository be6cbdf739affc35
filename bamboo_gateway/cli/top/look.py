"""One look at a gateway: what it answers to the three questions of `top`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import trio

from ...client import Client, RefusedError
from ...errors import ErrorCode
from ..distribution import Distribution
from ..patience import ask_patiently

Record: TypeAlias = Mapping[str, Any]

Part: TypeAlias = Literal["numbers", "sessions", "connections"]
"""What is asked for, each by a command of its own."""

MAX_SESSIONS = 100
"""Of the newest; each look costs the gateway so many rows."""

MAX_CONNECTIONS = 500
"""As many as it tells at once."""

_QUESTIONS: Mapping[Part, tuple[str, dict[str, Any]]] = {
    "numbers": ("gateway.stats", {"histograms": True}),
    "sessions": ("session.list", {"order": "newest", "limit": MAX_SESSIONS}),
    "connections": ("connection.list", {"limit": MAX_CONNECTIONS}),
}

PARTS: tuple[Part, ...] = tuple(_QUESTIONS)


@attrs.frozen(kw_only=True)
class Look:
    """What was seen at one moment; None: that was not asked, or not told."""

    at: float
    """Seconds of a clock that only goes forward."""
    numbers: Record | None = None
    """`Gateway.statistics()`."""
    histograms: Mapping[str, Distribution] = {}
    sessions: Sequence[Record] | None = None
    sessions_at: float | None = None
    """When they were asked for, if that was at another look; by the same clock."""
    connections: Sequence[Record] | None = None
    missing: Mapping[Part, str] = {}
    """Why a part was not told."""
    forbidden: Mapping[Part, str] = {}
    """The same of those that it is of no use to ask for again."""

    def keeping(self, before: Look) -> Look:
        """What is known by now: of what was not asked this time, that which was seen *before*."""
        changes: dict[str, Any] = {}
        if self.sessions is None:
            changes |= {"sessions": before.sessions, "sessions_at": before.age_of_sessions}
        if self.connections is None:
            changes["connections"] = before.connections
        return attrs.evolve(self, **changes)

    @property
    def age_of_sessions(self) -> float:
        """When the sessions were as they are told."""
        return self.at if self.sessions_at is None else self.sessions_at

    @property
    def uptime(self) -> float | None:
        """Of the gateway, in seconds."""
        return None if self.numbers is None else float(self.numbers["uptime"])


async def take(client: Client, parts: Sequence[Part], forbidden: Mapping[Part, str]) -> Look:
    """
    Ask for *parts*, but for those that were *forbidden* before.

    Raises:
        NoReplyError: The gateway does not answer.
        ClosedError: The connection is over, and will not come back.
    """
    found: dict[Part, Record] = {}
    forbidden, missing = dict(forbidden), dict(forbidden)
    for part in parts:
        if part in forbidden:
            continue
        name, args = _QUESTIONS[part]
        try:
            answer: Any = await ask_patiently(client, name, args)
            found[part] = answer
        except RefusedError as error:
            missing[part] = _why(error)
            if error.code in _FINAL:
                forbidden[part] = missing[part]
    stats = found.get("numbers", {})
    return Look(
        at=trio.current_time(),
        numbers=stats.get("statistics"),
        histograms=_histograms(stats.get("histograms")),
        sessions=found.get("sessions", {}).get("sessions"),
        connections=found.get("connections", {}).get("connections"),
        missing=missing,
        forbidden=forbidden,
    )


_FINAL = {ErrorCode.FORBIDDEN, ErrorCode.UNKNOWN_COMMAND}


def _why(error: RefusedError) -> str:
    if error.code == ErrorCode.UNKNOWN_COMMAND:
        return "this gateway is too old to tell"
    return error.message if error.code == ErrorCode.FORBIDDEN else str(error)


def _histograms(told: Any) -> Mapping[str, Distribution]:
    read = {name: Distribution.read(each) for name, each in told.items()} if isinstance(told, dict) else {}
    return {name: each for name, each in read.items() if each is not None}
