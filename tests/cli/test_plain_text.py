"""What may be shown in a terminal."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.plain_text import fit, one_line, plain, to_json, width
from tests.strategies import json_values


@given(text=st.text())
def test_nothing_can_move_the_cursor(text: str) -> None:
    """No control character is left but line breaks and tabs, and in one line not even those; all else is."""
    turns = {"\u061c", "\u200e", "\u200f", *"\u202a\u202b\u202c\u202d\u202e", *"\u2066\u2067\u2068\u2069"}
    controls = {each for each in text if unicodedata.category(each) == "Cc"} - {"\n", "\t"}
    assert plain(text) == "".join(each for each in text if each not in controls | turns)
    assert one_line(text) == plain(text).translate(dict.fromkeys(map(ord, "\n\t\u2028\u2029"), " "))


@given(value=json_values)
def test_json_is_one_line_that_says_the_same(value: Any) -> None:
    """A terminal has nothing to obey in it, and a program reads what it was."""
    text = to_json(value)
    assert text.isprintable()
    assert json.loads(text) == value


def test_json_is_written_however_deep_it_is() -> None:
    """What a client could send, and the gateway has put into something else since."""
    value: Any = 1
    for _ in range(200):
        value = [value]
    assert to_json(value) == "[" * 200 + "1" + "]" * 200


@given(text=st.text(), columns=st.integers(1, 30))
def test_a_cell_is_as_wide_as_its_column(text: str, columns: int) -> None:
    """Whatever letters are in it."""
    assert width(fit(text, columns)) == columns


@pytest.mark.parametrize(
    ("text", "fitted"),
    [
        ("bamboo", "bamboo  "),
        ("竹の子", "竹の子  "),
        ("bamboo gate", "bamboo …"),
        ("竹の子たけのこ", "竹の子… "),
        ("e\u0301", "e\u0301       "),
    ],
)
def test_what_is_too_wide_is_cut(text: str, fitted: str) -> None:
    """A letter of China or Japan takes two columns, an accent none."""
    assert fit(text, 8) == fitted
