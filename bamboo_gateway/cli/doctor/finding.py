"""What a check has found: a sentence, how bad it is, and how to mend it."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

Verdict: TypeAlias = Literal["well", "warning", "fault"]
"""A gateway can do its work; it can, but not as somebody may think; it cannot."""


@attrs.frozen
class Finding:
    """One line of what is told."""

    about: str
    """What was looked at, in a word or two."""
    verdict: Verdict
    text: str
    remedy: str | None = None
    """How to mend it."""


def well(about: str, text: str) -> Finding:
    """There is nothing to be done."""
    return Finding(about, "well", text)


def warning(about: str, text: str, remedy: str) -> Finding:
    """A gateway would start, and disappoint."""
    return Finding(about, "warning", text, remedy)


def fault(about: str, text: str, remedy: str) -> Finding:
    """A gateway would not start, or not work."""
    return Finding(about, "fault", text, remedy)
