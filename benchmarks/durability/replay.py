"""A client comes back to a long log, and reads all of it."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import attrs

from ..client import Client
from ..report import print_table, spread_of_ratio
from ..scale import Scale
from ..server import Server, run_gateway
from .filled_file import FilledFile, make_file

MODES = ("exact", "merged")

_RAISED = ("--log-max-events", "10000000", "--log-max-bytes", str(1024**3), "--log-total-bytes", str(1024**3))


@attrs.frozen
class Run:
    """What one client has seen."""

    seconds: float
    """From its first byte to the last event."""
    cpu: float
    """Seconds of the server's."""
    received_bytes: int
    messages: int


def run(scale: Scale) -> None:
    """Measure, and print the table."""
    runs: dict[str, list[Run]] = {
        f"{state}, {mode}": [] for state in ("in memory", "dormant") for mode in MODES
    }
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        file = make_file(Path(folder, "gateway.db"), 1, scale.replayed)
        for _ in range(scale.rounds):
            for mode in MODES:
                with run_gateway(f"sqlite:{file.path}", *_RAISED) as server:
                    runs[f"dormant, {mode}"].append(_measure(server, file, mode))
                    runs[f"in memory, {mode}"].append(_measure(server, file, mode))
    reference = next(iter(runs.values()))
    head = ["", "seconds", "ratio", "CPU s", "ratio", "events/s", "MB", "messages"]
    print_table(
        f"replay of a log of {scale.replayed:,} tokens: {scale.rounds} rounds, medians,"
        " ratio to the first (lowest–highest)",
        head,
        [_row(name, done, reference, scale.replayed) for name, done in runs.items()],
    )


def _row(name: str, runs: list[Run], reference: list[Run], events: int) -> list[str]:
    seconds, costs = [run.seconds for run in runs], [run.cpu for run in runs]
    return [
        name,
        f"{median(seconds):.2f}",
        spread_of_ratio(seconds, [run.seconds for run in reference]),
        f"{median(costs):.2f}",
        spread_of_ratio(costs, [run.cpu for run in reference]),
        f"{events / median(seconds):,.0f}",
        f"{median(run.received_bytes for run in runs) / 1e6:.1f}",
        f"{median(run.messages for run in runs):,.0f}",
    ]


def _measure(server: Server, file: FilledFile, mode: str) -> Run:
    last = b'"seq":%d,' % file.last_seq
    cpu, started = server.cpu_time(), time.monotonic()
    client = Client(
        server.port, protocol=2, session_id=file.session_ids[0], last_seq=0, epoch=file.epoch, replay=mode
    )
    with client.socket:
        messages, received = 0, list(client.taken())
        while not any(last in message for message in received):
            messages += len(received)
            received = list(client.read())
        seconds = time.monotonic() - started
        messages += len(received)
        return Run(seconds, server.cpu_time() - cpu, client.received_bytes, messages)
