"""`auth.refresh` on a live connection."""

from __future__ import annotations

from typing import Any

import pytest

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.reauthentication import Reauthentication
from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.principal import Credentials, Principal, Quotas, Scope
from tests.connection.raw_client import RawClient
from tests.connection.stage import stage

CHAT, READ = Scope.CHAT, Scope.SESSIONS_READ
TOKENS = {
    "ann": Principal("ann", frozenset({CHAT})),
    "ann at work": Principal("ann", frozenset({CHAT, READ}), 4e9, Quotas(max_sessions=5)),
    "ann in channels": Principal("ann", frozenset({CHAT, Scope.CHANNELS})),
    "ann alone": Principal("ann", frozenset({Scope.METRICS})),
    "ann the operator": Principal("ann", frozenset(Scope)),
    "bob": Principal("bob", frozenset({CHAT, READ})),
}


async def authenticate(credentials: Credentials) -> Principal | None:
    """As the table above has it."""
    return TOKENS.get(credentials.token or "")


async def ask(client: RawClient, name: str, **args: Any) -> Any:
    """A command's result, or the code of its refusal."""
    await client.say("command", name=name, args=args)
    answer = await client.event("command_result")
    return answer["result"] if answer["ok"] else answer["error"]["code"]


async def test_the_connection_goes_on_with_what_the_new_token_allows() -> None:
    """Its scopes, its expiry and its quotas, in the same session and with nothing lost."""
    async with stage(authenticate=authenticate) as parts:
        client = parts.memory()
        await client.connect(auth="ann", protocol=2)
        assert await ask(client, "session.list") == "FORBIDDEN"
        told = await ask(client, "auth.refresh", auth="ann at work")
        assert told == {
            "user_id": "ann",
            "scopes": ["chat", "sessions:read"],
            "expires_at": 4_000_000_000_000,
        }
        assert len((await ask(client, "session.list"))["sessions"]) == 1
        [connection] = parts.connections
        assert connection.principal == TOKENS["ann at work"]


@pytest.mark.parametrize("wrong", ["nobody", "", "bob"])
async def test_no_other_token_will_do(wrong: str) -> None:
    """Nobody's, or another user's: the connection keeps what it had."""
    async with stage(authenticate=authenticate) as parts:
        client = parts.memory()
        await client.connect(auth="ann", protocol=2)
        assert await ask(client, "auth.refresh", auth=wrong) == "UNAUTHORIZED"
        [connection] = parts.connections
        assert connection.principal == TOKENS["ann"]
        assert (await ask(client, "ping", timestamp=5)) == {"timestamp": 5}


async def test_a_wrong_one_counts_as_a_guess() -> None:
    """Whoever is in already may guess no more than others; and is not thrown out for it."""
    config = GatewayConfig(max_failed_tokens=3)
    async with stage(config, authenticate=authenticate) as parts:
        client = parts.memory()
        await client.connect(auth="ann", protocol=2)
        told = [await ask(client, "auth.refresh", auth="bob") for _ in range(4)]
        assert told == ["UNAUTHORIZED"] * 3 + ["RATE_LIMITED"]
        assert await ask(client, "auth.refresh", auth="ann at work") == "RATE_LIMITED"
        assert (await ask(client, "ping", timestamp=5)) == {"timestamp": 5}


async def test_one_that_hears_less_is_refused() -> None:
    """What the connection follows already would still come; one that hears more is welcome."""
    async with stage(authenticate=authenticate) as parts:
        client = parts.memory()
        await client.connect(auth="ann", protocol=2)
        assert await ask(client, "auth.refresh", auth="ann alone") == "FORBIDDEN"
        assert (await ask(client, "auth.refresh", auth="ann in channels"))["scopes"] == ["chat", "channels"]
        assert await ask(client, "auth.refresh", auth="ann") == "FORBIDDEN"


async def test_where_nothing_is_asked_it_changes_nothing() -> None:
    """A client need not know whether its gateway asks."""
    async with stage() as parts:
        client = parts.memory()
        await client.connect(protocol=2)
        assert (await ask(client, "auth.refresh", auth="whatever"))["user_id"] == "local"


async def test_it_is_for_connections() -> None:
    """Not for the embedding program, nor for who is not known yet."""
    async with stage(authenticate=authenticate) as parts:
        reauthenticate = Reauthentication(parts.host.pool, parts.host.gatekeeper)
        await parts.memory().upgrade()
        [connection] = parts.connections
        for connection_id in (None, "nil", connection.id):
            with pytest.raises(GatewayError) as caught:
                await reauthenticate(connection_id, "ann")
            assert caught.value.code is ErrorCode.NOT_CONNECTED


async def test_an_operator_does_not_become_less_on_the_way() -> None:
    """What it watches may be somebody else's: it has to connect anew."""
    async with stage(authenticate=authenticate) as parts:
        client = parts.memory()
        await client.connect(auth="ann the operator", protocol=2)
        assert await ask(client, "auth.refresh", auth="ann at work") == "FORBIDDEN"
        assert parts.connections[0].principal is TOKENS["ann the operator"]
        assert isinstance(await ask(client, "auth.refresh", auth="ann the operator"), dict)
