"""Text as it may be shown in a terminal: nobody knows where an agent, or a client, has its words from."""

from __future__ import annotations

_CONTROL = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})
"""What could make a terminal do more than show text."""

_BREAKS = {ord("\n"): " ", ord("\t"): " "}


def plain(text: str) -> str:
    """Leave out what could move the cursor, but for line breaks and tabs."""
    return text.translate(_CONTROL)


def one_line(text: str) -> str:
    """The same, without line breaks and tabs."""
    return plain(text).translate(_BREAKS)
