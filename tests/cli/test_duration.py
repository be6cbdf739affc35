from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("0.5", 0.5), ("90s", 90), ("15m", 900), ("24h", 86400), ("7d", 604800), (" 1.5 h ", 5400)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    """Plain numbers are seconds; a letter names another unit."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1w", "1h30m", "1e3", "inf", "nan", "\u0661s", "1 0"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """The error quotes it, and shows what would do."""
    with pytest.raises(ValueError, match="is no duration, such as 30, 90s") as error:
        parse_duration(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (0.25, "0.25s"), (90, "90s"), (900, "15m"), (7200, "2h"), (172800, "2d")]
)
def test_durations_are_written_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    """As one would say it."""
    assert format_duration(seconds) == text


@given(st.integers(0, 10_000), st.sampled_from("smhd"))
def test_what_is_written_is_read_back(number: int, unit: str) -> None:
    """Writing and reading a duration changes nothing."""
    seconds = parse_duration(f"{number}{unit}")
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.floats(0.001, 2**53))
def test_any_setting_is_read_back(seconds: float) -> None:
    """Also one with more digits than anybody would type."""
    assert parse_duration(format_duration(seconds)) == seconds
