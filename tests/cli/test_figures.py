from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli import figures


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.0001, "0.01"),
        (0.254, "0.25"),
        (3, "3"),
        (12.34, "12.3"),
        (999.4, "999"),
        (999.6, "1k"),
        (1234, "1.23k"),
        (45_600_000, "45.6M"),
        (7e15, "7000T"),
    ],
)
def test_numbers_have_three_digits_and_a_unit(number: float, text: str) -> None:
    """What is not nothing does not look like it."""
    assert figures.short(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (512, "512 B"), (45_678, "45.7 kB"), (4e6, "4 MB")])
def test_sizes_are_in_bytes(number: float, text: str) -> None:
    """With the unit apart."""
    assert figures.size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ms"), (0.000_25, "0.25 ms"), (0.0123, "12.3 ms"), (0.999, "999 ms"), (2.5, "2.5 s")],
)
def test_short_whiles_are_in_milliseconds(seconds: float, text: str) -> None:
    """Up to a second."""
    assert figures.span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (754, "12 min 34 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (90_000, "1 d 1 h"),
        (86_400 * 400, "400 d"),
    ],
)
def test_long_ones_are_in_their_two_largest_units(seconds: float, text: str) -> None:
    """The seconds of a day are nobody's business."""
    assert figures.age(seconds) == text


@given(st.floats(0, 1e15))
def test_a_number_is_never_wide(number: float) -> None:
    """Columns can rely on it: three digits, a point and a unit."""
    assert len(figures.short(number)) <= 6


@pytest.mark.parametrize(("number", "is_known"), [(0.0, True), (None, False), (math.inf, False)])
def test_some_numbers_are_not_known(number: float | None, is_known: bool) -> None:
    """Those that nobody told, and those that are beyond all bounds."""
    assert figures.is_known(number) is is_known
