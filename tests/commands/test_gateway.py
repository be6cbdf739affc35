"""The commands on the gateway itself."""

from __future__ import annotations

import time

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.session.requests import OPERATOR
from tests.commands.test_session import Client, client
from tests.session.tables import EPOCH, NOW


async def test_ping_echoes() -> None:
    """The client's time, or else the gateway's own in milliseconds."""
    async with client() as ann:
        assert await ann.get("ping", timestamp=-5) == {"timestamp": -5}
        before = time.time()
        assert before * 1000 - 1 <= (await ann.get("ping"))["timestamp"] <= time.time() * 1000


async def test_status_tells_how_the_session_is() -> None:
    """Its own where none is named, and the protocol that is spoken with this connection."""
    async with client() as ann:
        await ann.stage.connect("c2", protocol=1)
        await ann.chat("sleep")
        status = {
            "session_id": "s1",
            "state": "running",
            "run_id": "r1",
            "queued": 0,
            "watchers": 2,
            "last_seq": 2,
            "epoch": EPOCH,
            "protocol": 2,
        }
        assert await ann.get("status") == status
        old = Client(ann.stage, await ann.stage.connect("c2", protocol=1))
        assert (await old.get("status"))["protocol"] == 1


async def test_status_of_another_session_can_be_asked() -> None:
    """Of one's own; who does not watch it speaks the seed's protocol there, as far as anybody knows."""
    async with client() as ann:
        other = (await ann.get("session.create"))["session_id"]
        status = await ann.get("status", other)
        assert (status["session_id"], status["state"], status["protocol"]) == (other, "idle", 1)
        theirs = (await ann.stage.sessions.create("bob")).id
        assert await ann.refused("status", theirs) == ErrorCode.SESSION_NOT_FOUND


async def test_who_watches_nothing_has_no_status() -> None:
    """The embedding program must name a session."""
    async with client() as ann:
        operator = Client(ann.stage, OPERATOR)
        assert await operator.refused("status") == ErrorCode.NOT_CONNECTED
        assert (await operator.get("status", "s1"))["session_id"] == "s1"


async def test_info_tells_what_the_gateway_is() -> None:
    """Name, version, protocols, age and limits."""
    async with client() as ann:
        info = await ann.get("gateway.info")
        assert info.pop("uptime") >= time.time() - NOW - 60
        assert info == {
            "name": "bamboo-gateway",
            "version": "1.2.3",
            "protocols": [1, 2],
            "limits": {"max_message_bytes": 1, "max_queued_chats": 2, "heartbeat_interval": 1.0},
        }


async def test_stats_tell_how_it_does() -> None:
    """The gateway's own statistics, as JSON."""
    async with client() as ann:
        statistics = {"connections": 3, "closed": {"1001": 2}}
        assert await ann.get("gateway.stats") == {"statistics": statistics, "histograms": None}


async def test_stats_tell_how_long_things_took() -> None:
    """Where that is asked for: bounds, counts and sum of each histogram."""
    async with client() as ann:
        histogram = {"bounds": [0.5, 1.0], "counts": [3, 2, 1], "sum": 4.25}
        assert (await ann.get("gateway.stats", histograms=True))["histograms"] == {"loop_lag": histogram}
