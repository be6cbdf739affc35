"""Looks at a gateway as tests need them: with few things that differ from one to the next."""

from __future__ import annotations

from typing import Any

from bamboo_gateway.cli.distribution import Distribution
from bamboo_gateway.cli.top.look import Look
from bamboo_gateway.cli.top.pace import Pace
from bamboo_gateway.cli.top.state import State

NOW = 1_800_000_000.0

BOUNDS = [0.001, 0.01, 0.1]


def numbers(*, events: int = 0, ended: int = 0, uptime: float = 100.0, **pool: int) -> dict[str, Any]:
    """What `Gateway.statistics()` says, as far as it is shown."""
    return {
        "uptime": uptime,
        "loop_lag": 0.001,
        "connections": {"open": 3, "unauthenticated": 1, "behind": 0, "waiting_bytes": 2048} | pool,
        "deliveries": {"live": events, "caught_up": events, "gaps": 4},
        "registry": {
            "inbox": 5,
            "table": {
                "sessions": 42,
                "resident": 7,
                "chats_queued": 2,
                "events_appended": events,
                "log_bytes": 1_500_000,
            },
        },
        "journal": {"is_failing": False, "held": 0},
        "turns": {"running": 6, "completed": ended, "failed": 0, "aborted": 0},
    }


def session(
    session_id: str = "s1", *, last_seq: int = 10, state: str = "idle", **more: Any
) -> dict[str, Any]:
    """One that `session.list` tells of."""
    return {
        "session_id": session_id,
        "name": None,
        "user_id": "ann",
        "state": state,
        "watchers": 1,
        "last_seq": last_seq,
        "epoch": "e",
        "last_activity": int((NOW - 5) * 1000),
    } | more


def connection(connection_id: str = "c1", **more: Any) -> dict[str, Any]:
    """One that `connection.list` tells of."""
    return {
        "connection_id": connection_id,
        "user_id": "ann",
        "session_id": "s1",
        "protocol": 2,
        "client": {"name": "phone", "version": "1.0"},
        "address": "10.0.0.7",
        "connected_at": int((NOW - 3700) * 1000),
        "state": "live",
        "waiting_bytes": 0,
    } | more


def lags(*counts: int) -> dict[str, Distribution]:
    """A histogram of each kind."""
    names = ("delivery_lag", "commit_time", "loop_lag")
    return {name: Distribution(BOUNDS, list(counts)) for name in names}


def state(**changes: Any) -> State:
    """A screen with something of everything."""
    known: dict[str, Any] = {
        "url": "ws://127.0.0.1:18790",
        "version": "1.2",
        "interval": 1.0,
        "look": Look(at=2.0, numbers=numbers(), sessions=[session()], connections=[connection()]),
        "pace": Pace(seconds=1.0, events=120.0, deliveries=1200.0, turns=0.5, lags=lags(90, 9, 1, 0)),
        "now": NOW,
    }
    return State(**known | changes)
