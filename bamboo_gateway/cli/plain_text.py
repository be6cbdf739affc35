"""Text as it may be shown in a terminal: nobody knows where an agent, or a client, has its words from."""

from __future__ import annotations

import json
import unicodedata

from ..protocol.messages import Json

_CONTROL = dict.fromkeys(
    {*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")}
    # Those that turn the direction of what follows, so that it reads as something else.
    | {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
)
"""What could make a terminal do more than show text."""

_BREAKS = dict.fromkeys(map(ord, "\n\t\u2028\u2029"), " ")

_CUT = "…"


def plain(text: str) -> str:
    """Leave out what could move the cursor, but for line breaks and tabs."""
    return text.translate(_CONTROL)


def one_line(text: str) -> str:
    """The same, without line breaks and tabs."""
    return plain(text).translate(_BREAKS)


def to_json(value: Json) -> str:
    """Write what a gateway told as JSON in one line, with escapes for all that could move the cursor."""
    # Not strict: its depth was bounded when it came in, and may not be refused for what is put around it.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else "".join(map(_escaped, text))


def width(line: str) -> int:
    """The columns that one line takes in a terminal."""
    return len(line) if line.isascii() else sum(map(_columns, line))


def fit(text: str, columns: int) -> str:
    """Cut or fill *text*, as one line, to be this many *columns* wide."""
    line = one_line(text)
    if width(line) > columns:
        columns_left = columns - len(_CUT)
        kept = ""
        for each in line:
            columns_left -= _columns(each)
            if columns_left < 0:
                break
            kept += each
        line = kept + _CUT
    return line + " " * (columns - width(line))


def _escaped(char: str) -> str:
    # Outside of its strings, JSON has no such characters.
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
