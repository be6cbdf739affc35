"""
The gateway beside OpenClaw itself: `make bench-openclaw`, which installs 768 MB for it.

What both can do: start, sit idle, and answer a small call (`gateway.stats`; OpenClaw's `system-presence`).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import click

from .client import Client, to_json
from .crowd import open_crowd
from .report import print_result
from .results import GATEWAY, Measurement, Result
from .server import Server, allow_many_files, gateway_command, run_command
from .speech import PLAIN, Speech
from .workloads.ping import CALL, IN_FLIGHT, ask

NAME = "OpenClaw"
WARM_UP = 2000
CALLS = 5000
START_TIMEOUT = 90.0

_CONNECT = to_json(
    type="req",
    id="0",
    method="connect",
    params={
        "minProtocol": 4,
        "maxProtocol": 4,
        # What its own tools on the same machine are, which need no pairing of a device.
        "client": {"id": "gateway-client", "version": "1", "platform": "linux", "mode": "backend"},
        "role": "operator",
        "scopes": ["operator.read"],
        "auth": {"token": "benchmark"},
    },
)
PRESENCE = to_json(type="req", id="1", method="system-presence", params={})

SPEECH = Speech(
    "/",
    lambda message: message,
    lambda got, _: _CONNECT if got is not None and b"connect.challenge" in got else None,
    b'"hello-ok"',
)


@attrs.frozen
class Candidate:
    """One of the two."""

    start: Callable[[], Any]
    """A context manager that runs it, once it has accepted a first client."""
    speech: Speech
    call: bytes


def run(folder: Path, rounds: int) -> Result:
    """Let each take its turn in each round."""
    candidates = {
        GATEWAY: Candidate(_start_gateway, PLAIN, CALL),
        NAME: Candidate(partial(_start_openclaw, folder), SPEECH, PRESENCE),
    }
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            for what, value in _measure(candidate):
                found.setdefault(what, {each: [] for each in candidates})[name].append(value)
    measurements = [Measurement(what, unit, values) for (what, unit), values in found.items()]
    return Result("openclaw", "The gateway beside OpenClaw", measurements)


def _measure(candidate: Candidate) -> Iterator[tuple[tuple[str, str], float]]:
    started = time.monotonic()
    with candidate.start() as server:
        yield ("start to first connect", "s"), time.monotonic() - started
        time.sleep(2.0)  # it goes on with what it does after a start
        yield ("idle memory", "MB"), server.memory() / 1e6
        for what, connections, in_flight in (
            ("in sequence", 1, 1),
            (f"{IN_FLIGHT} in flight", 1, IN_FLIGHT),
            ("50 connections", 50, 1),
        ):
            with open_crowd(server.port, connections, speech=candidate.speech, protocol=2) as crowd:
                ask(crowd, candidate.call, WARM_UP, in_flight)
                started = time.monotonic()
                ask(crowd, candidate.call, CALLS, in_flight)
                yield (f"calls, {what}", "1/s"), CALLS / (time.monotonic() - started)


@contextmanager
def _start_gateway() -> Iterator[Server]:
    with run_command(gateway_command("memory:")) as server:
        Client(server.port).socket.close()
        yield server


@contextmanager
def _start_openclaw(folder: Path) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    modules = folder / "node_modules"
    with TemporaryDirectory(prefix="bamboo-benchmark-") as state:
        config = Path(state, "openclaw.json")
        auth = {"mode": "token", "token": "benchmark"}
        config.write_text(json.dumps({"gateway": {"mode": "local", "auth": auth}}))
        environment = {
            **os.environ,
            "OPENCLAW_STATE_DIR": state,
            "OPENCLAW_HOME": state,
            "OPENCLAW_CONFIG_PATH": str(config),
            "OPENCLAW_SKIP_CHANNELS": "1",
            "OPENCLAW_DISABLE_BONJOUR": "1",
            "OPENCLAW_NO_RESPAWN": "1",
        }
        program = (str(modules / "node/bin/node"), str(modules / "openclaw/openclaw.mjs"))
        with subprocess.Popen(
            [*program, "gateway", "run", "--port", str(port), "--bind", "loopback"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                _wait_for(port)
                yield Server(process.pid, port)
            finally:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()


def _wait_for(port: int) -> None:
    """Connect, again and again, until it is accepted."""
    give_up = time.monotonic() + START_TIMEOUT
    while True:
        try:
            Client(port, SPEECH).socket.close()
            return
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", default=3, show_default=True, help="Turns that each takes.")
def main(folder: Path, rounds: int) -> None:
    """Compare the gateway with the OpenClaw that npm has installed in FOLDER."""
    allow_many_files()
    result = run(folder.absolute(), rounds)
    print_result(result)


if __name__ == "__main__":
    main()
