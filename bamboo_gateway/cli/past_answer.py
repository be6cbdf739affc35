"""A message of the conversation, taken apart in the order in which it was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def parts_of(message: Mapping[str, Any], max_chars: int | None = None) -> Iterator[str | Mapping[str, Any]]:
    """
    The words of a message, as `session.history` tells it, with each tool call where it was made.

    Of calls whose place is unknown, all stand first. *max_chars* leaves out the
    beginning of a longer text, with the calls that were made in it.
    """
    content: str = message["content"]
    first = max(0, len(content) - max_chars) if max_chars is not None else 0
    at = 0
    for call in message.get("tool_calls") or ():
        place = max(at, min(call.get("position") or 0, len(content)))
        if said := _between(content, at, place, first):
            yield said
        if place >= first or call.get("position") is None:
            yield call
        at = place
    if said := _between(content, at, len(content), first):
        yield said


def _between(content: str, start: int, end: int, first: int) -> str:
    if start >= first:
        return content[start:end]
    return "…" + content[first:end] if end > first else ""
