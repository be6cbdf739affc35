"""Many sessions with a watcher each, whose agents say tokens as fast as they may."""

from __future__ import annotations

from collections.abc import Sequence

from ..emitters import EMITTERS
from ..listeners import open_sessions
from ..peers import NODE
from ..records import Records
from ..results import Benchmark, Measurement, Target
from ..scale import Scale
from ..server import run_command

_COST = "server CPU per token"
_RATE = "tokens per second"
_LOAD = "load generator's share of a core"


def run(scale: Scale) -> Sequence[Measurement]:
    """Have each subject stream once a round."""
    records = Records()
    for _ in range(scale.rounds):
        for subject, command in EMITTERS.items():
            with run_command(command) as server, open_sessions(server, scale.sessions) as sessions:
                answers = sessions.ask(scale.tokens)
            records.add(_COST, subject, answers.cpu / len(answers.latencies) * 1e6)
            records.add(_RATE, subject, len(answers.latencies) / answers.seconds)
            records.add(_LOAD, subject, answers.load)
    return [
        Measurement(_COST, "µs", records.rounds(_COST), [Target(1.0, beside=NODE)]),
        Measurement(_RATE, "1/s", records.rounds(_RATE)),
        Measurement(_LOAD, "", records.rounds(_LOAD)),
    ]


BENCHMARK = Benchmark("stream", "one watcher a session, agents as fast as they may, storage in memory", run)
