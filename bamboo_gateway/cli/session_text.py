"""Sessions and conversations as a person reads them in a terminal."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Iterator

from .plain_text import fit, one_line, plain, to_json, width
from .session_source import Record

_COLUMNS = (
    ("ID", 36),
    ("NAME", 20),
    ("USER", 12),
    ("STATE", 7),
    ("WATCHED BY", 10),
    ("EVENTS", 7),
    ("LAST ACTIVITY", 20),
)

_AGES = ((60_000, "min"), (3_600_000, "h"), (86_400_000, "d"))
_OLD = 7 * 86_400_000
"""Milliseconds after which the day says more than the days that have passed."""

_WIDTH = 200
"""Characters that are shown of a tool's arguments or its result."""

HEADING = "  ".join(f"{title:<{width}}" for title, width in _COLUMNS).rstrip()
"""Above the `row`s."""


def row(session: Record, now: int | None = None) -> str:
    """
    One line of a list.

    Args:
        session: The one that is meant.
        now: Unix milliseconds: say how long ago something was. None: say when.
    """
    active = session["last_activity"]
    cells = (
        session["session_id"],
        session["name"] or "–",
        session["user_id"],
        session["state"],
        str(session["watchers"]),
        str(session["last_seq"]),
        moment(active) if now is None else ago(active, now),
    )
    # An id is there to be copied, and never cut.
    session_id = fit(cells[0], max(_COLUMNS[0][1], width(one_line(cells[0]))))
    fitted = (fit(cell, columns) for cell, (_, columns) in zip(cells[1:], _COLUMNS[1:], strict=True))
    return "  ".join((session_id, *fitted)).rstrip()


def details(session: Record) -> Iterator[str]:
    """A session, a line for each thing that is known of it."""
    channels = ", ".join(map(one_line, session["channels"])) or "none"
    yield f"session        {one_line(session['session_id'])}"
    yield f"name           {one_line(session['name'] or '–')}"
    yield f"user           {one_line(session['user_id'])}"
    yield f"created        {moment(session['created_at'])}"
    yield f"last activity  {moment(session['last_activity'])}"
    yield f"state          {session['state']}, {session['queued']} chats wait, {session['watchers']} watch"
    yield f"log            to event {session['last_seq']} of epoch {session['epoch']}"
    yield f"channels       {channels}"
    yield f"metadata       {to_json(session['metadata'])}"


def message(said: Record) -> Iterator[str]:
    """A message of the conversation: who, when, what."""
    mark = "" if said["status"] == "complete" else f", {said['status']}"
    cut = ", cut" if said["truncated"] else ""
    yield f"── {said['role']} · {moment(said['ts'])}{mark}{cut}"
    for call in said["tool_calls"]:
        yield f"[{one_line(call['tool'])} {_short(to_json(call.get('args')))}]"
        if call.get("result") is not None:
            outcome = "failed" if call.get("ok") is False else "answered"
            yield f"[{one_line(call['tool'])} {outcome}: {_short(call['result'])}]"
    if said["content"]:
        yield plain(said["content"])


def moment(milliseconds: int) -> str:
    """A time on the wire, in UTC."""
    return f"{datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC):%Y-%m-%d %H:%M:%SZ}"


def ago(milliseconds: int, now: int) -> str:
    """How long before *now* a time on the wire was; if it was long, its day."""
    passed = now - milliseconds
    if passed >= _OLD:
        return moment(milliseconds).partition(" ")[0]
    # Another machine's clock may be ahead.
    spoken = [f"{passed // unit} {name} ago" for unit, name in _AGES if passed >= unit]
    return spoken[-1] if spoken else "just now"


def _short(text: str) -> str:
    return textwrap.shorten(one_line(text), _WIDTH, placeholder=" …")
