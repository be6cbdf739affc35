"""Tool calls as a person reads them in a terminal: a line for the call, and a few for what it answered."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs
from rich.text import Text

from ..protocol.messages import Json
from .plain_text import fit, one_line, plain, to_json, width

MAX_LINES = 3
"""Of a result."""

State: TypeAlias = Literal["running", "done", "failed"]

_MARKS: dict[State, str] = {"running": "◌", "done": "✓", "failed": "✗"}
_STYLES: dict[State, str] = {"running": "dim", "done": "green", "failed": "red"}
_INDENT = "  "
_MINUTE = 60


@attrs.frozen
class Card:
    """One call, as far as it is known."""

    tool: str
    args: Json = None
    result: str | None = None
    state: State = "running"
    seconds: float | None = None

    def render(self, columns: int) -> Text:
        """Lay it out in lines of at most so many *columns*."""
        lines = [self._head(columns)]
        if self.result:
            style = "red" if self.state == "failed" else "dim"
            lines += [Text(_INDENT + line, style) for line in _lines(self.result, columns - len(_INDENT))]
        return Text("\n").join(lines)

    def _head(self, columns: int) -> Text:
        duration = "" if self.seconds is None else spell_seconds(self.seconds)
        room = columns - 2 - (len(duration) + 2 if duration else 0)
        tool = cut(self.tool, max(room, 1))
        args = "" if self.args is None else to_json(self.args)
        left = room - width(tool) - 1
        head = Text.assemble((f"{_MARKS[self.state]} ", _STYLES[self.state]), (tool, "bold"))
        if args and left > 1:
            head.append(" " + cut(args, left), "dim")
        if duration:
            head.append(" " * (columns - width(head.plain) - len(duration)) + duration, "dim")
        return head


def spell_seconds(seconds: float) -> str:
    """Say how long something has taken."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), _MINUTE)
    return f"{minutes} min {rest:02} s"


def cut(text: str, columns: int) -> str:
    """Make one line of *text*, of at most so many columns."""
    return fit(one_line(text), columns) if width(one_line(text)) > columns else one_line(text)


def _lines(text: str, columns: int) -> list[str]:
    lines = [line for line in plain(text).splitlines() if line.strip()]
    shown = [cut(line, columns) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        count = len(lines) - MAX_LINES
        more = f" (and {count} more {'line' if count == 1 else 'lines'})"
        shown[-1] = cut(lines[MAX_LINES - 1], max(columns - len(more), 1)) + more
    return shown
