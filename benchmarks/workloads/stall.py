"""One of many readers stalls: what do the others notice?"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import mean, quantiles

from ..client import Client
from ..emitters import BROADCASTER
from ..listeners import Audience, open_audience
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import run_command

WITHOUT = "without a stalled reader"

FILL_TOKENS = 10_000
"""Tokens of its own session after which the sockets of one that does not read are full."""

FILL_TIME = 1.0
"""Seconds in which they are said."""

_P50 = "p50 emit → the other clients"
_P99 = "p99 emit → the other clients"


def run(scale: Scale) -> Sequence[Measurement]:
    """Push without a stalled reader, with one, and without one again, in each round: so drifts cancel out."""
    records = Records()
    for _ in range(scale.rounds):
        with (
            run_command(BROADCASTER) as server,
            open_audience(server.port, scale.audience - 1) as audience,
        ):
            before = _push(audience, scale.pushed)
            with _stalled(server.port):
                during = _push(audience, scale.pushed)
            after = _push(audience, scale.pushed)
        for what, percent in ((_P50, 50), (_P99, 99)):
            records.add(what, GATEWAY, during[percent - 1])
            records.add(what, WITHOUT, mean((before[percent - 1], after[percent - 1])))
    return [
        Measurement(_P50, "ms", records.rounds(_P50)),
        Measurement(_P99, "ms", records.rounds(_P99), [Target(1.05, beside=WITHOUT)]),
    ]


def _push(audience: Audience, events: int) -> Sequence[float]:
    """Push the next event when all have the last, which is as fast as they take them; returns percentiles."""
    latencies = [each / 1e6 for _ in range(events) for each in audience.push(1)]
    return quantiles(latencies, n=100)


@contextmanager
def _stalled(port: int) -> Iterator[None]:
    stalled = Client(port, protocol=2)
    with stalled.socket:
        stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.say(type="chat", session_id=stalled.connected["session_id"], content=f"{FILL_TOKENS} 0")
        time.sleep(FILL_TIME)
        yield


BENCHMARK = Benchmark("stall", "one stalled reader, the others at full push", run)
