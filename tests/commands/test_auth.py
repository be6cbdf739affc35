"""The command `auth.refresh`, as a row of the table; what it does to a connection is tested there."""

from __future__ import annotations

from bamboo_gateway.commands.auth import RefreshArgs
from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import Command
from tests.commands.test_session import client


async def test_it_tells_who_one_is_now() -> None:
    """With all that the new token allows; the stage takes any for its user's name."""
    async with client() as ann:
        told = await ann.get("auth.refresh", auth="bob")
        assert told == {
            "user_id": "bob",
            "scopes": ["chat", "sessions:read", "sessions:write", "channels", "broadcast", "metrics"],
            "expires_at": None,
        }


async def test_it_needs_a_token() -> None:
    """And nothing that could be one is in the error."""
    async with client() as ann:
        for wrong in ({}, {"auth": None}, {"auth": 5}, {"auth": ["bamboo_a_secret"]}):
            answer = await ann.stage.command(ann.caller, "auth.refresh", wrong)
            assert answer.error is not None
            assert answer.error.code == ErrorCode.INVALID_ARGUMENTS
            assert "secret" not in answer.error.message


def test_no_repr_has_the_token() -> None:
    """Of the message, and of its arguments."""
    assert "secret" not in repr(Command("auth.refresh", {"auth": "secret"}))
    assert "secret" not in repr(RefreshArgs("secret"))
