"""The FastAPI example, served by uvicorn in a process of its own, as its users run it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
import trio

from bamboo_gateway.client import Client, ClosedError, connect
from bamboo_gateway.protocol import AgentComplete, AgentToken, AgentToolComplete
from tests.cli.process import HANG, ROOT, environment

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-W", "error", "-m", "uvicorn", "examples.fastapi_app:app", "--port", "0"]


@contextmanager
def serving(bind: str = "127.0.0.1:0") -> Iterator[subprocess.Popen[str]]:
    """The application under uvicorn, on ports of the system's choice."""
    process = subprocess.Popen(
        COMMAND, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment({"BAMBOO_BIND": bind})
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_url(process: subprocess.Popen[str]) -> str:
    """Wait until uvicorn says where it serves."""
    assert process.stderr is not None
    for line in process.stderr:
        if match := re.search(r"running on (http://\S+)", line):
            return match[1]
    raise AssertionError("uvicorn has ended")


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """The application."""
    with serving() as started:
        yield started


@pytest.fixture
async def http(process: subprocess.Popen[str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its HTTP side."""
    async with httpx.AsyncClient(base_url=read_url(process), trust_env=False) as client:
        yield client


@pytest.fixture
async def client(http: httpx.AsyncClient) -> AsyncIterator[Client]:
    """A client of its gateway."""
    url = (await http.get("/gateway")).json()["url"]
    with trio.fail_after(HANG):
        async with connect(url, reconnect=None) as connected:
            yield connected


async def test_requests_speak_through_the_gateway(http: httpx.AsyncClient, client: Client) -> None:
    """A request's words reach everybody, or the session that it names; an unknown one is 404."""
    announced = await http.post("/announcements", params={"text": "the build is green"})
    event = await anext(client)
    assert isinstance(event, AgentToken)
    assert (event.session_id, event.token) == ("*", "the build is green")
    assert announced.json() == {"seq": event.seq}

    noted = await http.post(f"/sessions/{client.session_id}/notes", params={"text": "on its way"})
    event = await anext(client)
    assert isinstance(event, AgentToken)
    assert (event.session_id, event.token) == (client.session_id, "on its way")
    assert noted.json() == {"seq": event.seq}

    unknown = await http.post("/sessions/nobody/notes", params={"text": "hello"})
    assert unknown.status_code == 404


async def test_the_agent_asks_the_application(client: Client) -> None:
    """A tool of the agent, on Trio, has its answer from a coroutine of the application, on asyncio."""
    await client.chat("one two three")
    said: list[object] = []
    async for event in client:
        if isinstance(event, AgentToolComplete):
            said.append(event.result)
        elif isinstance(event, AgentToken):
            said.append(event.token)
        elif isinstance(event, AgentComplete):
            break
    assert said == ["3 words", "You said 3 words."]


async def test_a_stop_lets_go_of_clients_and_ends_well(
    process: subprocess.Popen[str], client: Client
) -> None:
    """SIGTERM drains the gateway with the application: clients are told why, and the process ends with 0."""
    process.send_signal(signal.SIGTERM)
    with pytest.raises(ClosedError) as closed:
        async for _ in client:
            pass
    assert closed.value.code == 1012
    assert await trio.to_thread.run_sync(process.wait, HANG) in {0, -signal.SIGTERM}
    assert process.stderr is not None
    assert "Application shutdown complete" in process.stderr.read()


def test_a_port_that_is_taken_keeps_the_application_from_starting() -> None:
    """The application does not run without its gateway, and uvicorn says why."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        serving(f"127.0.0.1:{taken.getsockname()[1]}") as it,
    ):
        _, said = it.communicate(timeout=HANG)
        assert it.returncode == 3
        assert "Address already in use" in said
