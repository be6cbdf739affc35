from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.connection import authentication
from bamboo_gateway.connection.authentication import authenticate
from bamboo_gateway.session import requests

OPERATOR = requests.OPERATOR.principal


@given(auth=st.none() | st.text())
def test_without_a_token_everybody_is_the_operator(auth: str | None) -> None:
    """A gateway that asks for nothing knows one principal, who sees every session."""
    assert authenticate(auth, None) is OPERATOR
    assert OPERATOR.is_operator


@given(expected=st.text(min_size=1), auth=st.none() | st.text())
def test_only_the_token_itself_opens(expected: str, auth: str | None) -> None:
    """The token, to the letter and in any alphabet, is let in; anything else is not."""
    assert authenticate(auth, expected) is (OPERATOR if auth == expected else None)
    assert authenticate(expected, expected) is OPERATOR


@pytest.mark.parametrize("auth", [None, "", "secre", "secret ", "SECRET", "\u017fecret", "secret\0"])
def test_what_is_nearly_the_token_does_not(auth: str | None) -> None:
    """No prefix, no case, no look-alike, no nothing."""
    assert authenticate(auth, "secret") is None


@pytest.mark.parametrize("auth", ["пароль", "p\N{SNOWMAN}ssword", "\ud800"])
def test_characters_beyond_ascii_are_compared_too(auth: str) -> None:
    """`compare_digest` refuses such a text outright, and nothing may come of that but a no."""
    assert authenticate(auth, "secret") is None
    assert authenticate(auth, auth) is OPERATOR


def test_the_time_says_nothing() -> None:
    """The comparison is the one of the standard library that takes the same time however wrong a token is."""
    assert authentication.authenticate.__code__.co_names.count("compare_digest") == 1
