from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.cards import MAX_LINES, Card, cut, spell_seconds
from bamboo_gateway.cli.plain_text import width


@pytest.mark.parametrize(
    ("card", "lines"),
    [
        (Card("search"), ["◌ search"]),
        (Card("search", {"q": 1}), ['◌ search {"q":1}']),
        (
            Card("search", {"q": 1}, "found", "done", 0.04),
            ['✓ search {"q":1}                   0.0 s', "  found"],
        ),
        (Card("search", None, "", "done"), ["✓ search"]),
        (Card("search", None, "why\nnot", "failed"), ["✗ search", "  why", "  not"]),
        (Card("s", None, "1\n\n2\n3\n4\n5", "done"), ["✓ s", "  1", "  2", "  3 (and 2 more lines)"]),
        (
            Card("s", None, "1\n2\n" + "3" * 90 + "\n4", "done"),
            ["✓ s", "  1", "  2", f"  {'3' * 19}… (and 1 more line)"],
        ),
        (Card("\x1b[2Js\n", "\x1b[2J", "\x1b[2J", "done"), [r'✓ [2Js  "\u001b[2J"', "  [2J"]),
    ],
)
def test_a_call_is_a_few_lines(card: Card, lines: list[str]) -> None:
    """What was called, with what, how long it took; and what came of it."""
    assert card.render(40).plain.split("\n") == lines


@given(st.text(max_size=90), st.none() | st.text(max_size=90), st.text(max_size=200), st.integers(20, 100))
def test_no_line_is_too_wide(tool: str, args: str | None, result: str, columns: int) -> None:
    """And there are never more than a few."""
    lines = Card(tool, args, result, "done", 1.0).render(columns).plain.split("\n")
    assert len(lines) <= 1 + MAX_LINES
    assert all(width(line) <= columns for line in lines)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.25, "0.2 s"), (59.94, "59.9 s"), (60, "1 min 00 s"), (3725, "62 min 05 s")]
)
def test_a_duration_is_spelled(seconds: float, text: str) -> None:
    """In seconds, and from a minute on in minutes."""
    assert spell_seconds(seconds) == text


def test_a_text_is_cut_to_one_line() -> None:
    """If it has to be."""
    assert cut("one\ntwo", 7) == "one two"
    assert cut("one\ntwo", 6) == "one t…"
