"""A gateway is started on a file of few or many sessions, and a client connects."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import attrs

from ..client import Client
from ..report import print_table, spread_of_ratio
from ..scale import Scale
from ..server import run_gateway
from .filled_file import FilledFile, make_file

FEW = 10
"""Sessions in the smaller file."""

TOKENS = 4
"""In each session's answer: its log is short."""

VISITS = 10
"""Dormant sessions that are woken in each round."""


@attrs.frozen
class Run:
    """What one start has shown."""

    seconds: float
    """From before there was a process to the first accepted `connect`."""
    memory: int
    """Bytes, after it."""
    visit: float | None
    """Milliseconds, from before there was a connection to the first replayed event of a dormant session."""


def run(scale: Scale) -> None:
    """Measure, and print the table."""
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        few = make_file(Path(folder, "few.db"), FEW, TOKENS)
        many = make_file(Path(folder, "many.db"), scale.stored, TOKENS)
        files = {
            f"SQLite, {FEW} sessions": few,
            f"SQLite, {scale.stored:,} sessions": many,
            "memory": None,
        }
        runs: dict[str, list[Run]] = {name: [] for name in files}
        for number in range(scale.rounds):
            for name, file in files.items():
                runs[name].append(_measure(file, number))
    reference = next(iter(runs.values()))
    head = ["", "seconds", "ratio", "RSS MB", "ratio", "dormant session ms", "ratio"]
    print_table(
        f"process start → first accepted connect: {scale.rounds} rounds, medians,"
        " ratio to the first (lowest–highest)",
        head,
        [_row(name, done, reference) for name, done in runs.items()],
    )


def _row(name: str, runs: list[Run], reference: list[Run]) -> list[str]:
    seconds, sizes = [run.seconds for run in runs], [run.memory for run in runs]
    visits = [run.visit for run in runs if run.visit is not None]
    return [
        name,
        f"{median(seconds):.2f}",
        spread_of_ratio(seconds, [run.seconds for run in reference]),
        f"{median(sizes) / 1e6:.1f}",
        spread_of_ratio(sizes, [run.memory for run in reference]),
        f"{median(visits):.1f}" if visits else "-",
        spread_of_ratio(visits, [run.visit or 0 for run in reference]) if visits else "-",
    ]


def _measure(file: FilledFile | None, number: int) -> Run:
    storage = f"sqlite:{file.path}" if file else "memory:"
    started = time.monotonic()
    with run_gateway(storage, "--max-sessions", "1000000") as server:
        with Client(server.port).socket:
            seconds = time.monotonic() - started
            memory = server.memory()
        visits = [_visit(server.port, file, number * VISITS + each) for each in range(VISITS)] if file else []
        return Run(seconds, memory, median(visits) if visits else None)


def _visit(port: int, file: FilledFile, number: int) -> float:
    """Connect to a session, and read its first event; the same process has not been asked for it before."""
    session_id = file.session_ids[number * 9973 % len(file.session_ids)]
    started = time.monotonic()
    client = Client(port, protocol=2, session_id=session_id, last_seq=0, epoch=file.epoch)
    with client.socket:
        received = list(client.taken())
        while not any(b'"seq":1,' in message for message in received):
            received = list(client.read())
        return (time.monotonic() - started) * 1000
