"""Moments as people read them; on the wire they are Unix milliseconds."""

from __future__ import annotations

import datetime

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_WEEK = 7 * _DAY


def format_ago(ts: int, now: int, zone: datetime.tzinfo | None = None) -> str:
    """How long ago *ts* was; after a week, the day in *zone* (None: that of this machine)."""
    passed = now - ts
    if passed < _MINUTE:  # another machine's clock may be ahead
        return "just now"
    if passed < _HOUR:
        return f"{passed // _MINUTE} min ago"
    if passed < _DAY:
        return f"{passed // _HOUR} h ago"
    if passed < _WEEK:
        days = passed // _DAY
        return "1 day ago" if days == 1 else f"{days} days ago"
    return format_moment(ts, zone).partition(" ")[0]


def format_moment(ts: int, zone: datetime.tzinfo | None = None) -> str:
    """Day and time to the second in *zone* (None: that of this machine)."""
    try:
        moment = datetime.datetime.fromtimestamp(ts // 1000, datetime.UTC).astimezone(zone)
    except (ValueError, OverflowError, OSError):  # no year that a calendar has
        return str(ts)
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z")
