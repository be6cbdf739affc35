from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.doctor.finding import Finding, fault, warning, well
from bamboo_gateway.cli.doctor.text import lines, summary


def test_a_finding_is_a_line_and_its_remedy_another() -> None:
    """With a mark that can be seen without colours."""
    assert list(lines(well("port", "is free"), 80)) == ["✓ port           is free"]
    assert list(lines(fault("port", "is taken", "stop it"), 80)) == [
        "✗ port           is taken",
        "                 → stop it",
    ]


def test_long_ones_go_on_beneath_their_beginning() -> None:
    """And paths are not broken, for they are there to be copied."""
    path = "/a" * 40
    assert list(
        lines(warning("disk", f"there is little at {path}", "make some room there, and then more"), 45)
    ) == [
        "! disk           there is little at",
        f"                 {path}",
        "                 → make some room there, and",
        "                   then more",
    ]


@given(st.text(), st.integers(1, 200))
def test_no_text_moves_the_cursor(text: str, columns: int) -> None:
    """It may be anybody's."""
    for line in lines(fault("x", text or "-", text or "-"), columns):
        assert "\n" not in line
        assert "\x1b" not in line


@pytest.mark.parametrize(
    ("findings", "text"),
    [
        ([well("a", "")], "All is well."),
        ([well("a", ""), warning("b", "", "")], "1 warning."),
        ([fault("a", "", ""), fault("b", "", ""), warning("c", "", "")], "2 faults and 1 warning."),
    ],
)
def test_the_end_says_how_it_is_all_in_all(findings: list[Finding], text: str) -> None:
    """In a line."""
    assert summary(findings) == text
