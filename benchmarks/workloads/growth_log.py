"""A session's log is short or long."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ..client import Client
from ..filled_file import FilledFile, make_log
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import gateway_command, run_command

VISITS = 50
"""Clients that come back, and chats."""

MISSED = 50
"""Events that each of them has missed."""

_WAKE = "server CPU per event, to load it and replay it"
_READ = "server CPU per event, to replay it"
_RESUME = f"server CPU per resume with {MISSED} missed events"
_CHAT = "server CPU per chat, appended"

_LONG = ("--log-max-events", "100000000", "--log-max-bytes", str(1024**4), "--log-total-bytes", str(1024**4))


def run(scale: Scale) -> Sequence[Measurement]:
    """Start on each file once a round."""
    records = Records()
    *shorter, longest = scale.grown_log
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        files = [make_log(Path(folder, f"{count}.db"), count) for count in scale.grown_log]
        for _ in range(min(scale.rounds, 2)):
            for count, file in zip(scale.grown_log, files, strict=True):
                _measure(records, GATEWAY if count == longest else _of(count), file)
    targets = [Target(1.3, beside=_of(count)) for count in shorter]
    return [
        Measurement(f"{what}, {_of(longest)}", "µs", records.rounds(what), targets)
        for what in (_WAKE, _READ, _RESUME, _CHAT)
    ]


def _of(events: int) -> str:
    return f"a log of {events:,} events"


def _measure(records: Records, subject: str, file: FilledFile) -> None:
    with run_command(gateway_command(f"sqlite:{file.path}", *_LONG)) as server:
        Client(server.port).socket.close()  # whatever is done only once
        last_seq = 0
        for what in (_WAKE, _READ):
            before = server.cpu_time()
            last_seq = _come_back(server.port, file)
            records.add(what, subject, (server.cpu_time() - before) / last_seq * 1e6)
        before = server.cpu_time()
        for _ in range(VISITS):
            _come_back(server.port, file, last_seq - MISSED)
        records.add(_RESUME, subject, (server.cpu_time() - before) / VISITS * 1e6)
        client = _connect(server.port, file, last_seq)
        with client.socket:
            before = server.cpu_time()
            for _ in range(VISITS):
                client.ask("Hi")
            records.add(_CHAT, subject, (server.cpu_time() - before) / VISITS * 1e6)


def _come_back(port: int, file: FilledFile, seen: int = 0) -> int:
    """Connect, read what was missed, and hang up; returns the number of the last event."""
    client = _connect(port, file, seen)
    last_seq: int = client.connected["last_seq"]
    last = b'"seq":%d,' % last_seq
    with client.socket:
        received = list(client.taken())
        while not any(last in message for message in received):
            received = list(client.read())
    return last_seq


def _connect(port: int, file: FilledFile, seen: int) -> Client:
    session_id = file.session_id(0)
    return Client(port, protocol=2, session_id=session_id, last_seq=seen, epoch=file.epoch, replay="exact")


BENCHMARK = Benchmark("growth_log", "SQLite files of one session, whose log is short or long", run)
