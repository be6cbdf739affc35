"""Sessions and conversations as a person reads them in a terminal."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Iterator

from ..protocol import strict_json
from ..protocol.messages import Json
from .plain_text import one_line, plain
from .session_source import Record

_COLUMNS = (("ID", 36), ("NAME", 20), ("USER", 12), ("STATE", 7), ("WATCHED BY", 10), ("LAST ACTIVITY", 20))

_WIDTH = 200
"""Characters that are shown of a tool's arguments or its result."""

HEADING = "  ".join(f"{title:<{width}}" for title, width in _COLUMNS).rstrip()
"""Above the `row`s."""


def row(session: Record) -> str:
    """One line of a list."""
    cells = (
        session["session_id"],
        session["name"] or "–",
        session["user_id"],
        session["state"],
        str(session["watchers"]),
        moment(session["last_activity"]),
    )
    fitted = (_fit(cell, width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True))
    return "  ".join(fitted).rstrip()


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
    yield f"metadata       {plain(_json(session['metadata']))}"


def message(said: Record) -> Iterator[str]:
    """A message of the conversation: who, when, what."""
    mark = "" if said["status"] == "complete" else f", {said['status']}"
    cut = ", cut" if said["truncated"] else ""
    yield f"── {said['role']} · {moment(said['ts'])}{mark}{cut}"
    for call in said["tool_calls"]:
        yield f"[{one_line(call['tool'])} {_short(_json(call.get('args')))}]"
        if call.get("result") is not None:
            outcome = "failed" if call.get("ok") is False else "answered"
            yield f"[{one_line(call['tool'])} {outcome}: {_short(call['result'])}]"
    if said["content"]:
        yield plain(said["content"])


def moment(milliseconds: int) -> str:
    """A time on the wire, in UTC."""
    return f"{datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC):%Y-%m-%d %H:%M:%SZ}"


def _fit(text: str, width: int) -> str:
    text = one_line(text)
    return f"{text if len(text) <= width else text[: width - 1] + '…':<{width}}"


def _json(value: Json) -> str:
    return strict_json.dump(value).decode()


def _short(text: str) -> str:
    return textwrap.shorten(one_line(text), _WIDTH, placeholder=" …")
