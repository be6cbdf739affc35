"""What may be shown in a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given, strategies as st

from bamboo_gateway.cli.plain_text import one_line, plain


@given(text=st.text())
def test_nothing_can_move_the_cursor(text: str) -> None:
    """No control character is left but line breaks and tabs, and in one line not even those; all else is."""
    kept = [each for each in text if unicodedata.category(each) != "Cc" or each in "\n\t"]
    assert plain(text) == "".join(kept)
    assert one_line(text) == plain(text).replace("\n", " ").replace("\t", " ")
