from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.identity.token import Token, digest_of, find_id, make_token

TCHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
"""What a header's token, and so a subprotocol, is made of (RFC 9110 §5.6.2)."""


def test_each_is_another_and_may_stand_anywhere() -> None:
    """In a header, a subprotocol, a URL or a shell; 256 bits are 43 characters."""
    tokens = [make_token() for _ in range(100)]
    assert len({token.text for token in tokens}) == 100
    for token in tokens:
        assert re.fullmatch(TCHAR, token.text)
        assert re.fullmatch(r"bamboo_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", token.text)
        assert find_id(token.text) == token.id


def test_one_takes_the_place_of_another() -> None:
    """Under the same name, with another secret."""
    old = make_token()
    new = make_token(old.id)
    assert new.id == old.id
    assert new.text != old.text
    assert new.digest != old.digest


@pytest.mark.parametrize(
    "text", ["", "sesame", "bamboo", "bamboo_", "bamboo_a_", "bamboo_a_short", "BAMBOO_a_" + "x" * 43,
             "bamboo__" + "x" * 43, "bamboo_a b_" + "x" * 43, "bamboo_a_" + "x" * 43 + "\n", "\ud800"]
)  # fmt: skip
def test_what_is_none_has_no_id(text: str) -> None:
    """No text but a token's."""
    assert find_id(text) is None


@given(st.text())
def test_any_text_has_a_digest(text: str) -> None:
    """SHA-256 of the whole, in hexadecimal digits."""
    expected = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    assert digest_of(text) == f"sha256:{expected}"


def test_its_repr_is_without_the_secret() -> None:
    """Its id is enough to tell it by."""
    assert repr(Token("a", "bamboo_a_secret")) == "Token(id='a')"
