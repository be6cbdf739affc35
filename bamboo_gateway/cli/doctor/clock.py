"""Is the clock right, as far as files and others can tell?"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from .. import figures
from .finding import Finding, warning, well

_ABOUT = "clock"

_TOLERATED = 60.0
"""Seconds that clocks may be apart: tokens expire, and certificates are judged, by the minute."""

_REMEDY = "have the clock set by NTP: timedatectl set-ntp true"


def judge(now: float, written: Mapping[str, float], elsewhere: float | None) -> Iterator[Finding]:
    """
    Compare the clock with the times at which files were *written*, and with one *elsewhere*.

    A file cannot have been written later than now, and ours not before it was
    made: this package is older than all that runs it.
    """
    is_well = True
    for name, time in written.items():
        if time - now > _TOLERATED:
            is_well = False
            text = f"{name} was written {figures.age(time - now)} from now"
            yield warning(_ABOUT, text, _REMEDY)
    if elsewhere is not None and abs(elsewhere - now) > _TOLERATED:
        is_well = False
        which = "ahead of" if now > elsewhere else "behind"
        text = f"it is {figures.age(abs(elsewhere - now))} {which} that of the model endpoint"
        yield warning(_ABOUT, text, _REMEDY)
    if is_well:
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        yield well(_ABOUT, f"{moment:%Y-%m-%d %H:%M} UTC, and nothing says otherwise")


def written_at(paths: Iterator[Path]) -> Mapping[str, float]:
    """When each of *paths* was last written; those that are not there are left out."""
    found: dict[str, float] = {}
    for path in paths:
        with suppress(OSError):
            found[str(path)] = path.stat().st_mtime
    return found
