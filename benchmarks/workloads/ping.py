"""Clients ask for something small, and ask again when the answer has come: a `ping`, or a command."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial

from ..client import Client, to_json
from ..comparison import Comparison, Quantity, Visit
from ..crowd import Crowd
from ..peers import NODE, TRIO_WEBSOCKET
from ..results import Target
from ..scale import Scale

PING = to_json(type="ping", timestamp=1795415952682)
CALL = to_json(type="command", name="gateway.stats", args={}, id="1")

IN_FLIGHT = 32
"""Calls that one connection has under way at a time."""

OPENCLAW = {"in sequence": 2393, f"{IN_FLIGHT} in flight": 9841, "50 connections": 8363}
"""`system-presence` a second, as OpenClaw 2026.9.6 answered it; `make bench-openclaw` measures it anew."""

_ANSWERS = re.compile(rb'"(pong|command_result|res)"')
"""And nothing else that a server says by itself."""


def ask(crowd: Crowd, message: bytes, count: int, in_flight: int = 1) -> None:
    """Have *count* answers to *message*, each client with *in_flight* questions under way."""
    frame = crowd.clients[0].frame(message)
    unasked = count

    def answer(client: Client, message: bytes) -> bool:
        nonlocal unasked
        if not _ANSWERS.search(message):
            return False
        assert b'"ok":false' not in message, message
        if unasked > 0:
            unasked -= 1
            client.socket.sendall(frame)
        return True

    for client in crowd.clients:
        first = min(in_flight, unasked)
        unasked -= first
        client.socket.sendall(frame * first)
    crowd.receive(count, answer)


def measure_pings(visit: Visit, scale: Scale) -> list[float]:
    """One connection, then some."""
    ask(visit.crowd(1), PING, scale.warm_up, IN_FLIGHT)
    return [_cost(visit, scale, connections) for connections in (1, scale.few)]


def _cost(visit: Visit, scale: Scale, connections: int) -> float:
    crowd = visit.crowd(connections)
    ask(crowd, PING, max(connections, scale.asks // 10))
    return visit.cost(partial(ask, crowd, PING, scale.asks), scale.asks)


def measure_calls(visit: Visit, scale: Scale) -> list[float]:
    """One connection in sequence, one with many in flight, then some connections."""
    found: list[float] = []
    ask(visit.crowd(1), CALL, scale.warm_up // 3, IN_FLIGHT)
    for connections, in_flight in ((1, 1), (1, IN_FLIGHT), (scale.few, 1)):
        crowd = visit.crowd(connections)
        ask(crowd, CALL, max(connections, scale.asks // 10), in_flight)
        rates: list[float] = []
        work = partial(_time, partial(ask, crowd, CALL, scale.asks, in_flight), scale.asks, rates)
        cost = visit.cost(work, scale.asks)
        found += [rates[0], cost]
    return found


def _time(work: Callable[[], None], units: int, rates: list[float]) -> None:
    started = time.monotonic()
    work()
    rates.append(units / (time.monotonic() - started))


_BESIDE = (Target(0.6, TRIO_WEBSOCKET), Target(1.0, NODE, is_moonshot=True))

PINGS = Comparison(
    "ping",
    "Ping and pong",
    [
        Quantity("server CPU per ping, 1 connection", "µs", _BESIDE),
        Quantity("server CPU per ping, 50 connections", "µs", _BESIDE),
    ],
    measure_pings,
    turn=1,
)

CALLS = Comparison(
    "calls",
    "A small command: `gateway.stats`",
    [
        quantity
        for way, openclaw in OPENCLAW.items()
        for quantity in (
            Quantity(
                f"calls, {way}",
                "1/s",
                [Target(2 * openclaw, at_least=True, why=f"2 × OpenClaw's {openclaw:,}")],
            ),
            Quantity(f"server CPU per call, {way}", "µs"),
        )
    ],
    measure_calls,
    turn=2,
)
