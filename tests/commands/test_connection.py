"""The command on all connections."""

from __future__ import annotations

import pytest

from bamboo_gateway.commands.session import MAX_PAGE
from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.session.requests import OPERATOR
from tests.commands.test_session import Client, client


async def test_list_tells_who_is_connected_page_by_page() -> None:
    """By `next`, oldest first, each field in the words of the wire."""
    async with client() as ann:
        operator = Client(ann.stage, OPERATOR)
        page = await operator.get("connection.list", limit=3)
        assert page["connections"][0] == {
            "connection_id": "c1",
            "user_id": "ann",
            "session_id": "s1",
            "protocol": 2,
            "client": None,
            "address": "unix",
            "connected_at": 1,
            "state": "live",
            "waiting_bytes": 0,
        }
        rest = await operator.get("connection.list", limit=3, after=page["next"])
        found = [each["connection_id"] for each in page["connections"] + rest["connections"]]
        assert found == ["c1", "c2", "c3", "c4", "c5"]
        assert rest["next"] is None


@pytest.mark.parametrize("args", [{"limit": 0}, {"limit": MAX_PAGE + 1}, {"after": -1}, {"limit": "5"}])
async def test_a_page_that_makes_no_sense(args: dict[str, object]) -> None:
    """Is refused; a page is bounded."""
    async with client() as ann:
        operator = Client(ann.stage, OPERATOR)
        assert await operator.refused("connection.list", **args) == ErrorCode.INVALID_ARGUMENTS


async def test_it_is_for_operators_alone() -> None:
    """Whence others come, and what they use, is nobody else's business."""
    async with client() as ann:
        assert await ann.refused("connection.list") == ErrorCode.FORBIDDEN
        assert "connection.list" not in str(await ann.get("help"))
