from __future__ import annotations

from typing import Any

import pytest

from bamboo_gateway.cli.gateway_status import GatewayStatus
from bamboo_gateway.cli.status_text import Line, lines

URL = "ws://127.0.0.1:18790"

INFO = {"version": "1.2", "protocols": [1, 2], "uptime": 754.0}


def stats(*, is_failing: bool = False, behind: int = 0, histograms: Any = None) -> dict[str, Any]:
    """What `gateway.stats` answers, as far as it is shown."""
    return {
        "statistics": {
            "loop_lag": 0.002,
            "connections": {"open": 12, "unauthenticated": behind, "behind": behind, "accepted": 99},
            "registry": {"table": {"sessions": 40, "resident": 8, "chats_queued": behind}},
            "journal": {"is_failing": is_failing, "held": 3, "commits": 7},
            "turns": {"running": 1, "completed": 5, "failed": 0, "aborted": 2},
        },
        "histograms": histograms,
    }


def texts(status: GatewayStatus) -> dict[str, str]:
    """The lines by their labels."""
    return {line.label: line.text for line in lines(status)}


def test_a_gateway_that_is_well_is_told_in_one_screen() -> None:
    """All that is known, in a line for each."""
    buckets = {"bounds": [0.001, 1.0], "counts": [100, 0, 2], "sum": 1.0}
    empty = {"bounds": [0.001], "counts": [0, 0], "sum": 0.0}
    status = GatewayStatus(
        url=URL,
        is_reachable=True,
        latency=0.0031,
        version="1.2",
        is_ready=True,
        info=INFO,
        stats=stats(
            histograms={
                "delivery_lag": buckets,
                "commit_time": empty,
                "loop_lag": buckets,
                "turn_duration": empty,
            }
        ),
    )
    assert list(lines(status)) == [
        Line("gateway", URL),
        Line("reachable", "yes, in 3.1 ms", "good"),
        Line("version", "1.2, speaks protocol 1 and 2"),
        Line("up", "12 min 34 s"),
        Line("ready", "yes", "good"),
        Line("connections", "12 open, 99 since the start"),
        Line("sessions", "40, 8 of them in memory"),
        Line("turns", "1 running; 5 completed, 0 failed, 2 aborted"),
        Line("storage", "well, 7 commits", "good"),
        Line("lag", "delivery,   half within 0.51 ms, 99 % within > 1 s"),
        Line("", "event loop, half within 0.51 ms, 99 % within > 1 s"),
    ]


def test_what_is_not_well_stands_out() -> None:
    """The storage, clients that are behind, and why it takes no new ones."""
    status = GatewayStatus(
        url=URL,
        is_reachable=True,
        latency=0.0,
        is_ready=False,
        reason="storage failing",
        stats=stats(is_failing=True, behind=2),
    )
    found = {line.label: line for line in lines(status)}
    assert found["ready"] == Line("ready", "no: storage failing", "bad")
    assert found["storage"] == Line("storage", "fails: 3 requests wait for it", "bad")
    assert found["connections"].text == "12 open, 2 yet to say who they are, 2 behind, 99 since the start"
    assert found["turns"].text.startswith("1 running, 2 chats wait; ")
    assert found["lag"].text == "event loop 2 ms"


def test_a_gateway_that_cannot_be_reached_is_told_with_what_to_do() -> None:
    """And nothing that nobody knows."""
    status = GatewayStatus(url=URL, fault="Connection refused", remedy="start one: bamboo-gateway serve")
    assert list(lines(status)) == [
        Line("gateway", URL),
        Line("reachable", "no: Connection refused", "bad"),
        Line("", "start one: bamboo-gateway serve"),
    ]


def test_what_one_is_not_told_is_said() -> None:
    """A token may lack a scope, or there may be none at all."""
    status = GatewayStatus(
        url=URL, is_reachable=True, version="1.2", is_ready=True, missing="takes `metrics`"
    )
    assert texts(status)["statistics"] == "not told: takes `metrics`"
    status = GatewayStatus(
        url=URL,
        is_reachable=True,
        version="1.2",
        is_ready=True,
        fault="UNAUTHORIZED: no",
        remedy="give a token",
    )
    assert texts(status) == {
        "gateway": URL,
        "reachable": "yes, in 0 ms",
        "version": "1.2",
        "ready": "yes",
        "let in": "no: UNAUTHORIZED: no",
        "": "give a token",
    }


@pytest.mark.parametrize("field", ["url", "fault", "reason", "version"])
def test_what_a_gateway_says_moves_no_cursor(field: str) -> None:
    """It may be anybody's."""
    known: dict[str, Any] = {"url": URL, "is_reachable": True, "is_ready": False, field: "a\x1b[2J\nb"}
    assert all("\x1b" not in line.text and "\n" not in line.text for line in lines(GatewayStatus(**known)))
