from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
from trio.testing import MockClock

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.revocation import LOOK_INTERVAL, revoke, run_revocation
from bamboo_gateway.identity.directory import TokenDirectory
from bamboo_gateway.identity.token import Token, make_token
from bamboo_gateway.principal import Credentials, Principal, Scope
from bamboo_gateway.token_record import TokenRecord
from tests.connection.raw_client import RawClient
from tests.connection.stage import Stage, stage

REVOKED = (4006, "the token was revoked")
EXPIRED = (4006, "the token has expired")


def record(token: Token, user_id: str, expires_at: float | None = None) -> TokenRecord:
    """What is known of *token*."""
    return TokenRecord(token.id, user_id, frozenset({Scope.CHAT}), token.digest, None, expires_at)


@attrs.frozen
class Guarded:
    """A stage whose revocation runs, by a clock that jumps with trio's."""

    parts: Stage
    directory: TokenDirectory

    def hold(self, *records: TokenRecord) -> None:
        """From now on these are the tokens."""
        self.directory.configure(GatewayConfig(auth_token="sesame", principals=records))


@asynccontextmanager
async def guarded(*records: TokenRecord) -> AsyncIterator[Guarded]:
    """With these tokens to begin with."""
    config = GatewayConfig(auth_token="sesame", principals=records)
    start = time.time() - trio.current_time()

    def clock() -> float:
        return start + trio.current_time()

    directory = TokenDirectory(config, clock=clock)
    async with stage(config, authenticate=directory) as parts, trio.open_nursery() as nursery:
        nursery.start_soon(run_revocation, parts.host, clock)
        yield Guarded(parts, directory)
        nursery.cancel_scope.cancel()


async def is_told(client: RawClient, farewell: tuple[int, str]) -> None:
    """The end comes as an error, and then as a close frame."""
    error = await client.event("error")
    assert (error["code"], error["message"]) == ("UNAUTHORIZED", farewell[1])
    assert await client.close_frame() == farewell


async def is_alive(client: RawClient) -> None:
    """It is still answered."""
    await client.say("ping", timestamp=42)
    assert (await client.event("pong"))["timestamp"] == 42


async def test_a_token_that_is_revoked_ends_its_connections(autojump_clock: MockClock) -> None:
    """All of them, and nobody else's; within a second."""
    ann, bob = make_token(), make_token()
    async with guarded(record(ann, "ann"), record(bob, "bob")) as it:
        clients = [it.parts.memory() for _ in range(4)]
        for client, token in zip(clients, (ann, ann, bob, None), strict=True):
            await client.connect(auth="sesame" if token is None else token.text)
        it.hold(record(bob, "bob"))
        with trio.fail_after(2 * LOOK_INTERVAL):
            await is_told(clients[0], REVOKED)
            await is_told(clients[1], REVOKED)
        await is_alive(clients[2])
        await is_alive(clients[3])


async def test_a_token_that_is_rotated_ends_its_connections(autojump_clock: MockClock) -> None:
    """Who shows the new one comes in."""
    old = make_token()
    async with guarded(record(old, "ann")) as it:
        client = it.parts.memory()
        await client.connect(auth=old.text)
        new = make_token(old.id)
        it.hold(record(new, "ann"))
        await is_told(client, REVOKED)
        await it.parts.memory().connect(auth=new.text)


async def test_a_token_that_expires_ends_its_connections(autojump_clock: MockClock) -> None:
    """At its time, and not a second before or after."""
    token = make_token()
    async with guarded(record(token, "ann", expires_at=time.time() + 10)) as it:
        client = it.parts.memory()
        await client.connect(auth=token.text)
        await trio.sleep(9)
        await is_alive(client)
        with trio.fail_after(2.1):
            await is_told(client, EXPIRED)


async def test_a_connection_is_told_once(autojump_clock: MockClock) -> None:
    """Though it takes its time to go, and is looked at again meanwhile."""
    token = make_token()
    async with guarded(record(token, "ann", expires_at=time.time() + 1)) as it:
        client = it.parts.memory()
        await client.connect(auth=token.text)
        [connection] = it.parts.connections
        await connection.wait_closing()
        await trio.sleep(5)
        await is_told(client, EXPIRED)
        assert await client.end() == b""


async def test_who_is_not_known_yet_is_let_be(autojump_clock: MockClock) -> None:
    """There is nothing to revoke; its `connect` is judged when it comes."""
    token = make_token()
    async with guarded(record(token, "ann")) as it:
        client = it.parts.memory()
        await client.upgrade()
        it.hold()
        await trio.sleep(1)
        await client.say("connect", auth=token.text)
        assert (await client.event("error"))["code"] == "UNAUTHORIZED"
        assert (await client.close_frame())[0] == 4001


async def test_what_was_revoked_before_connect_is_seen_at_connect() -> None:
    """A token in the request's head is judged there, which may be some time before."""
    token = make_token()
    async with stage(GatewayConfig(principals=(record(token, "ann"),))) as parts:
        client = parts.memory()
        await client.upgrade()
        [connection] = parts.connections
        connection.principal = attrs.evolve(record(token, "ann").principal(), token_digest="another")
        await client.say("connect")
        await is_told(client, REVOKED)
        assert parts.table.statistics().sessions == 0


async def test_a_program_may_revoke_a_user() -> None:
    """With an `authenticate` of its own, which has nothing to look at."""

    async def authenticate(credentials: Credentials) -> Principal | None:
        return Principal(credentials.token, frozenset({Scope.CHAT})) if credentials.token else None

    async with stage(authenticate=authenticate) as parts:
        ann, too, bob = (parts.memory() for _ in range(3))
        for client, name in ((ann, "ann"), (too, "ann"), (bob, "bob")):
            await client.connect(auth=name)
        stranger = parts.memory()
        await stranger.upgrade()
        assert revoke(parts.host, "ann") == 2
        assert revoke(parts.host, "nobody") == 0
        await is_told(ann, REVOKED)
        await is_told(too, REVOKED)
        await is_alive(bob)
