"""Durations as people write them: `90s`, `15m`, `24h`, `7d`, or plain seconds."""

from __future__ import annotations

import re

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(rf"(\d+(?:\.\d+)?)\s*([{''.join(_SECONDS)}]?)", re.ASCII)


def parse_duration(text: str) -> float:
    """
    Read *text* as seconds.

    Raises:
        ValueError: It is no duration.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration, such as 30, 90s, 15m, 24h or 7d")
    number, unit = match.groups()
    return float(number) * _SECONDS[unit]


def format_duration(seconds: float) -> str:
    """Write *seconds* as `parse_duration` reads them, in the largest unit that leaves a whole number."""
    for unit in ("d", "h", "m"):
        if seconds and not seconds % _SECONDS[unit]:
            return f"{_number(seconds / _SECONDS[unit])}{unit}"
    return f"{_number(seconds)}s"


def _number(number: float) -> str:
    """All of its digits, without an exponent, and without `.0`."""
    return str(int(number)) if number == int(number) else f"{number}"
