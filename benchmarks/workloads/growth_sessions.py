"""A gateway that knows few or many sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from ..client import Client
from ..filled_file import FilledFile, make_sessions
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import Server, gateway_command, run_command

VISITS = 100
"""Clients in each measurement."""

_START = "process start → first `connected`"
_NEW = "server CPU per connect to a new session"
_CHAT = "server CPU per chat"
_OLD = "server CPU per connect to a dormant session, and its replay"

_MANY = ("--max-sessions", "10000000", "--log-total-bytes", str(1024**4))


def run(scale: Scale) -> Sequence[Measurement]:
    """Start on each file once a round."""
    records = Records()
    *fewer, most = scale.grown_sessions
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        files = [make_sessions(Path(folder, f"{count}.db"), count) for count in scale.grown_sessions]
        for number in range(min(scale.rounds, 3)):
            for count, file in zip(scale.grown_sessions, files, strict=True):
                _measure(records, GATEWAY if count == most else _of(count), file, number)
    targets = [Target(1.3, beside=_of(count)) for count in fewer]
    return [
        Measurement(f"{what}, {_of(most)}", unit, records.rounds(what), targets)
        for what, unit in ((_START, "s"), (_NEW, "µs"), (_CHAT, "µs"), (_OLD, "µs"))
    ]


def _of(sessions: int) -> str:
    return f"{sessions:,} sessions"


def _measure(records: Records, subject: str, file: FilledFile, number: int) -> None:
    started = time.monotonic()
    command = gateway_command(f"sqlite:{file.path}", *_MANY)
    with run_command(command) as server, ExitStack() as sockets:
        first = Client(server.port)
        records.add(_START, subject, time.monotonic() - started)
        sockets.enter_context(first.socket)
        first.ask("Hi")  # once for whatever is done only once

        def connect() -> list[Client]:
            clients = [Client(server.port, protocol=2) for _ in range(VISITS)]
            for client in clients:
                sockets.enter_context(client.socket)
            return clients

        def come_back() -> None:
            for each in range(VISITS):
                # Far from one another in the file; in no round one of an earlier round.
                session_id = file.session_id((number * VISITS + each) * 9973)
                client = Client(server.port, protocol=2, session_id=session_id, last_seq=0, epoch=file.epoch)
                sockets.enter_context(client.socket)

        clients: list[Client] = []
        records.add(_NEW, subject, _cost(server, lambda: clients.extend(connect())))
        records.add(_CHAT, subject, _cost(server, lambda: _chat(clients)))
        records.add(_OLD, subject, _cost(server, come_back))


def _cost(server: Server, work: Callable[[], None]) -> float:
    before = server.cpu_time()
    work()
    return (server.cpu_time() - before) / VISITS * 1e6


def _chat(clients: Sequence[Client]) -> None:
    for client in clients:
        client.ask("Hi")


BENCHMARK = Benchmark("growth_sessions", "SQLite files of few and many sessions", run)
