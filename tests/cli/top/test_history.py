from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.top.history import LENGTH, History, sparkline
from bamboo_gateway.cli.top.look import Look
from bamboo_gateway.cli.top.pace import Pace
from tests.cli.top.looks import lags, numbers


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], "    "),
        ([0, 0], "  ▁▁"),
        ([0, 7], "  ▁█"),
        ([1, 2, 3, 4, 5, 6, 7], "▅▆▇█"),
        ([3, None, 3], " █ █"),
        ([1, math.inf], "  ██"),
        ([math.inf], "   █"),
    ],
)
def test_a_line_goes_from_nothing_to_the_largest(values: Sequence[float | None], line: str) -> None:
    """The newest is at the right; a gap is a gap, and what is beyond all bounds is as high as can be."""
    assert sparkline(values, 4) == line


@given(st.lists(st.none() | st.floats(0, 1e9)), st.integers(0, 300))
def test_a_line_is_as_wide_as_it_shall_be(values: list[float | None], columns: int) -> None:
    """Whatever there is to show."""
    assert len(sparkline(values, columns)) == columns


def test_a_history_is_bounded() -> None:
    """Somebody leaves it running for a week."""
    history = History()
    for count in range(LENGTH + 10):
        history.add(
            Look(at=0.0, numbers=numbers(open=count)), Pace(seconds=1.0, events=1.0, lags=lags(1, 0, 0, 0))
        )
    recent = history.recent()
    assert {len(values) for values in recent.values()} == {LENGTH}
    assert recent["connections"][-1] == LENGTH + 9
    assert recent["loop_lag"][-1] == pytest.approx(0.00099)


def test_what_is_not_known_is_a_gap() -> None:
    """Without numbers there are only rates, and they are none."""
    history = History()
    history.add(Look(at=0.0), Pace(seconds=1.0))
    assert history.recent() == {"events": (None,), "deliveries": (None,)}
