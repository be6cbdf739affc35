"""What rich lays out, as text with nothing in it that a terminal could obey but colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import (
    CodeBlock,
    Heading,
    ListItem,
    Markdown,
    MarkdownElement,
    TableElement,
)
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.theme import Theme

from .plain_text import plain

_CODE_THEME = "ansi_dark"
"""In the terminal's own colours, whatever its background is."""


def render(what: RenderableType, width: int) -> str:
    """
    Lay *what* out, *width* columns wide; each line ends with a line break.

    In as many colours as the environment says that the terminal has; in none
    where it asks for none (`NO_COLOR`).
    """
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=True,
        width=width,
        highlight=False,
        legacy_windows=False,
        theme=Theme({"markdown.code": "bold cyan", "markdown.hr": "dim"}),
    )
    console.print(_Harmless(what), end="")
    return file.getvalue()


def markdown(text: str) -> RenderableType:
    """A Markdown text, of which every word is shown."""
    return _Markdown(plain(text))


def indented(head: Text, text: Text) -> RenderableType:
    """A text whose first line stands behind *head*, and the others below that one."""
    grid = Table.grid()
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(head, text)
    return grid


class _Harmless:
    """
    Something without control characters and links.

    They are taken out at the very end: Markdown has names (`&#27;`) for them,
    too.
    """

    def __init__(self, what: RenderableType) -> None:
        self._what = what

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        blank = 0
        is_first = True
        for line in Segment.split_lines(console.render(self._what, options)):
            shown = [
                Segment(plain(text), None if style is None else style.update_link(None))
                for text, style, control in line
                if not control
            ]
            # Blanks at the end would be lines of their own in a terminal that is made narrower.
            while shown and not shown[-1].text.rstrip():
                shown.pop()
            if shown:
                last = shown.pop()
                shown.append(Segment(last.text.rstrip(), last.style))
            if not shown:
                blank += 1
                continue
            if not is_first:
                yield from [Segment.line()] * blank
            is_first, blank = False, 0
            yield from shown
            yield Segment.line()


class _Heading(Heading):
    """On the left, as all else; and without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = self.text.copy()
        text.justify = "left"
        text.stylize(Style(bold=True, underline=self.tag == "h1"))
        yield text


class _CodeBlock(CodeBlock):
    """Indented instead of framed, so that it can be copied; what is too wide is wrapped and not cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip("\n")
        yield Syntax(
            code,
            self.lexer_name,
            theme=_CODE_THEME,
            word_wrap=True,
            padding=(0, 0, 0, 2),
            background_color="default",
        )


class _ListItem(ListItem):
    """With its number as it was written."""

    def render_number(
        self, console: Console, options: ConsoleOptions, number: int, last_number: int
    ) -> RenderResult:
        label = f"{number}. ".rjust(4)
        style = console.get_style("markdown.item.number", default="none")
        lines = console.render_lines(self.elements, options.update(width=options.max_width - len(label)))
        for index, line in enumerate(lines):
            yield Segment(" " * len(label) if index else label, style)
            yield from line
            yield Segment.line()


class _Table(TableElement):
    """With one line under its head."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for column in (
            self.header.row.cells if self.header is not None and self.header.row is not None else ()
        ):
            table.add_column(column.content)
        for row in self.body.rows if self.body is not None else ():
            table.add_row(*(cell.content for cell in row.cells))
        yield table


class _Markdown(Markdown):
    """
    CommonMark with tables, where each word that was said is shown.

    HTML is text, as are link references and images; and a line break is one,
    as people in chats expect.
    """

    elements: ClassVar[dict[str, type[MarkdownElement]]] = Markdown.elements | {
        "heading_open": _Heading,
        "fence": _CodeBlock,
        "code_block": _CodeBlock,
        "list_item_open": _ListItem,
        "table_open": _Table,
    }

    def __init__(self, text: str) -> None:
        super().__init__("", hyperlinks=False, code_theme=_CODE_THEME)
        self.parsed = _with_breaks(_PARSER.parse(text))


_PARSER = (
    MarkdownIt("commonmark", {"html": False})
    .enable(["strikethrough", "table"])
    .disable(["html_block", "html_inline", "image", "reference"])
)


def _with_breaks(tokens: Sequence[Token]) -> list[Token]:
    for token in tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"
    return list(tokens)
