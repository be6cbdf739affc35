from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.identity.one_token import OneToken
from bamboo_gateway.principal import LOCAL, Credentials


@given(expected=st.text(min_size=1), token=st.none() | st.text())
async def test_only_the_token_itself_opens(expected: str, token: str | None) -> None:
    """The token, to the letter and in any alphabet, is let in; anything else is not."""
    authenticate = OneToken(expected)
    assert await authenticate(Credentials(token)) is (LOCAL if token == expected else None)
    assert await authenticate(Credentials(expected)) is LOCAL


@pytest.mark.parametrize("token", [None, "", "secre", "secret ", "SECRET", "\u017fecret", "secret\0"])
async def test_what_is_nearly_the_token_does_not(token: str | None) -> None:
    """No prefix, no case, no look-alike, no nothing."""
    assert await OneToken("secret")(Credentials(token)) is None


@pytest.mark.parametrize("token", ["пароль", "p\N{SNOWMAN}ssword", "\ud800"])
async def test_characters_beyond_ascii_are_compared_too(token: str) -> None:
    """`compare_digest` refuses such a text outright, and nothing may come of that but a no."""
    assert await OneToken("secret")(Credentials(token)) is None
    assert await OneToken(token)(Credentials(token)) is LOCAL


def test_the_time_says_nothing() -> None:
    """The comparison is the one of the standard library that takes the same time however wrong a token is."""
    assert OneToken.__call__.__code__.co_names.count("compare_digest") == 1
