"""A bad network: a TCP proxy that stalls, delays, splits, joins and cuts what passes, each way by a plan."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from itertools import cycle
from typing import Literal, TypeAlias

import attrs
import trio
from hypothesis import strategies as st

from tests.stream_client import NO_LINGER

CHUNK_BYTES = 64 * 1024

QUIET = 0.002
"""Seconds without a byte after which bytes that were to be joined with later ones go on alone."""

SILENCE = 2.0
"""Seconds for which a connection that was cut without a word stays half-open."""

Ending: TypeAlias = Literal["fin", "reset", "silence"]
"""How a connection is cut: both ends find it at its end, or reset; or neither is told."""


@attrs.frozen
class Way:
    """What becomes of the bytes that go one way through one connection; by default, nothing."""

    sizes: Sequence[int] = ()
    """Bytes of the pieces that they are passed in, over and over: split, or joined with what comes later."""
    delays: Sequence[float] = ()
    """Seconds before each piece, over and over."""
    stall_at: int | None = None
    """Byte before which everything stands still, once."""
    stall: float = 0.0
    """Seconds for which it does."""
    cut_at: int | None = None
    """Byte that is the first not to pass; None: all do."""
    ending: Ending = "fin"

    @property
    def faults(self) -> Iterator[str]:
        """What is wrong with it."""
        if self.sizes:
            yield "split" if min(self.sizes) < QUIET_SIZE else "joined"
        if self.delays:
            yield "delayed"
        if self.stall_at is not None:
            yield "stalled"


QUIET_SIZE = 1024
"""Pieces from here on are rather joined than split."""


@attrs.frozen
class Trip:
    """One connection through the proxy."""

    up: Way = Way()
    """To the gateway."""
    down: Way = Way()
    """From it."""


# ── plans ────────────────────────────────────────────────────────────────────

_sizes = st.sampled_from([(), (), (1,), (2, 1, 3), (1, 7, 1, 40), (4096,), (16_384, 1)])
_delays = st.sampled_from([(), (), (0.001,), (0.0, 0.0, 0.01)])
_endings: st.SearchStrategy[Ending] = st.sampled_from(["fin", "reset", "silence"])


def ways(most_bytes: int) -> st.SearchStrategy[Way]:
    """Ways, for Hypothesis; those that are cut are so within *most_bytes*."""
    places = st.none() | st.integers(0, most_bytes)
    stalls = st.sampled_from([0.01, 0.05])
    return st.builds(Way, _sizes, _delays, places, stalls, places, _endings)


trips = st.builds(Trip, ways(1_200), ways(6_000))
"""Most end within the greeting or a few events after it."""


def random_trips(rng: random.Random, most_bytes: int) -> Iterator[Trip]:
    """Trips without end, for long runs."""
    while True:
        yield Trip(random_way(rng, most_bytes // 4), random_way(rng, most_bytes))


def random_way(rng: random.Random, most_bytes: int) -> Way:
    """One of them."""
    sizes = tuple(rng.choice([1, 2, 7, 64, 1500, 16_384]) for _ in range(rng.choice([0, 0, 1, 5])))
    # A delay for each byte would be no fault, but a line on which nobody can live.
    is_slow = not sizes or min(sizes) >= 64
    delays = tuple(rng.choice([0.0, 0.001, 0.01]) for _ in range(rng.choice([0, 0, 3]) * is_slow))
    stall_at = rng.randrange(most_bytes) if rng.random() < 0.2 else None
    cut_at = int(most_bytes * rng.random() ** 2) if rng.random() < 0.6 else None
    endings: Sequence[Ending] = ("fin", "reset", "silence")
    [ending] = rng.choices(endings, [5, 4, 1])
    return Way(sizes, delays, stall_at, rng.uniform(0, 0.3), cut_at, ending)


# ── the proxy ────────────────────────────────────────────────────────────────


class FaultProxy:
    """
    Accepts connections and passes bytes on, as badly as the plan of each says.

    Invariant: what passes is a beginning of what was sent, byte for byte.
    """

    def __init__(self, port: int, plan: Iterable[Trip]) -> None:
        self.port = 0
        self.counts: Counter[str] = Counter()
        """What has gone wrong, and how often."""
        self._target = port
        self._plan = iter(plan)

    async def serve(self, client: trio.SocketStream) -> None:
        """Connect one client; past the end of the plan nothing goes wrong any more."""
        trip = next(self._plan, Trip())
        self.counts["connections"] += 1
        self.counts.update(trip.up.faults)
        self.counts.update(trip.down.faults)
        async with client:
            try:
                gateway = await trio.open_tcp_stream("127.0.0.1", self._target)
            except OSError:
                return
            async with gateway:
                ending = await self._pass_both_ways(client, gateway, trip)
                if ending is not None:
                    self.counts[f"cut by {ending}"] += 1
                if ending == "silence":
                    await trio.sleep(SILENCE)
                if ending == "reset":
                    for end in (client, gateway):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)

    async def _pass_both_ways(
        self, client: trio.SocketStream, gateway: trio.SocketStream, trip: Trip
    ) -> Ending | None:
        """Until one way is cut, or both are at their end; how it was cut."""
        endings: list[Ending] = []

        async def run(source: trio.SocketStream, sink: trio.SocketStream, way: Way) -> None:
            try:
                if await _pass(source, sink, way):
                    endings.append(way.ending)
                    nursery.cancel_scope.cancel()
                else:
                    await sink.send_eof()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                nursery.cancel_scope.cancel()  # the other end is told by the end of its own connection

        async with trio.open_nursery() as nursery:
            nursery.start_soon(run, client, gateway, trip.up)
            nursery.start_soon(run, gateway, client, trip.down)
        return endings[0] if endings else None


async def _pass(source: trio.SocketStream, sink: trio.SocketStream, way: Way) -> bool:
    """Pass bytes on to their end; True: to the cut."""
    passed = 0
    delays = cycle(way.delays or [0.0])
    stall_at = way.stall_at
    async with aclosing(_pieces(source, way.sizes)) as pieces:
        async for piece in pieces:
            left = len(piece) if way.cut_at is None else way.cut_at - passed
            await trio.sleep(next(delays))
            if stall_at is not None and passed + len(piece) > stall_at:
                stall_at = None
                await trio.sleep(way.stall)
            await sink.send_all(piece[:left])
            passed += len(piece)
            if left < len(piece):
                return True
    return False


async def _pieces(source: trio.SocketStream, sizes: Sequence[int]) -> AsyncGenerator[bytes]:
    """What comes, in pieces of these sizes; shorter ones where nothing more comes for a while."""
    wanted = cycle(sizes or [0])
    size = next(wanted)
    held = b""
    is_open = True
    while is_open:
        with trio.move_on_after(QUIET if held else float("inf")) as quiet:
            data = await source.receive_some(CHUNK_BYTES)
            held += data
            is_open = bool(data)
        while held and (not size or len(held) >= size or quiet.cancelled_caught or not is_open):
            piece, held = (held[:size], held[size:]) if size else (held, b"")
            size = next(wanted)
            yield piece


@asynccontextmanager
async def fault_proxy(port: int, plan: Iterable[Trip] = ()) -> AsyncIterator[FaultProxy]:
    """Stand before the gateway at *port*; the first connection has the first trip of the *plan*."""
    proxy = FaultProxy(port, plan)
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, proxy.serve, 0, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        proxy.port = listener.socket.getsockname()[1]
        yield proxy
        nursery.cancel_scope.cancel()
