"""
The trace that a chat is part of: W3C Trace Context, levels 1 and 2.

<https://www.w3.org/TR/trace-context/>. The gateway makes no spans of its own: it
passes on what the client has sent, and drops what is not valid, as the
specification asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from .protocol.messages import Chat, Json

MAX_STATE_LENGTH = 512
"""Characters of `tracestate`: what everybody has to pass on (§3.3.1.5), and more nobody need."""

MAX_STATE_MEMBERS = 32
"""§3.3.1.3.1: a list of more is not valid."""

_LONG_MEMBER = 128
"""Characters above which a member is the first to go, where something must (§3.3.1.5)."""

_KNOWN_FLAGS = 0b11
"""`sampled` (level 1) and `random-trace-id` (level 2); whoever sends must set all others to zero."""

_PARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})"
    r"-(?P<trace>(?!0{32})[0-9a-f]{32})"
    r"-(?P<span>(?!0{16})[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})"
    r"(?P<more>-.*)?",
    re.ASCII | re.DOTALL,
)

_KEY = r"[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_MEMBER = re.compile(
    rf"(?P<key>{_KEY})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e]", re.ASCII
)


@attrs.frozen
class TraceContext:
    """One place in one trace."""

    trace_id: str
    """Of the whole: 32 hexadecimal digits."""
    span_id: str
    """Of who asks: 16 of them."""
    flags: int = 0
    tracestate: str | None = None
    """What tracing systems add for themselves, as that header."""

    @property
    def traceparent(self) -> str:
        """As the header of this name, in the version that we know."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"

    @property
    def headers(self) -> dict[str, str]:
        """What an HTTP request in this trace carries."""
        state = {} if self.tracestate is None else {"tracestate": self.tracestate}
        return {"traceparent": self.traceparent, **state}

    @classmethod
    def parse(cls, traceparent: Json, tracestate: Json = None) -> TraceContext | None:
        """
        Read the two headers; None: there is no valid `traceparent`, and so no trace.

        A later version is read as far as it is known; a `tracestate` that is not
        valid counts as none.
        """
        match = _PARENT.fullmatch(traceparent) if isinstance(traceparent, str) else None
        if match is None or (match["version"] == "00" and match["more"] is not None):
            return None
        flags = int(match["flags"], 16) & _KNOWN_FLAGS
        return cls(match["trace"], match["span"], flags, _state(tracestate))

    @classmethod
    def of(cls, chat: Chat) -> TraceContext | None:
        """The trace that *chat* names in its metadata, if any."""
        metadata = chat.metadata
        return cls.parse(metadata.get("traceparent"), metadata.get("tracestate")) if metadata else None


def _state(text: Json) -> str | None:
    if not isinstance(text, str):
        return None
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {match["key"] for match in map(_MEMBER.fullmatch, members) if match}
    if len(members) > MAX_STATE_MEMBERS or len(keys) != len(members):
        return None  # too many, one that is none, or two of one key
    return ",".join(_cut(members)) or None


def _cut(members: list[str]) -> Iterator[str]:
    """As much as is passed on: whole members from the left, without the long ones where not all fit."""
    if len(",".join(members)) > MAX_STATE_LENGTH:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    length = -1
    for member in members:
        length += 1 + len(member)
        if length > MAX_STATE_LENGTH:
            return
        yield member
