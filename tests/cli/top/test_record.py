from __future__ import annotations

import json

from bamboo_gateway.cli.top.look import Look
from bamboo_gateway.cli.top.pace import Pace
from bamboo_gateway.cli.top.record import as_record
from tests.cli.top.looks import connection, lags, numbers, session, state


def test_all_of_a_look_is_there_for_a_script() -> None:
    """Numbers as numbers; of what is beyond all bounds, the largest bound."""
    record = as_record(
        state(
            pace=Pace(
                seconds=1.0004,
                events=1.5,
                deliveries=3.0,
                turns=0.0,
                lags={
                    "loop_lag": lags(0, 1, 0, 1)["loop_lag"],
                    "commit_time": lags(0, 0, 0, 0)["commit_time"],
                },
                by_session={"s1": 1.5},
            )
        )
    )
    assert record == {
        "url": "ws://127.0.0.1:18790",
        "version": "1.2",
        "seconds": 1.0,
        "uptime": 100.0,
        "connections": {"open": 3, "unauthenticated": 1, "behind": 0, "waiting_bytes": 2048},
        "sessions": {"sessions": 42, "resident": 7, "log_bytes": 1_500_000},
        "turns": {"running": 6, "queued": 2},
        "storage_is_failing": False,
        "events_per_second": 1.5,
        "deliveries_per_second": 3.0,
        "turns_per_second": 0.0,
        "delays": {
            "loop_lag": {"count": 2, "p50": 0.01, "p99": 0.1},
            "commit_time": {"count": 0, "p50": None, "p99": None},
        },
        "session_list": [session() | {"events_per_second": 1.5}],
        "connection_list": [connection()],
        "missing": {},
    }
    json.dumps(record, allow_nan=False)


def test_what_was_not_told_is_not_there() -> None:
    """But why it was not."""
    record = as_record(state(look=Look(at=0.0, missing={"numbers": "takes the scope metrics"})))
    assert "connections" not in record
    assert record["missing"] == {"numbers": "takes the scope metrics"}
    assert (record["session_list"], record["connection_list"]) == ([], [])


def test_numbers_are_those_of_the_gateway() -> None:
    """Under names that say what they count."""
    record = as_record(state(look=Look(at=0.0, numbers=numbers(open=9))))
    connections = record["connections"]
    assert isinstance(connections, dict)
    assert connections["open"] == 9
