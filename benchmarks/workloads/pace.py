"""Many sessions with a watcher each, whose agents say tokens at the pace of a model."""

from __future__ import annotations

from collections.abc import Sequence

from ..emitters import EMITTERS
from ..listeners import open_sessions
from ..peers import NODE, WEBSOCKETS
from ..records import Records
from ..results import Benchmark, Measurement, Target
from ..scale import Scale
from ..server import run_command

INTERVAL = 0.02
"""Seconds between two tokens of a session: 50 a second."""

_OWN_COST = "server CPU per token beyond the agents' timers"
_COST = "server CPU per token"
_P50 = "p50 emit → client"
_P99 = "p99 emit → client"
_RATE = "tokens per second"
_LOAD = "load generator's share of a core"


def run(scale: Scale) -> Sequence[Measurement]:
    """Have each subject's agents wait and say nothing, and then wait and speak, once a round."""
    records = Records()
    count = round(scale.pace_time / INTERVAL)
    for _ in range(scale.rounds):
        for subject, command in EMITTERS.items():
            with run_command(command) as server, open_sessions(server, scale.sessions) as sessions:
                silence = sessions.ask(count, INTERVAL, silently=True)
                answers = sessions.ask(count, INTERVAL)
            tokens = len(answers.latencies)
            records.add(_OWN_COST, subject, (answers.cpu - silence.cpu) / tokens * 1e6)
            records.add(_COST, subject, answers.cpu / tokens * 1e6)
            records.add(_P50, subject, answers.percentile(50))
            records.add(_P99, subject, answers.percentile(99))
            records.add(_RATE, subject, tokens / answers.seconds)
            records.add(_LOAD, subject, answers.load)
    return [
        Measurement(_OWN_COST, "µs", records.rounds(_OWN_COST), [Target(1.0, beside=NODE)]),
        Measurement(_COST, "µs", records.rounds(_COST)),
        Measurement(_P50, "ms", records.rounds(_P50)),
        Measurement(_P99, "ms", records.rounds(_P99), [Target(1.0, beside=WEBSOCKETS)]),
        Measurement(_RATE, "1/s", records.rounds(_RATE)),
        Measurement(_LOAD, "", records.rounds(_LOAD)),
    ]


BENCHMARK = Benchmark("pace", "one watcher a session, 50 tokens a second each, storage in memory", run)
