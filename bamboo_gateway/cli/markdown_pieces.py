"""A growing Markdown text, cut into pieces that are final while the rest still grows."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

import attrs

MAX_PIECE = 3000
"""Characters of one piece: what can be rendered anew ten times a second while it grows."""

_Kind: TypeAlias = Literal["none", "blank", "text", "item", "quote", "fence"]
_Before: TypeAlias = Literal["nothing", "block", "tight item", "part"]

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_INNER_FENCE = re.compile(r"\s*(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(\1[ \t]*){2,}$")
_UNDERLINE = re.compile(r" {0,3}(-+|=+)[ \t]*$")
_ITEM = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])(\s|$)")
_INTERRUPTING_ITEM = re.compile(r" {0,3}([-+*]|1[.)])[ \t]+\S")
_QUOTE = re.compile(r" {0,3}>")
_BEGINNINGS = (_FENCE, _HEADING, _RULE, _INTERRUPTING_ITEM, _QUOTE)
"""Of blocks that begin right behind a paragraph."""


@attrs.frozen
class Piece:
    """A block of Markdown, or a part of a long one."""

    source: str
    """What was said; all sources together are the text."""
    opening: str = ""
    """The line that opens its block, where this is a later part of that."""
    has_gap: bool = False
    """Stands a blank line before it?"""

    @property
    def markdown(self) -> str:
        """What to render."""
        return self.opening + self.source


@attrs.frozen
class _Fence:
    """What opened the code that is open."""

    line: str
    mark: str
    pattern: re.Pattern[str]

    @classmethod
    def opened_by(cls, line: str, pattern: re.Pattern[str]) -> _Fence | None:
        """The fence that a line opens; None: it opens none."""
        found = pattern.match(line)
        return cls(line.strip(), found.group(1), pattern) if found else None

    def is_closed_by(self, line: str) -> bool:
        """Does a line close it?"""
        found = self.pattern.match(line)
        return found is not None and found.group(1).startswith(self.mark) and line.strip() == found.group(1)


class Pieces:
    """
    Cuts one text.

    Invariant: the pieces depend on the text alone, and not on how it came. The
    sources of all that `feed` and `finish` have returned, and that of `rest`,
    are what was fed, to the letter.

    A piece may hold more than one block of CommonMark; it ends within one only
    where that is longer than `MAX_PIECE`.
    """

    def __init__(self) -> None:
        self._kind: _Kind = "none"
        self._lines = ""
        """The whole lines of the piece that grows."""
        self._tail = ""
        """Behind them, the line that has not ended."""
        self._opening = ""
        self._has_gap = False
        self._before: _Before = "nothing"
        self._indent = 0
        """Of the marker of the item."""
        self._fence: _Fence | None = None

    @property
    def rest(self) -> Piece:
        """What grows; it may be empty."""
        match self._kind:
            case "none":
                has_gap = self._needs_gap(_kind_of(self._tail))
            case "blank":
                has_gap = self._before != "nothing"
            case _:
                has_gap = self._has_gap
        return Piece(self._lines + self._tail, self._opening, has_gap)

    def feed(self, text: str) -> list[Piece]:
        """Take what comes next; return the pieces that are final now."""
        self._tail += text
        done: list[Piece] = []
        start = 0
        while True:
            end = self._tail.find("\n", start) + 1
            if 0 < end - start <= MAX_PIECE - len(self._lines):
                done += self._take(self._tail[start:end])
                start = end
            elif len(self._lines) + len(self._tail) - start > MAX_PIECE:
                self._tail, start = self._tail[start:], 0
                done.append(self._cut())
            else:
                self._tail = self._tail[start:]
                return done

    def finish(self) -> list[Piece]:
        """Say that no more comes; return the last pieces. What is fed then is a text of its own."""
        tail, self._tail = self._tail, ""
        done = [*(self._take(tail) if tail else []), *self._end()]
        self._before = "nothing"
        return done

    def _take(self, line: str) -> list[Piece]:
        """Add one *line*."""
        text = line.rstrip("\n")
        if not self._belongs(text):
            done = self._end()
            self._begin(line, text)
            is_whole = _HEADING.match(text) or (self._kind == "text" and _RULE.match(text))
            return [*done, *(self._end() if is_whole else [])]
        self._lines += line
        is_last = self._kind == "text" and _UNDERLINE.match(text) is not None
        if self._fence is not None:
            if self._fence.is_closed_by(text):
                self._fence = None
                is_last = self._kind == "fence"
        elif self._kind == "item":
            self._fence = _Fence.opened_by(text, _INNER_FENCE)
        return self._end() if is_last else []

    def _belongs(self, text: str) -> bool:
        """Does a line go on with what grows?"""
        is_blank = not text.strip()
        match self._kind:
            case "none":
                return False
            case "fence":
                return True
            case "blank":
                return is_blank
            case "item":
                return is_blank or self._is_of_item(text)
            case "text" | "quote":
                return not is_blank and not self._interrupts(text)

    def _is_of_item(self, text: str) -> bool:
        if len(text) - len(text.lstrip()) > self._indent + 1:
            return True
        # What is not indented goes on with a paragraph, and with nothing else.
        is_behind_text = self._fence is None and not _ends_blank(self._lines)
        return is_behind_text and not _ITEM.match(text) and not self._interrupts(text)

    def _interrupts(self, text: str) -> bool:
        """Does a line begin a block of its own?"""
        if self._kind == "text" and _UNDERLINE.match(text):
            return False  # it makes a heading of what stands before it
        if self._kind == "quote" and _QUOTE.match(text):
            return False
        return any(each.match(text) for each in _BEGINNINGS)

    def _begin(self, line: str, text: str) -> None:
        """Begin a piece with a line."""
        self._lines = line
        self._kind = _kind_of(text)
        self._has_gap = self._needs_gap(self._kind)
        self._fence = _Fence.opened_by(text, _FENCE)
        if self._kind == "item" and (item := _ITEM.match(text)):
            self._indent = len(item.group(1))
            self._fence = _Fence.opened_by(text[item.end() :], _INNER_FENCE)

    def _needs_gap(self, kind: _Kind) -> bool:
        if kind == "blank":
            return False
        return self._before == "block" or (self._before == "tight item" and kind != "item")

    def _end(self) -> list[Piece]:
        """End the piece that grows."""
        if not self._lines:
            return []
        piece = Piece(self._lines, self._opening, self._has_gap)
        if self._kind != "blank":
            is_tight = self._kind == "item" and not _ends_blank(self._lines)
            self._before = "tight item" if is_tight else "block"
        elif self._before != "nothing":
            self._before = "block"
        self._kind, self._lines, self._opening, self._fence = "none", "", "", None
        return [piece]

    def _cut(self) -> Piece:
        """End the piece that grows, for it is too long, where it hurts least."""
        text = self._lines + self._tail
        at = (text.rfind("\n", 0, MAX_PIECE) + 1) or (text.rfind(" ", 0, MAX_PIECE) + 1) or MAX_PIECE
        piece = Piece(text[:at], self._opening, self.rest.has_gap)
        self._lines, self._tail = "", text[at:]
        self._before, self._has_gap = "part", False
        if self._fence is None:
            self._kind, self._opening = "none", ""
        else:
            self._kind, self._opening = "fence", f"{self._fence.line}\n"
        return piece


def _kind_of(text: str) -> _Kind:
    """The kind of piece that a line begins."""
    if not text.strip():
        return "blank"
    if _FENCE.match(text):
        return "fence"
    if _ITEM.match(text) and not _RULE.match(text):
        return "item"
    return "quote" if _QUOTE.match(text) else "text"


def _ends_blank(lines: str) -> bool:
    return not lines.rstrip("\n").rpartition("\n")[2].strip() or lines.endswith("\n\n")
