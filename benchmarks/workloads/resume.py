"""Clients whose sessions have gone on without them come back in a storm, and read what they have missed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ..client import Client
from ..crowd import Crowd, open_crowd, open_crowd_of
from ..peers import PEERS
from ..results import GATEWAY, Benchmark, Measurement, Target
from ..scale import Scale
from ..server import Server, run_command

STORM = 5000
"""Clients of the target."""

MANY = 256
"""That connect at a time."""


def run(scale: Scale) -> Sequence[Measurement]:
    """Fill the sessions once; they come back in each round, from the beginning of their logs."""
    seconds: list[float] = []
    costs: list[float] = []
    with run_command(PEERS[GATEWAY].command) as server:
        connects = _fill(server, scale)
        for _ in range(scale.resume_rounds):
            before, started = server.cpu_time(), time.monotonic()
            with ExitStack() as stack:
                crowd = stack.enter_context(open_crowd_of(server.port, connects, many=MANY))
                _catch_up(crowd, connects)
                seconds.append((time.monotonic() - started) * STORM / len(connects))
                costs.append((server.cpu_time() - before) / len(connects) * 1e6)
            server.cpu_time()  # until it is through with their leaving
    return [
        Measurement("time for 5,000 resumes", "s", {GATEWAY: seconds}, [Target(10.0)]),
        Measurement("resumes", "1/s", {GATEWAY: [STORM / each for each in seconds]}),
        Measurement("server CPU per resume", "µs", {GATEWAY: costs}),
    ]


def _fill(server: Server, scale: Scale) -> Sequence[dict[str, Any]]:
    """Have each session's agent say what will be missed; returns what each client says to resume."""
    with open_crowd(server.port, scale.resumes, protocol=2) as crowd:
        for client in crowd.clients:
            client.say(type="chat", session_id=client.connected["session_id"], content=str(scale.missed))
        crowd.receive(scale.resumes, lambda _, message: b'"agent_complete"' in message)
        return [
            {
                "protocol": 2,
                "session_id": client.connected["session_id"],
                "epoch": client.connected["epoch"],
                "last_seq": client.connected["last_seq"],
            }
            for client in crowd.clients
        ]


def _catch_up(crowd: Crowd, connects: Sequence[dict[str, Any]]) -> None:
    """Read until each client has what came last."""
    for client, connect in zip(crowd.clients, connects, strict=True):
        assert client.connected["resumed"], client.connected
        assert client.connected["session_id"] == connect["session_id"]
    missing = len(crowd.clients)
    for client in crowd.clients:
        missing -= sum(_is_last(client, message) for message in client.taken())
    crowd.receive(missing, _is_last)


def _is_last(_: Client, message: bytes) -> bool:
    return b'"agent_complete"' in message


BENCHMARK = Benchmark("resume", "Resume storm: 5,000 clients with 50 missed events each", run)
