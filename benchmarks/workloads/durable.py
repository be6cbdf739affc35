"""`stream` and `pace`, with every event on the disk before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..emitters import gateway_emitter
from ..listeners import Sessions, open_sessions
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import run_command
from .pace import INTERVAL

MEMORY = "storage in memory"

_RATE = "tokens per second, as fast as they may"
_COST = "server CPU per token, as fast as they may"
_P50 = "p50 emit → client at 50 tokens a second each"
_P99 = "p99 emit → client at 50 tokens a second each"


def run(scale: Scale) -> Sequence[Measurement]:
    """Stream with each storage once a round."""
    records = Records()
    for _ in range(scale.rounds):
        for subject in (GATEWAY, MEMORY):
            with _open_sessions(subject, scale.sessions) as sessions:
                flood = sessions.ask(scale.tokens // 2)
                stream = sessions.ask(round(scale.pace_time / INTERVAL), INTERVAL)
            records.add(_RATE, subject, len(flood.latencies) / flood.seconds)
            records.add(_COST, subject, flood.cpu / len(flood.latencies) * 1e6)
            records.add(_P50, subject, stream.percentile(50))
            records.add(_P99, subject, stream.percentile(99))
    return [
        Measurement(_RATE, "1/s", records.rounds(_RATE), [Target(0.5, beside=MEMORY, at_least=True)]),
        Measurement(_COST, "µs", records.rounds(_COST)),
        Measurement(_P50, "ms", records.rounds(_P50)),
        Measurement(_P99, "ms", records.rounds(_P99), [Target(15.0)]),
    ]


@contextmanager
def _open_sessions(storage: str, sessions: int) -> Iterator[Sessions]:
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        where = "memory:" if storage == MEMORY else f"sqlite:{Path(folder, 'gateway.db')}"
        with run_command(gateway_emitter(where)) as server, open_sessions(server, sessions) as opened:
            yield opened


BENCHMARK = Benchmark("durable", "stream and pace with SQLite, synchronous=FULL, beside memory", run)
