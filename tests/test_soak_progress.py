from __future__ import annotations

import pytest

from tests.soak_progress import describe


@pytest.mark.parametrize(
    ("seconds", "last_time", "line"),
    [
        (65.4, None, "test 2 of 9, test_x: 1:05"),
        (65.4, 600.0, "test 2 of 9, test_x: 1:05, 8:54 left of the last time"),
        (65.4, 60.0, "test 2 of 9, test_x: 1:05, 0:00 left of the last time"),
    ],
)
def test_a_long_test_says_how_far_it_is(seconds: float, last_time: float | None, line: str) -> None:
    """By how long it took the last time, if that is known."""
    assert describe(2, 9, "test_x", seconds, last_time) == line
