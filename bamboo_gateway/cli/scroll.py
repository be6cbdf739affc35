"""What scrolls away on a terminal: entries that are final, with a blank line between those that want one."""

from __future__ import annotations

from typing import Literal, TypeAlias

from rich.console import RenderableType

from . import rich_text

Kind: TypeAlias = Literal["words", "card", "note", "person", "usage"]


class Scroll:
    """
    Lays out entries, for `take` to fetch.

    Invariant: each is fetched once, in the order in which it was added.
    """

    def __init__(self) -> None:
        self._taken: list[str] = []
        self._last: Kind | Literal["break"] | None = None

    def add(self, kind: Kind, what: RenderableType, columns: int, *, has_gap: bool = False) -> None:
        """Lay out an entry behind all others; it *has_gap* to one of its own kind, if it says so."""
        self._taken.append(self.lead(kind, has_gap=has_gap) + rich_text.render(what, columns))
        self._last = kind

    def lead(self, kind: Kind, *, has_gap: bool = False) -> str:
        """What would stand before an entry of this *kind*: a blank line, or nothing."""
        match kind:
            case _ if self._last is None:
                return ""
            case "usage":
                return ""
            case "person":
                return "\n"
            case _:
                return "\n" if has_gap or kind != self._last else ""

    def end_paragraph(self) -> None:
        """Have a blank line before the next entry, also if it is of the same kind."""
        if self._last is not None:
            self._last = "break"

    def take(self) -> str:
        """Fetch what was added since the last time."""
        text, self._taken = "".join(self._taken), []
        return text
