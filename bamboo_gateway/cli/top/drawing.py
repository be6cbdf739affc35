"""The screen of `top` as lines of text, each part with what it is: pure, and without a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import attrs

from .. import figures
from ..plain_text import fit, one_line, width
from ..status_text import lag
from .history import sparkline
from .look import Record
from .state import State, Table
from .tables import table

Kind: TypeAlias = Literal["plain", "strong", "faint", "good", "warning", "bad", "heading", "curve"]

Span: TypeAlias = tuple[str, Kind]

Line: TypeAlias = Sequence[Span]

_LABEL, _VALUE, _NOTE = 13, 9, 32
_LEAST_CURVE = 8

_LEAST_TABLE = 6
"""Lines that are kept for the table and the keys in a terminal that has too few for everything."""

_TITLES: dict[Table, str] = {"sessions": "Sessions", "connections": "Connections"}


def screen(state: State, columns: int, rows: int) -> Sequence[Line]:
    """Everything, in a terminal of this size: at most so many lines."""
    above = [*_head(state, columns), *_numbers(state, columns)][: max(1, rows - _LEAST_TABLE)]
    above.append(_tabs(state))
    heading, *body = _table(state, columns)
    room = max(0, rows - len(above) - 2)
    offset = min(state.offset, max(0, len(body) - room))
    shown = body[offset : offset + room]
    filler: list[Line] = [()] * (room - len(shown))
    lines = [*above, heading, *shown, *filler, _foot(state, columns, offset, len(shown))]
    return [_cropped(line, columns) for line in lines[:rows]]


def report(state: State, columns: int) -> Sequence[Line]:
    """The same for who reads it once: both tables, as long as they are, and no keys."""
    lines = [*_head(state, columns), *_numbers(state, columns)]
    for name, title in _TITLES.items():
        part = attrs.evolve(state, table=name, offset=0)
        lines += [((title, "strong"),), *_table(part, columns), ()]
    return lines[:-1]


def _cropped(line: Line, columns: int) -> Line:
    """Without what would not fit, and be wrapped."""
    kept: list[Span] = []
    for text, kind in line:
        shown = text if width(text) <= columns else fit(text, columns)
        if shown:
            kept.append((shown, kind))
        columns -= width(shown)
        if columns <= 0:
            break
    return kept


# ── above ────────────────────────────────────────────────────────────────────


def _head(state: State, columns: int) -> Iterator[Line]:
    mood = _mood(state)
    uptime = state.look.uptime
    up = "" if uptime is None else f"up {figures.age(uptime)}  "
    name = f"bamboo-gateway {one_line(state.version)}"
    room = columns - width(name) - width(up) - width(mood[0]) - 4
    yield (
        (name, "strong"),
        ("  ", "plain"),
        (fit(state.url, max(1, room)), "faint"),
        (f"  {up}", "plain"),
        mood,
    )
    for text, kind in _notices(state):
        yield ((fit(text, columns).rstrip(), kind),)
    yield ()


def _mood(state: State) -> Span:
    if state.lost is not None:
        return "lost", "bad"
    return ("paused", "warning") if state.is_paused else ("live", "good")


def _notices(state: State) -> Iterator[Span]:
    if state.lost is not None:
        yield f"connection lost: {state.lost}; trying to come back", "bad"
    elif state.complaint is not None:
        yield state.complaint, "warning"
    if why := state.missing.get("numbers"):
        yield f"no numbers: {why}", "warning"


def _numbers(state: State, columns: int) -> Iterator[Line]:
    if state.look.numbers is None:
        return
    room = columns - _LABEL - _VALUE - _NOTE - 4
    for label, value, note, series in _readings(state, state.look.numbers):
        curve = sparkline(state.history.get(series, ()), room) if room >= _LEAST_CURVE else ""
        yield (
            (f"{label:<{_LABEL}}", "plain"),
            (f"{value:>{_VALUE}}", "strong"),
            (f"  {fit(note, _NOTE)}  ", "faint"),
            (curve, "curve"),
        )
    yield ()


def _readings(state: State, numbers: Record) -> Iterator[tuple[str, str, str, str]]:
    """What each number is called, what it is, what else is to be said of it, and whose curve it has."""
    pool, parts, pace = numbers["connections"], numbers["registry"]["table"], state.pace
    unknown = f"{pool['unauthenticated']} unauthenticated, {pool['behind']} behind"
    turns = f"{parts['chats_queued']} chats wait, {_rate(pace.turns)} end"
    yield "connections", figures.short(pool["open"]), unknown, "connections"
    yield "sessions", figures.short(parts["sessions"]), f"{parts['resident']} in memory", "sessions"
    yield "turns", figures.short(numbers["turns"]["running"]), turns, "turns"
    yield "events", _rate(pace.events), f"{numbers['registry']['inbox']} requests wait", "events"
    yield (
        "deliveries",
        _rate(pace.deliveries),
        f"{numbers['deliveries']['gaps']} gaps since the start",
        "deliveries",
    )
    for label, name in (
        ("delivery lag", "delivery_lag"),
        ("commit", "commit_time"),
        ("event loop", "loop_lag"),
    ):
        yield label, *_delay(state, name), name
    if numbers["journal"]["is_failing"]:
        yield "storage", "FAILS", f"{numbers['journal']['held']} requests wait for it", ""
    waiting = figures.size(pool["waiting_bytes"])
    yield "memory", figures.size(parts["log_bytes"]), f"logs; {waiting} for slow clients", "memory"


def _rate(number: float | None) -> str:
    return figures.NONE if number is None else f"{figures.short(number)}/s"


def _delay(state: State, name: str) -> tuple[str, str]:
    found = state.pace.lags.get(name)
    if found is None or not found.count:
        return figures.NONE, "none was measured"
    return lag(found, 0.5), f"median; 99 % in {lag(found, 0.99)}"


# ── the table ────────────────────────────────────────────────────────────────


def _tabs(state: State) -> Line:
    spans: list[Span] = []
    for name, title in _TITLES.items():
        kind: Kind = "strong" if name == state.table else "faint"
        spans += [(f"{title}{_count(state, name)}", kind), ("   ", "plain")]
    return spans[:-1]


def _count(state: State, name: Table) -> str:
    """How many of a table there are in all; the table itself may have fewer."""
    numbers = state.look.numbers
    if numbers is None:
        return ""
    found = (
        numbers["connections"]["open"] if name == "connections" else numbers["registry"]["table"]["sessions"]
    )
    return f" ({found})"


def _table(state: State, columns: int) -> Iterator[Line]:
    heading, *rows = table(state, columns)
    yield ((fit(heading, columns), "heading"),)
    if why := state.missing.get(state.table):
        yield ((fit(f"not told: {why}", columns).rstrip(), "warning"),)
    elif not rows:
        yield ((f"there are no {state.table}", "faint"),)
    for row, record in zip(rows, state.rows, strict=True):
        yield ((row, _ROW_KINDS.get(record["state"], "plain")),)


_ROW_KINDS: dict[str, Kind] = {"running": "good", "behind": "warning"}


def _foot(state: State, columns: int, offset: int, shown: int) -> Line:
    keys = "q quit   s sessions   c connections   ↑↓ scroll   p pause"
    count = len(state.rows)
    where = f"{offset + 1}–{offset + shown} of {count}" if shown and count else ""
    room = columns - width(where)
    return ((fit(keys, max(1, room)), "faint"), (where, "faint"))
