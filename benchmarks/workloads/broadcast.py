"""One client asks for events, and each event goes to all of them: one a tick, or ten."""

from __future__ import annotations

from functools import partial

from ..client import Client
from ..comparison import Comparison, Quantity, Visit
from ..crowd import Crowd
from ..peers import LIMIT, NODE, WEBSOCKETS
from ..peers.messages import EVENT_BYTES
from ..results import Target
from ..scale import Scale

BURST = 10
"""Events of a tick of `burst`."""

COST = "server CPU per delivery"


def ask(crowd: Crowd, ticks: int, events: int = 1, *, at_once: bool = True) -> None:
    """Ask for *events* in each of *ticks*; each client shall read each of them."""
    args = {"ticks": ticks, "events": events, "at_once": at_once}
    crowd.clients[0].say(type="command", name="emit", args=args)
    crowd.receive(len(crowd.clients) * ticks * events, _is_event)


def _is_event(_: Client, message: bytes) -> bool:
    return b'"agent_token"' in message


def measure_single(visit: Visit, scale: Scale) -> list[float]:
    """One event a tick."""
    crowd = visit.crowd(scale.crowd)
    ask(crowd, max(1, scale.ticks // 5))  # for whatever is done only at first
    return [visit.cost(partial(ask, crowd, scale.ticks), scale.ticks * scale.crowd)]


def measure_burst(visit: Visit, scale: Scale) -> list[float]:
    """Ten events a tick, at once and one after the other."""
    crowd = visit.crowd(scale.crowd)
    deliveries = scale.burst_ticks * BURST * scale.crowd
    ask(crowd, 1, BURST)
    at_once = visit.cost(partial(ask, crowd, scale.burst_ticks, BURST), deliveries)
    if not visit.is_gateway:
        return [at_once, at_once]  # theirs does the same either way
    in_turn = partial(ask, crowd, scale.burst_ticks, BURST, at_once=False)
    return [at_once, visit.cost(in_turn, deliveries)]


BROADCAST = Comparison(
    "broadcast",
    f"Broadcast: events of {EVENT_BYTES} bytes to 1,000 connections, one a tick",
    [Quantity(COST, "µs", [Target(1.25, LIMIT), Target(0.7, NODE), Target(0.7, WEBSOCKETS)])],
    measure_single,
    turn=4,
)

BURST_OF_TEN = Comparison(
    "burst",
    f"Burst: events of {EVENT_BYTES} bytes to 1,000 connections, ten a tick",
    [
        Quantity(f"{COST}, ten tasks each broadcast one", "µs", [Target(0.35, NODE)]),
        Quantity(f"{COST}, one task awaits ten", "µs"),
    ],
    measure_burst,
    turn=5,
)
