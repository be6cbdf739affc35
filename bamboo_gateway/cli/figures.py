"""Numbers as a person takes them in at a glance: three digits, and a unit."""

from __future__ import annotations

import math

NONE = "–"
"""In the place of a number that is not known."""

_THOUSAND = 1000

_THOUSANDS = ("", "k", "M", "G", "T")

_LENGTHS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def short(number: float) -> str:
    """A count or a rate: `0`, `0.25`, `12.3`, `999`, `1.23k`."""
    for unit in _THOUSANDS:
        digits = _digits(number)
        if float(digits) < _THOUSAND or unit == _THOUSANDS[-1]:
            return f"{digits}{unit}"
        number /= _THOUSAND
    raise AssertionError("the last unit takes whatever is left")


def counted(number: int, what: str) -> str:
    """`no tokens`, `1 token`, `2 tokens`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """Bytes: `0 B`, `12.3 kB`, `4 MB`."""
    text = short(number)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} B"


def span(seconds: float) -> str:
    """A short while, such as a delay: `0.25 ms`, `12 ms`, `1.5 s`."""
    return f"{_digits(seconds * 1000)} ms" if seconds < 1 else f"{_digits(seconds)} s"


def age(seconds: float) -> str:
    """A long one, in its two largest units: `3 d 4 h`, `12 min 3 s`, `7 s`."""
    left = max(0, int(seconds))
    parts: list[str] = []
    for length, unit in _LENGTHS:
        count, left = divmod(left, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def _digits(number: float) -> str:
    if number and number < 0.01:  # noqa: PLR2004 -- what two places can still tell from nothing
        return "0.01"
    places = 2 if number < 10 else 1 if number < 100 else 0  # noqa: PLR2004 -- three digits
    text = f"{number:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_known(number: float | None) -> bool:
    """Is there such a number, and is it one?"""
    return number is not None and math.isfinite(number)
