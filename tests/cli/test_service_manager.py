"""What a service manager is told: by the parts, and by the real process over a real socket."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from bamboo_gateway.cli.service_manager import STOP_MARGIN, ServiceManager

from .process import HANG, Serving, serving


class Told:
    """The other end: what a service manager hears."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def next(self) -> dict[str, str]:
        """Wait for a message; its lines by their names."""
        return dict(line.split("=", 1) for line in self._sock.recv(4096).decode().split("\n"))


@contextmanager
def listening(address: str) -> Iterator[Told]:
    """A service manager at *address*, where a leading NUL is a name without a file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        sock.settimeout(HANG)
        yield Told(sock)


# ── by the parts ─────────────────────────────────────────────────────────────


def test_it_is_found_in_the_environment_and_taken_out() -> None:
    """What an agent starts shall not speak for the gateway, nor think that it is watched."""
    environ = {
        "NOTIFY_SOCKET": "/run/x",
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
        "A": "b",
    }
    assert ServiceManager.take_from(environ) == ServiceManager("/run/x", 60.0)
    assert environ == {"A": "b"}


@pytest.mark.parametrize(
    ("environ", "manager"),
    [
        ({}, ServiceManager()),
        ({"NOTIFY_SOCKET": ""}, ServiceManager()),
        ({"WATCHDOG_USEC": "1000000"}, ServiceManager()),
        ({"NOTIFY_SOCKET": "@x"}, ServiceManager("@x")),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000000"}, ServiceManager("@x", 1.0)),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, ServiceManager("@x")),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"}, ServiceManager("@x")),
        ({"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}, ServiceManager("@x")),
    ],
)
def test_what_is_not_meant_for_this_process_is_left_out(
    environ: dict[str, str], manager: ServiceManager
) -> None:
    """Without a socket nobody is told; a watchdog of another process, or of no length, is none."""
    assert ServiceManager.take_from(environ) == manager


@pytest.mark.parametrize("is_abstract", [False, True])
async def test_each_message_is_one_datagram(tmp_path: Path, is_abstract: bool) -> None:
    """To a socket with a file or without one."""
    name = str(tmp_path / "notify")
    manager = ServiceManager(f"@{name}" if is_abstract else name)
    with listening(f"\0{name}" if is_abstract else name) as told:
        await manager.tell_ready("listening on ws://127.0.0.1:1")
        assert told.next() == {"READY": "1", "STATUS": "listening on ws://127.0.0.1:1"}
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        await manager.tell_reloading()
        said = told.next()
        assert said.keys() == {"RELOADING", "MONOTONIC_USEC"}
        assert before <= int(said["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        await manager.tell_reloaded()
        assert told.next() == {"READY": "1"}


@pytest.mark.parametrize(("drain_timeout", "extension"), [(30.0, str(40_000_000)), (0.0, None)])
async def test_a_stop_is_given_the_time_that_turns_have(
    tmp_path: Path, drain_timeout: float, extension: str | None
) -> None:
    """The drain's, and what comes after it; where that has no end, none can be named."""
    assert STOP_MARGIN == 10.0
    name = str(tmp_path / "notify")
    with listening(name) as told:
        await ServiceManager(name).tell_stopping(drain_timeout)
        said = told.next()
    assert said["STOPPING"] == "1"
    assert said.get("EXTEND_TIMEOUT_USEC") == extension


async def test_where_nobody_listens_it_goes_on(tmp_path: Path) -> None:
    """A gateway that cannot be supervised serves all the same; one line says so."""
    with capture_logs() as lines:
        await ServiceManager(str(tmp_path / "nobody")).tell_ready("")
    assert [(line["event"], line["message"]) for line in lines] == [("service manager not told", "READY=1")]
    with capture_logs() as lines:
        await ServiceManager().tell_ready("")
    assert lines == []


async def test_one_that_does_not_read_holds_nothing_up(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """Its queue is full: the message is given up after a second."""
    name = str(tmp_path / "notify")
    with listening(name), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as flood:
        flood.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                flood.sendto(b"x", name)
        with capture_logs() as lines:
            await ServiceManager(name).tell_ready("")
    assert [line["error"] for line in lines] == ["it does not read"]


async def test_signs_of_life_come_three_times_as_often_as_they_are_waited_for(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    """So two may come late; where none is waited for, none is sent."""
    name = str(tmp_path / "notify")
    with listening(name) as told:
        with trio.move_on_after(59):
            await ServiceManager(name, 60.0).run_watchdog()
        assert [told.next() for _ in range(3)] == [{"WATCHDOG": "1"}] * 3
        await ServiceManager(name).run_watchdog()
        await ServiceManager(name).tell_reloaded()
        assert told.next() == {"READY": "1"}


# ── by the real process ──────────────────────────────────────────────────────


def _drain(server: Serving) -> None:
    code, _, log = server.stop()
    assert (code, "Traceback" in log) == (0, False), log


@pytest.mark.integration
def test_a_supervised_gateway_tells_what_becomes_of_it(tmp_path: Path) -> None:
    """Ready when it listens, reloading and ready again at SIGHUP, stopping at SIGTERM."""
    name = str(tmp_path / "notify")
    with listening(name) as told:
        env = {"NOTIFY_SOCKET": name}
        with serving("--drain-timeout", "5", env=env) as server:
            assert told.next() == {"READY": "1", "STATUS": server.line.strip()}
            server.process.send_signal(signal.SIGHUP)
            assert told.next()["RELOADING"] == "1"
            assert told.next() == {"READY": "1"}
            _drain(server)
            assert told.next()["EXTEND_TIMEOUT_USEC"] == "15000000"


@pytest.mark.integration
def test_a_gateway_that_cannot_start_is_never_ready(tmp_path: Path) -> None:
    """Nothing is told before it listens."""
    name = str(tmp_path / "notify")
    with listening(name) as told, serving() as first:
        with serving("--bind", first.url.removeprefix("ws://"), env={"NOTIFY_SOCKET": name}) as second:
            assert second.process.wait(HANG) == 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.sendto(b"OTHER=1", name)
        assert told.next() == {"OTHER": "1"}


@pytest.mark.integration
def test_a_watched_gateway_gives_signs_of_life(tmp_path: Path) -> None:
    """From its event loop, so one that hangs gives none."""
    name = str(tmp_path / "notify")
    with listening(name) as told:
        with serving(env={"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "300000"}) as server:
            kinds = [told.next() for _ in range(8)]
            _drain(server)
        assert sum("WATCHDOG" in each for each in kinds) >= 6
