"""Text that others have written, made fit for a terminal: it shows, and does nothing else."""

from __future__ import annotations

import json
import unicodedata

from ..protocol.messages import Json

_UNPRINTABLE = "\ufffd"
_CUT = "…"
_LAYOUT = frozenset("\n\t")


def line(text: str) -> str:
    """Show *text* in one line, whatever is in it."""
    return text if text.isprintable() else "".join(map(_shown, text))


def block(text: str) -> str:
    """Show *text* with its lines and tabs."""
    text = text.replace("\r\n", "\n")
    return "".join(each if each in _LAYOUT else _shown(each) for each in text)


def to_json(value: Json) -> str:
    """Write *value* as JSON in one line; what a terminal could obey is written as an escape."""
    # Not strict: the depth of what is inside was bounded when it came in, and may not be refused here.
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else "".join(map(_escaped, text))


def width(text: str) -> int:
    """The columns of a terminal that *text*, one printable line, takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def fit(text: str, columns: int) -> str:
    """Cut *text* to this many *columns*."""
    if width(text) <= columns:
        return text
    left = columns - len(_CUT)
    kept = []
    for each in text:
        left -= _columns(each)
        if left < 0:
            break
        kept.append(each)
    return "".join(kept) + _CUT


def pad(text: str, columns: int) -> str:
    """Fill *text* up to this many *columns*."""
    return text + " " * (columns - width(text))


def _shown(char: str) -> str:
    return char if char.isprintable() else _UNPRINTABLE


def _escaped(char: str) -> str:
    # Outside of its strings, JSON has no such characters.
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
