"""The two tables of `top`: their columns, by how much room there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import attrs

from .. import figures
from ..plain_text import fit, one_line, width
from .look import Record
from .state import State

WIDE = 110
"""Columns of a terminal from which on there is room for everything."""

_GAP = "  "

_LEAST = 8
"""Columns that the column which takes the rest has at least."""


@attrs.frozen
class Column:
    """One column; `width` 0: it takes what the others leave."""

    title: str
    width: int
    cell: Callable[[Record, State], str]
    is_number: bool = False


Columns: TypeAlias = Sequence[Column]


def _ago(milliseconds: int, state: State) -> str:
    """In the largest unit alone."""
    text = figures.age(state.now - milliseconds / 1000)
    number, unit, *_ = text.split()
    return f"{number} {unit}"


def _client(connection: Record) -> str:
    client = connection["client"] or {}
    return f"{client.get('name') or figures.NONE} {client.get('version') or ''}".rstrip()


def _rate(session: Record, state: State) -> str:
    rate = state.pace.by_session.get(session["session_id"])
    return figures.NONE if rate is None else figures.short(rate)


def _field(name: str) -> Callable[[Record, State], str]:
    return lambda record, _: figures.NONE if record[name] is None else str(record[name])


def _since(name: str) -> Callable[[Record, State], str]:
    return lambda record, state: _ago(record[name], state)


_USER = _field("user_id")
_STATE = _field("state")

_SESSIONS: Columns = (
    Column("SESSION", 0, lambda record, _: record["name"] or record["session_id"]),
    Column("USER", 8, _USER),
    Column("STATE", 7, _STATE),
    Column("EV/S", 6, _rate, is_number=True),
    Column("WATCH", 5, _field("watchers"), is_number=True),
    Column("ACTIVE", 8, _since("last_activity"), is_number=True),
)

_SESSIONS_WIDE: Columns = (
    Column("ID", 36, _field("session_id")),
    Column("NAME", 0, _field("name")),
    Column("USER", 14, _USER),
    Column("STATE", 7, _STATE),
    Column("EVENTS/S", 8, _rate, is_number=True),
    Column("EVENTS", 8, _field("last_seq"), is_number=True),
    Column("WATCHED", 7, _field("watchers"), is_number=True),
    Column("ACTIVE", 8, _since("last_activity"), is_number=True),
)

_WAITING = Column("WAITING", 8, lambda record, _: figures.size(record["waiting_bytes"]), is_number=True)

_CLIENT = Column("CLIENT", 0, lambda record, _: _client(record))

_WHENCE_AND_HOW: Columns = (
    Column("ADDRESS", 15, _field("address")),
    Column("STATE", 6, _STATE),
    _WAITING,
    Column("SINCE", 7, _since("connected_at"), is_number=True),
)

_CONNECTIONS: Columns = (_CLIENT, Column("USER", 8, _USER), *_WHENCE_AND_HOW)

_CONNECTIONS_WIDE: Columns = (
    Column("SESSION", 36, _field("session_id")),
    _CLIENT,
    Column("USER", 12, _USER),
    *_WHENCE_AND_HOW,
)


def columns(state: State, wide: bool) -> Columns:
    """Those of the table that is shown."""
    if state.table == "sessions":
        return _SESSIONS_WIDE if wide else _SESSIONS
    return _CONNECTIONS_WIDE if wide else _CONNECTIONS


def table(state: State, room: int) -> Iterator[str]:
    """The heading and all rows, each at most *room* wide, unless that is too little for anything."""
    chosen = columns(state, room >= WIDE)
    rest = room - sum(each.width for each in chosen) - len(_GAP) * (len(chosen) - 1)
    widths = [each.width or max(_LEAST, rest) for each in chosen]
    yield _line([each.title for each in chosen], chosen, widths)
    for record in state.rows:
        yield _line([each.cell(record, state) for each in chosen], chosen, widths)


def _line(cells: Sequence[str], chosen: Columns, widths: Sequence[int]) -> str:
    parts = (
        _right(cell, room) if column.is_number else fit(cell, room)
        for cell, column, room in zip(cells, chosen, widths, strict=True)
    )
    return _GAP.join(parts).rstrip()


def _right(cell: str, room: int) -> str:
    text = one_line(cell)
    return " " * (room - width(text)) + text if width(text) < room else fit(text, room)
