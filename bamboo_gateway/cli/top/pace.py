"""What has happened between two looks."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..distribution import Distribution
from .look import Look, Record


@attrs.frozen(kw_only=True)
class Pace:
    """Rates are a second; None: there were no two looks that could tell."""

    seconds: float
    """Between the two."""
    events: float | None = None
    """That logs took."""
    deliveries: float | None = None
    """Events to connections, counted for each."""
    turns: float | None = None
    """That ended."""
    lags: Mapping[str, Distribution] = {}
    """How long things took, by the name of the histogram."""
    by_session: Mapping[str, float] = {}
    """Events of each session that was there both times."""


def between(earlier: Look, later: Look) -> Pace:
    """Subtract two looks; across a restart of the gateway there is nothing to subtract."""
    seconds = later.at - earlier.at
    if seconds <= 0 or earlier.numbers is None or later.numbers is None:
        return Pace(seconds=seconds, by_session=_by_session(earlier, later))
    if later.numbers["uptime"] < earlier.numbers["uptime"]:
        return Pace(seconds=seconds)
    return Pace(
        seconds=seconds,
        events=(_events(later.numbers) - _events(earlier.numbers)) / seconds,
        deliveries=(_deliveries(later.numbers) - _deliveries(earlier.numbers)) / seconds,
        turns=(_turns(later.numbers) - _turns(earlier.numbers)) / seconds,
        lags={name: each.since(earlier.histograms.get(name)) for name, each in later.histograms.items()},
        by_session=_by_session(earlier, later),
    )


def _events(numbers: Record) -> int:
    return int(numbers["registry"]["table"]["events_appended"])


def _deliveries(numbers: Record) -> int:
    return int(numbers["deliveries"]["live"]) + int(numbers["deliveries"]["caught_up"])


def _turns(numbers: Record) -> int:
    return sum(int(numbers["turns"][name]) for name in ("completed", "failed", "aborted"))


def _by_session(earlier: Look, later: Look) -> Mapping[str, float]:
    # Those of the one may be from long before: only the table that is shown is asked for.
    seconds = later.age_of_sessions - earlier.age_of_sessions
    if earlier.sessions is None or later.sessions is None or seconds <= 0:
        return {}
    before = {(each["session_id"], each["epoch"]): each["last_seq"] for each in earlier.sessions}
    return {
        each["session_id"]: (each["last_seq"] - before[key]) / seconds
        for each in later.sessions
        if (key := (each["session_id"], each["epoch"])) in before
    }
