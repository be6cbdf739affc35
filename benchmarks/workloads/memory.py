"""What connections take that do nothing, and sessions that nobody needs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from ..client import Client
from ..emitters import EMITTERS
from ..filled_file import make_sessions
from ..peers import NODE, PEERS, TRIO_WEBSOCKET, WEBSOCKETS
from ..records import Records
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import Server, gateway_command, run_command

WARM_UP = 100
"""Connections and sessions that come before those that count."""

AT_ONCE = 50
"""Sessions that are visited together."""

DORMANT_TIME = 2.5
"""Seconds after which a session that was left is in the storage alone, with the options below."""

_STORED = "memory per dormant session, stored by an earlier process"
_LEFT = "memory per dormant session, left in this one"

_IDLE = ("--session-idle-timeout", "1s", "--upkeep-interval", "1s")
_MANY = ("--max-connections", "100000", "--max-sessions", "10000000", "--log-total-bytes", str(1024**4))

SUBJECTS: Mapping[str, Sequence[str]] = {
    GATEWAY: gateway_command("memory:", *_MANY),
    TRIO_WEBSOCKET: PEERS[TRIO_WEBSOCKET].command,
    NODE: EMITTERS[NODE],
    WEBSOCKETS: EMITTERS[WEBSOCKETS],
}


def run(scale: Scale) -> Sequence[Measurement]:
    """Measure once: unlike time, memory is not shared with whatever else the machine does."""
    records = Records()
    for subject, command in SUBJECTS.items():
        _connect(records, subject, command, scale.idle_connections)
    with TemporaryDirectory(prefix="bamboo-benchmark-") as folder:
        _store(records, Path(folder), scale.stored)
        for subject, storage in {GATEWAY: f"sqlite:{Path(folder, 'left.db')}", "memory:": "memory:"}.items():
            _leave(records, subject, storage, scale.left_sessions)
    return [
        *(
            Measurement(_connected(count), "KB", records.rounds(_connected(count)), [Target(30.0)])
            for count in scale.idle_connections
        ),
        Measurement(_STORED, "KB", records.rounds(_STORED), [Target(1.0)]),
        Measurement(_LEFT, "KB", records.rounds(_LEFT), [Target(1.0)]),
    ]


def _connected(count: int) -> str:
    return f"memory per idle connection of {count:,}"


def _connect(records: Records, subject: str, command: Sequence[str], counts: Sequence[int]) -> None:
    with run_command(command) as server, ExitStack() as sockets:
        for _ in range(WARM_UP):
            sockets.enter_context(Client(server.port).socket)
        before, open_now = _settled(server), 0
        for count in counts:
            for _ in range(count - open_now):
                sockets.enter_context(Client(server.port).socket)
            open_now = count
            records.add(_connected(count), subject, (_settled(server) - before) / count / 1e3)


def _store(records: Records, folder: Path, sessions: int) -> None:
    """What a gateway takes that finds so many sessions in its file, beyond one that finds a few."""
    sizes = [_size(make_sessions(Path(folder, f"{count}.db"), count).path) for count in (1, sessions)]
    records.add(_STORED, GATEWAY, (sizes[1] - sizes[0]) / sessions / 1e3)


def _size(file: Path) -> int:
    with run_command(gateway_command(f"sqlite:{file}", *_MANY)) as server, Client(server.port).socket:
        return _settled(server)


def _leave(records: Records, subject: str, storage: str, sessions: int) -> None:
    """What a gateway keeps of sessions that were asked something, and then left."""
    with run_command(gateway_command(storage, *_MANY, *_IDLE)) as server:
        _visit(server, WARM_UP)
        before = _settled(server)
        _visit(server, sessions)
        records.add(_LEFT, subject, (_settled(server) - before) / sessions / 1e3)


def _visit(server: Server, sessions: int) -> None:
    for _ in range(0, sessions, AT_ONCE):
        with ExitStack() as sockets:
            clients = [Client(server.port) for _ in range(AT_ONCE)]
            for client in clients:
                sockets.enter_context(client.socket)
                client.chat("Bamboo?")
            for client in clients:
                client.wait_answer()
    time.sleep(DORMANT_TIME)


def _settled(server: Server) -> int:
    server.cpu_time()  # waits until all is done
    return server.memory()


BENCHMARK = Benchmark("memory", "resident memory of what does nothing", run)
