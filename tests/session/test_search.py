from __future__ import annotations

from hypothesis import given, strategies as st

from bamboo_gateway.session.search import Search


@given(st.text(), st.text(), st.text())
def test_a_piece_is_found_where_it_stands(before: str, piece: str, after: str) -> None:
    """Whatever is around it, and whatever it is made of."""
    assert Search(piece).finds(None, before + piece + after)


def test_upper_and_lower_case_are_the_same() -> None:
    """Also beyond ASCII."""
    assert Search("ÄRGER").finds("viel Ärger")
    assert Search("straße").finds("STRASSE")
    assert not Search("tea").finds("t e a", None)


def test_where_there_is_nothing_nothing_is_found() -> None:
    """A session without a name has none that could be empty."""
    assert not Search("").finds(None)
    assert Search("").finds("anything")
