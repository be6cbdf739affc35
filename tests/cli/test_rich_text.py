from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st
from rich.text import Text

from bamboo_gateway.cli.markdown_pieces import Pieces
from bamboo_gateway.cli.plain_text import plain
from bamboo_gateway.cli.rich_text import markdown, render

COLOUR = re.compile(r"\x1b\[[\d;]*m")

WIDE = 500
"""Columns in which no line of the tests is wrapped."""


def shown(text: str, columns: int = WIDE) -> str:
    """A Markdown text as it is laid out, without colours."""
    return COLOUR.sub("", render(markdown(text), columns))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# one *two*\n", ["one two"]),
        ("one\ntwo\\\nthree\n", ["one", "two", "three"]),
        ("**one** `two` ~~three~~", ["one two three"]),
        ("[one](http://two 'three')", ["one (http://two)"]),
        ("![one](http://two)", ["!one (http://two)"]),
        ("[one]: http://two", ["[one]: http://two"]),
        ("<b>one</b> Vec<two>", ["<b>one</b> Vec<two>"]),
        ("<div>\none\n</div>", ["<div>", "one", "</div>"]),
        ("- one\n  - two\n", [" • one", "    • two"]),
        ("9. nine\n10. ten\n", [" 9. nine", "10. ten"]),
        ("- one\n\n- two\n", [" • one", " • two"]),
        ("> one\n> two\n", ["▌ one", "▌ two"]),
        ("```nix\none\n\n  two\n```\n", ["  one", "", "    two"]),
        ("    one\n", ["  one"]),
        ("|a|b|\n|-|-:|\n|1|22|\n", ["a    b", "──────", "1   22"]),
        ("|a|\n|-|\n", ["a", "─"]),
        ("&lt;one&gt; &amp;", ["<one> &"]),
    ],
)
def test_markdown_is_laid_out(text: str, lines: list[str]) -> None:
    """On the left, without frames; and what Markdown would hide is shown."""
    assert shown(text).splitlines() == lines


def test_long_lines_are_wrapped() -> None:
    """Between words; code wherever it has to be."""
    assert shown("one two three", 8).splitlines() == ["one two", "three"]
    assert shown("```\n" + "x" * 12 + "\n```", 10).splitlines() == ["  xxxxxxxx", "  xxxx"]


HOSTILE = st.sampled_from(
    [
        "\x1b[2J",
        "\x1b]8;;http://x\x07",
        "\x9b5m",
        "&#27;[2J",
        "&#x9b;",
        "\x07",
        "\r",
        "\u202e",
        "&#8238;",
        "\x00",
    ]
)


@given(st.lists(HOSTILE | st.text(max_size=8) | st.sampled_from("`*_[]()<>#\n|-"), max_size=12).map("".join))
def test_nothing_but_colours_gets_to_a_terminal(text: str) -> None:
    """Whatever an agent says, and by whatever name."""
    left = COLOUR.sub("", render(markdown(text), 40))
    assert left == plain(left)
    assert "\t" not in left


def test_a_link_is_text() -> None:
    """A terminal would hide where it leads to."""
    assert "\x1b]8" not in render(Text("one", style="link http://two"), WIDE)


WORDS = st.from_regex(r"[a-z]{1,9}", fullmatch=True)
LINE = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
BLOCK = st.one_of(
    LINE,
    LINE.map("## {}".format),
    LINE.map("**{}**".format),
    LINE.map("> {}".format),
    st.lists(LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"- {line}" for line in lines)),
    st.lists(LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"1. {line}" for line in lines)),
    st.lists(LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(["```", *lines, "```"])),
    st.tuples(WORDS, WORDS).map(lambda cells: f"| {cells[0]} |\n|---|\n| {cells[1]} |"),
)


@given(blocks=st.lists(BLOCK, max_size=6), separator=st.sampled_from(["\n", "\n\n"]), data=st.data())
def test_each_word_is_shown_once_and_in_order(blocks: list[str], separator: str, data: st.DataObject) -> None:
    """However the text comes: split anywhere, it looks the same in the end."""
    text = separator.join(blocks)
    at = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    chunks = [text[start:end] for start, end in zip([0, *at], [*at, len(text)], strict=True)]
    pieces = Pieces()
    final = [piece for chunk in chunks for piece in pieces.feed(chunk)] + pieces.finish()
    said = "".join(shown(piece.markdown) for piece in final)
    assert re.findall("[a-z]+", said) == re.findall("[a-z]+", text)


def test_no_colours_where_nobody_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bold is none (no-color.org)."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = "**one** `two`"
    assert "36m" in render(markdown(text), WIDE)
    monkeypatch.setenv("NO_COLOR", "1")
    assert render(markdown(text), WIDE) == "\x1b[1mone\x1b[0m \x1b[1mtwo\x1b[0m\n"
