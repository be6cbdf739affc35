"""What a command can reach: the session that is meant, and the registry."""

from __future__ import annotations

import pytest

from bamboo_gateway.commands import CommandContext
from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.session.requests import GetSession
from tests.backstage import Report, backstage
from tests.session.tables import caller


@pytest.mark.parametrize(
    ("argument", "message", "meant"),
    [(None, None, None), ("a", None, "a"), (None, "m", "m"), ("a", "m", "a"), ("", "m", "")],
)
async def test_the_arguments_name_the_session_or_else_the_message(
    argument: str | None, message: str | None, meant: str | None
) -> None:
    """None is the connection's own; an empty name is a name."""
    async with backstage() as stage:
        context = CommandContext(stage.services, caller(), message)
        assert context.session(argument) == meant


async def test_it_asks_the_registry_on_behalf_of_its_caller() -> None:
    """The reply comes back, and so does a refusal."""
    async with backstage() as stage:
        context = CommandContext(stage.services, await stage.connect(), None)
        assert (await context.ask(GetSession(context.caller))).id == "s1"
        assert context.services.report == Report()
        with pytest.raises(GatewayError) as caught:
            await context.ask(GetSession(context.caller, "nil"))
        assert caught.value.code is ErrorCode.SESSION_NOT_FOUND
