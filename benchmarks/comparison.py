"""Benchmarks that every peer does: in each round each server is started once, and does all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import attrs

from bamboo_gateway.cli.progress import Meter

from .crowd import Crowd, open_crowd
from .peers import PEERS, Peer, present_peers
from .results import GATEWAY, Measurement, Result, Target
from .scale import Scale
from .server import Server, run_command

MICROSECONDS = 1e6


class Visit:
    """One server in one round; the crowd of a benchmark stays for the next that wants as many."""

    def __init__(self, peer: Peer, server: Server) -> None:
        self.peer = peer
        self.server = server
        self._stack = ExitStack()
        self._crowd: Crowd | None = None

    @property
    def is_gateway(self) -> bool:
        """Is this the gateway's server?"""
        return self.peer is PEERS[GATEWAY]

    def crowd(self, connections: int) -> Crowd:
        """So many connected clients, and no others."""
        if self._crowd is None or len(self._crowd.clients) != connections:
            return self.new_crowd(connections)
        return self._crowd

    def new_crowd(self, connections: int) -> Crowd:
        """So many that connect now."""
        self.leave()
        opening = open_crowd(self.server.port, connections, speech=self.peer.speech, protocol=2)
        self._crowd = self._stack.enter_context(opening)
        return self._crowd

    def leave(self) -> None:
        """Have all clients hang up, and the server see to it."""
        if self._crowd is not None:
            self._crowd = None
            self._stack.close()
            self.server.cpu_time()

    def cost(self, work: Callable[[], object], units: int) -> float:
        """Microseconds of the server's CPU time for one of the *units* that *work* consists of."""
        before = self.server.cpu_time()
        work()
        return (self.server.cpu_time() - before) / units * MICROSECONDS


@attrs.frozen
class Quantity:
    """What a comparison measures."""

    what: str
    unit: str
    targets: Sequence[Target] = ()


@attrs.frozen
class Comparison:
    """One such benchmark."""

    name: str
    title: str
    quantities: Sequence[Quantity]
    measure: Callable[[Visit, Scale], Sequence[float]]
    """Have the server do it; returns a value for each of the quantities."""
    turn: int
    """When a server does it: small crowds first, and who opens a crowd before who uses it."""


def compare(comparisons: Sequence[Comparison], scale: Scale, meter: Meter) -> Sequence[Result]:
    """Do *comparisons* with each peer, round by round."""
    peers = present_peers()
    in_turn = sorted(comparisons, key=lambda each: each.turn)
    values: dict[tuple[str, str], dict[str, list[float]]] = {
        (comparison.name, quantity.what): {name: [] for name in peers}
        for comparison in comparisons
        for quantity in comparison.quantities
    }
    meter.begin("comparisons", scale.rounds * len(peers) * len(comparisons))
    for number in range(scale.rounds if comparisons else 0):
        print(f"round {number + 1} of {scale.rounds}: {', '.join(peers)}", flush=True)
        for name, peer in _alternate(peers, number):
            for key, value in _visit(peer, in_turn, scale, meter):
                values[key][name].append(value)
    return [
        Result(
            comparison.name,
            comparison.title,
            [
                Measurement(each.what, each.unit, values[comparison.name, each.what], each.targets)
                for each in comparison.quantities
            ],
        )
        for comparison in comparisons
    ]


def _alternate(peers: Mapping[str, Peer], number: int) -> Sequence[tuple[str, Peer]]:
    """Every other round backwards: who comes after whom shall not matter."""
    return list(peers.items())[:: -1 if number % 2 else 1]


def _visit(
    peer: Peer, comparisons: Sequence[Comparison], scale: Scale, meter: Meter
) -> Iterator[tuple[tuple[str, str], float]]:
    with ExitStack() as stack:
        server = stack.enter_context(run_command(peer.command))
        visit = Visit(peer, server)
        stack.callback(visit.leave)
        for comparison in comparisons:
            meter.tell(comparison.name)
            found = comparison.measure(visit, scale)
            meter.advance()
            for quantity, value in zip(comparison.quantities, found, strict=True):
                yield (comparison.name, quantity.what), value
