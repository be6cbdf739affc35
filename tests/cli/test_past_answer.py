from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st

from bamboo_gateway.cli.past_answer import parts_of


def call(number: int, position: int | None) -> dict[str, Any]:
    """A call of a tool."""
    return {"id": str(number), "tool": "t", "position": position}


def message(content: str, *positions: int | None) -> dict[str, Any]:
    """An answer with calls there."""
    return {"content": content, "tool_calls": [call(*each) for each in enumerate(positions)]}


def test_calls_stand_where_they_were_made() -> None:
    """Between the words before and behind them."""
    assert list(parts_of(message("onetwo", 0, 3, 3, 6))) == [
        *(call(0, 0), "one", call(1, 3), call(2, 3), "two", call(3, 6)),
    ]


def test_calls_whose_place_is_unknown_stand_first() -> None:
    """Old messages do not tell it."""
    assert list(parts_of(message("one", None, None))) == [call(0, None), call(1, None), "one"]
    assert list(parts_of({"content": "one"})) == ["one"]


def test_the_beginning_of_a_long_answer_is_left_out() -> None:
    """With the calls that were made in it."""
    assert list(parts_of(message("onetwothree", 3, 6), max_chars=7)) == ["…wo", call(1, 6), "three"]
    assert list(parts_of(message("one", 0), max_chars=3)) == [call(0, 0), "one"]


@given(st.text(max_size=20), st.lists(st.none() | st.integers(0, 30), max_size=4))
def test_all_words_and_calls_are_there(content: str, positions: list[int | None]) -> None:
    """Whatever places a gateway tells."""
    parts = list(parts_of(message(content, *positions)))
    assert "".join(part for part in parts if isinstance(part, str)) == content
    assert [part for part in parts if not isinstance(part, str)] == message("", *positions)["tool_calls"]
