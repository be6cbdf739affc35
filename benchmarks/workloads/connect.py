"""Clients come in a storm: TCP, upgrade, `connect` and its answer, many at a time."""

from __future__ import annotations

from functools import partial

from ..comparison import Comparison, Quantity, Visit
from ..peers import TRIO_WEBSOCKET
from ..results import Target
from ..scale import Scale


def measure(visit: Visit, scale: Scale) -> list[float]:
    """They stay connected: to leave is not measured."""
    visit.new_crowd(max(1, scale.crowd // 20))
    visit.leave()
    return [visit.cost(partial(visit.new_crowd, scale.crowd), scale.crowd)]


CONNECT = Comparison(
    "connect",
    "Connect storm: 1,000 clients, 64 at a time",
    [Quantity("server CPU per connect", "µs", [Target(1.3, TRIO_WEBSOCKET)])],
    measure,
    turn=3,
)
