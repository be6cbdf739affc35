"""A server is started, and a client connects."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..client import Client
from ..emitters import EMITTERS
from ..peers import NODE, WEBSOCKETS
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import gateway_command, run_command

_TIME = "process start → first `connected`"
_MEMORY = "idle RSS"


def run(scale: Scale) -> Sequence[Measurement]:
    """Start each subject once a round; the gateway with an SQLite file, as by default."""
    records = Records()
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        commands = {
            GATEWAY: gateway_command(f"sqlite:{Path(folder, 'gateway.db')}"),
            NODE: EMITTERS[NODE],
            WEBSOCKETS: EMITTERS[WEBSOCKETS],
        }
        for _ in range(scale.rounds):
            for subject, command in commands.items():
                started = time.monotonic()
                with run_command(command) as server, Client(server.port).socket:
                    records.add(_TIME, subject, time.monotonic() - started)
                    server.cpu_time()  # waits until all is done
                    records.add(_MEMORY, subject, server.memory() / 1e6)
    return [
        Measurement(_TIME, "s", records.rounds(_TIME), [Target(0.5)]),
        Measurement(_MEMORY, "MB", records.rounds(_MEMORY), [Target(60.0)]),
    ]


BENCHMARK = Benchmark("start", "process start and idle memory (OpenClaw 2026.9.6: 8.6 s, 796 MB)", run)
