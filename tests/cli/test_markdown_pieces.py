from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.markdown_pieces import MAX_PIECE, Piece, Pieces

LINES = st.sampled_from(
    [
        *("", " ", "words", "some more words", "    indented", "# heading", "---", "===", "* * *"),
        *(
            "- item",
            "1. first",
            "2. second",
            " - nested",
            "  - deeper",
            "   text of an item",
            "-",
            "1986. a year",
        ),
        *("```", "```python", "   ```", "    ```", "~~~~", "`code`", "> quote", ">", "a | b", "--- | ---"),
        "long " * 300,
        "x" * (MAX_PIECE + 10),
    ]
)
TEXTS = st.lists(LINES, max_size=12).map("\n".join) | st.text(alphabet="`~#->*1. \nab|=\t", max_size=60)


def cut(*chunks: str) -> list[Piece]:
    """All pieces of a text that comes in chunks."""
    pieces = Pieces()
    return [piece for chunk in chunks for piece in pieces.feed(chunk)] + pieces.finish()


@given(text=TEXTS, data=st.data())
def test_the_pieces_do_not_depend_on_how_the_text_came(text: str, data: st.DataObject) -> None:
    """Whatever tokens an agent speaks in."""
    at = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[start:end] for start, end in zip([0, *at], [*at, len(text)], strict=True)]
    assert cut(*chunks) == cut(text)


@given(text=TEXTS)
def test_nothing_is_lost_or_doubled(text: str) -> None:
    """The pieces together are the text, and none is longer than it may be."""
    pieces = cut(text)
    assert "".join(piece.source for piece in pieces) == text
    assert all(0 < len(piece.source) <= MAX_PIECE for piece in pieces)


@given(text=TEXTS)
def test_what_is_final_and_what_grows_are_all_that_came(text: str) -> None:
    """At each moment, each character is in one of the two."""
    pieces = Pieces()
    done = ""
    for number, each in enumerate(text, 1):
        done += "".join(piece.source for piece in pieces.feed(each))
        assert done + pieces.rest.source == text[:number]


@pytest.mark.parametrize(
    "blocks",
    [
        ["one\ntwo\n", "\n", "three\n"],
        ["# a heading\n", "words\n"],
        ["words\n", "## a heading\n"],
        ["a heading\n---\n", "words\n"],
        ["words\n", "***\n", "words\n"],
        ["```python\na = 1\n\n# b\n```\n", "words\n"],
        ["words\n", "~~~\n```\n~~~\n", "words\n"],
        ["````\n```\n````\n", "words\n"],
        ["- one\n", "- two\n  - deeper\n", "- three\n\n", "words\n"],
        ["1. one\n\n   ```\n   code\n   ```\n", "2. two\n"],
        ["- one\nlazily on\n", "# a heading\n"],
        ["words\n1986. a great year\n"],
        ["words\n", "- one\n"],
        ["words\n", "1. one\n"],
        ["> a quote\n> goes\non\n", "\n", "words\n"],
        ["a | b\n--- | ---\n1 | 2\n", "\n", "words\n"],
        ["- one\n\n", "words\n"],
        ["- ```\n  code\n", "words\n"],
        ["---\n", "words\n"],
    ],
)
def test_a_piece_is_a_block(blocks: list[str]) -> None:
    """A list, however, is one piece an item."""
    assert [piece.source for piece in cut("".join(blocks))] == blocks


@pytest.mark.parametrize(
    ("text", "gaps"),
    [
        ("\n\none\n\ntwo\n# three\n", [False, False, False, True, True]),
        ("- one\n- two\n\nthree\n", [False, False, True]),
        ("- one\n\n- two\n", [False, True]),
        ("- one\n# two\n", [False, True]),
        ("x " * MAX_PIECE, [False, False]),
    ],
)
def test_a_gap_stands_between_blocks_but_not_within_one(text: str, gaps: list[bool]) -> None:
    """The items of a list that has none between them stand together."""
    assert [piece.has_gap for piece in cut(text)] == gaps


def test_a_growing_piece_has_the_gap_that_it_will_have() -> None:
    """It does not jump when it is final."""
    pieces = Pieces()
    pieces.feed("- one\n- two\n")
    assert pieces.rest == Piece("- two\n")
    assert pieces.feed("\nwords\n") == [Piece("- two\n\n")]
    assert pieces.rest == Piece("words\n", has_gap=True)
    assert pieces.feed("\n") == [Piece("words\n", has_gap=True)]
    pieces.feed("more")
    assert pieces.rest.has_gap


def test_code_that_is_too_long_goes_on_as_code() -> None:
    """Each part is rendered as what it is."""
    line = "a = 1\n"
    [first, second, after] = cut("```python\n" + line * 700 + "```\nwords")
    assert first.markdown.startswith("```python\n")
    assert second.markdown.startswith("```python\na = 1\n")
    assert second.source.endswith("a = 1\n```\n")
    assert after == Piece("words", has_gap=True)


def test_a_text_after_the_end_is_one_of_its_own() -> None:
    """What stood before has no effect on it."""
    pieces = Pieces()
    pieces.feed("```\ncode\n")
    assert pieces.finish() == [Piece("```\ncode\n")]
    assert pieces.feed("words\n\n") == [Piece("words\n")]
    assert pieces.finish() == [Piece("\n")]
