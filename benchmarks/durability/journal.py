"""Agents emit, the journal commits, watchers read: with each storage in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import attrs

from ..client import Client
from ..crowd import Crowd, open_crowd
from ..report import print_table, spread_of_ratio
from ..scale import Scale
from ..server import Server, run_server

STORAGES = {"memory": "memory", "full": "SQLite, FULL", "normal": "SQLite, NORMAL"}
"""As `emitter` calls them → what they are. The first is what the others are compared with."""


@attrs.frozen
class Load:
    """Who emits how fast."""

    title: str
    sessions: int
    interval: float = 0.0
    """Seconds between two tokens of a session; 0: as fast as they may."""
    count: int | None = None
    """Tokens of each session; None: as many as the scale has for all of them."""


LOADS = (
    Load("1 session, flat out", 1),
    Load("200 sessions, flat out", 200),
    # What latency is without a queue: the others measure how much may wait.
    Load("200 sessions, 10 tokens/s each", 200, interval=0.1, count=20),
)


@attrs.frozen
class Run:
    """What one run has shown."""

    rate: float
    """Events a second, from the first chat to the last answer's end."""
    cpu: float
    """Microseconds of the server's, for each event."""
    p50: float
    """Milliseconds from `turn.token` to the client."""
    p99: float
    group: float
    """Changes in a commit."""


def run(scale: Scale) -> None:
    """Measure, and print the table."""
    rows: list[list[str]] = []
    for load in LOADS:
        runs: dict[str, list[Run]] = {kind: [] for kind in STORAGES}
        for _ in range(scale.rounds):
            for kind, done in runs.items():
                with _run_emitter(kind) as server:
                    done.append(_measure(server, load, scale.journaled))
        rows += [_row(f"{load.title}: {STORAGES[kind]}", done, runs["memory"]) for kind, done in runs.items()]
    head = ["", "events/s", "ratio", "CPU µs/event", "ratio", "p50 ms", "p99 ms", "changes/commit"]
    print_table(
        f"journaled events, each session with one watcher: {scale.rounds} rounds, medians,"
        " ratio to memory (lowest–highest)",
        head,
        rows,
    )


def _row(name: str, runs: list[Run], memory: list[Run]) -> list[str]:
    rates, costs = [run.rate for run in runs], [run.cpu for run in runs]
    return [
        name,
        f"{median(rates):,.0f}",
        spread_of_ratio(rates, [run.rate for run in memory]),
        f"{median(costs):.1f}",
        spread_of_ratio(costs, [run.cpu for run in memory]),
        f"{median(run.p50 for run in runs):.1f}",
        f"{median(run.p99 for run in runs):.1f}",
        f"{median(run.group for run in runs):.1f}",
    ]


@contextmanager
def _run_emitter(kind: str) -> Iterator[Server]:
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        path = [] if kind == "memory" else [str(Path(folder, "gateway.db"))]
        with run_server(f"{__package__}.emitter", kind, *path) as server:
            yield server


def _measure(server: Server, load: Load, events: int) -> Run:
    sessions = min(load.sessions, max(1, events // 10))
    count = min(load.count or events, events // sessions)
    # What comes late comes as it was, too, and not with its neighbours joined: it is counted.
    with open_crowd(server.port, sessions, protocol=2, replay="exact") as crowd:
        _emit(crowd, 1, 0.0)  # once for whatever is done only once
        before, cpu = _journal(crowd.clients[0]), server.cpu_time()
        started = time.monotonic()
        latencies = _emit(crowd, count, load.interval)
        seconds = time.monotonic() - started
        cpu = server.cpu_time() - cpu
        after = _journal(crowd.clients[0])
    total = sessions * count
    assert len(latencies) == total, f"{len(latencies)} tokens have come, and not {total}"
    percentiles = quantiles(latencies, n=100)
    return Run(
        total / seconds,
        cpu / total * 1e6,
        percentiles[49],
        percentiles[98],
        (after["changes"] - before["changes"]) / (after["commits"] - before["commits"]),
    )


def _emit(crowd: Crowd, count: int, interval: float) -> list[float]:
    """Have each session's agent say *count* tokens; returns how many milliseconds each was on its way."""
    latencies: list[float] = []

    def take(_: Client, message: bytes) -> bool:
        if message.startswith(b'{"type":"agent_token"'):
            said = message.index(b'"token":"') + 9
            latencies.append((time.monotonic_ns() - int(message[said : message.index(b" ", said)])) / 1e6)
        return message.startswith(b'{"type":"agent_complete"')

    for client in crowd.clients:
        client.say(type="chat", session_id=client.connected["session_id"], content=f"{count} {interval}")
    crowd.receive(len(crowd.clients), take)
    return latencies


def _journal(client: Client) -> dict[str, Any]:
    """What the gateway says of its journal."""
    client.say(type="command", name="gateway.stats", args={})
    while not (received := list(client.read())):
        pass
    journal: dict[str, Any] = json.loads(received[0])["result"]["statistics"]["journal"]
    return journal
