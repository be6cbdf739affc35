from __future__ import annotations

import time

from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.roster import Roster
from bamboo_gateway.principal import Credentials, Principal, Scope
from bamboo_gateway.protocol.messages import ClientInfo
from tests.connection.stage import stage


async def known(credentials: Credentials) -> Principal | None:
    """A token is its user's name."""
    return Principal(credentials.token, frozenset({Scope.CHAT})) if credentials.token else None


async def test_it_tells_all_of_a_connection() -> None:
    """Whose it is, where it looks, how it speaks, whence it comes and how it keeps up."""
    async with stage(authenticate=known) as parts:
        before = time.time() * 1000 - 1
        client = await parts.tcp()
        client_info = {"name": "tester", "version": "1"}
        greeting = await client.connect(auth="ann", protocol=2, client=client_info)
        await wait_all_tasks_blocked()  # `connected` is on its way before the reader goes on
        [[info], following] = Roster(parts.host.pool)(0, 9)
        assert (info.connection_id, info.session_id) == (greeting["connection_id"], greeting["session_id"])
        assert (info.user_id, info.protocol, info.client) == ("ann", 2, ClientInfo("tester", "1"))
        assert (info.address, info.state, info.waiting_bytes) == ("127.0.0.1", "live", 0)
        assert before <= info.connected_at <= time.time() * 1000
        assert following is None


async def test_who_has_not_connected_is_not_in_it() -> None:
    """Nobody knows who that would be; whose token was in the request may yet be refused a session."""
    async with stage(GatewayConfig(max_sessions=1)) as parts:
        first, second = parts.memory(), parts.memory()
        await first.connect()
        await second.upgrade()
        await second.say("connect")
        assert (await second.event("error"))["code"] == "LIMIT_EXCEEDED"
        await wait_all_tasks_blocked()
        connections, _ = Roster(parts.host.pool)(0, 9)
        assert len(connections) == 1
        assert len(parts.connections) == 2


async def test_pages_join_to_the_whole_while_connections_come_and_go() -> None:
    """Oldest first, by a number that no later connection is given."""
    async with stage() as parts:
        roster = Roster(parts.host.pool)
        clients = [parts.memory() for _ in range(4)]
        greeted = [(await client.connect(protocol=2))["connection_id"] for client in clients]
        await wait_all_tasks_blocked()
        page, following = roster(0, 2)
        assert [each.connection_id for each in page] == greeted[:2]
        await clients[1].leave()
        await parts.until_left(3)
        newest = (await parts.memory().connect(protocol=2))["connection_id"]
        await wait_all_tasks_blocked()
        assert following is not None
        page, rest = roster(following, 3)
        assert [each.connection_id for each in page] == [*greeted[2:], newest]
        assert rest is None


async def test_who_does_not_read_is_behind() -> None:
    """And what waits for it is told."""
    async with stage() as parts:
        client = parts.socket(4_096)
        session_id = (await client.connect())["session_id"]
        await client.say("chat", content="x" * 200_000, session_id=session_id)
        await wait_all_tasks_blocked()
        [[info], _] = Roster(parts.host.pool)(0, 9)
        assert info.state == "behind"
        assert info.waiting_bytes > 0
