"""SIGUSR1 against the real process: what its tasks do is shown, what they hold is not."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import trio
from trio_websocket import open_websocket_url

from .process import HANG, Serving, serving

SECRET = "sesame-4711"

AGENT = """
import contextlib, trio

class Hider:
    def __init__(self, secret): self.secret, self.sleep = secret, trio.sleep_forever().__await__()
    def __repr__(self): return self.secret
    def __await__(self): return self
    def __next__(self): return next(self.sleep)
    def send(self, value): return self.sleep.send(value)
    def throw(self, *args): return self.sleep.throw(*args)

@contextlib.contextmanager
def holding(secret):
    yield

async def agent(turn):
    with holding(turn.message.content), contextlib.ExitStack() as stack:
        stack.enter_context(holding(secret=Hider(turn.message.content)))
        await turn.token("here")
        await Hider(turn.message.content)
"""


def _tree(server: Serving) -> str:
    """Ask for the tree, and read it: an empty line ends it."""
    assert server.process.stderr is not None
    server.process.send_signal(signal.SIGUSR1)
    lines = iter(server.process.stderr.readline, "\n")
    return "".join(lines)


def _end(server: Serving) -> tuple[int, str]:
    """Stop it; what it still says comes by the buffer that the trees came by."""
    assert server.process.stderr is not None
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(HANG), server.process.stderr.read()


async def _chat(url: str, told: trio.Event, heard: trio.Event) -> None:
    async with open_websocket_url(url) as websocket:
        await websocket.send_message(f'{{"type": "connect", "auth": "{SECRET}", "session_id": "s"}}')
        session = json.loads(await websocket.get_message())["session_id"]
        await websocket.send_message(f'{{"type": "chat", "session_id": "{session}", "content": "{SECRET}"}}')
        while "agent_token" not in await websocket.get_message():
            pass
        heard.set()
        await told.wait()


@pytest.mark.integration
async def test_the_tree_shows_what_tasks_do_and_no_value_that_they_hold(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    """Functions and lines of each task are there, of agents too; but no token and no message."""
    (tmp_path / "hiding.py").write_text(AGENT)
    env = {"PYTHONPATH": str(tmp_path), "BAMBOO_AUTH_TOKEN": SECRET, "BAMBOO_AGENT": "python:hiding:agent"}
    told, heard = trio.Event(), trio.Event()
    with serving("--log-level", "error", "--drain-timeout", "0.5", env=env) as server:
        nursery.start_soon(_chat, server.url, told, heard)
        await heard.wait()
        first = await trio.to_thread.run_sync(_tree, server)
        second = await trio.to_thread.run_sync(_tree, server)  # it has gone on
        told.set()
        code, rest = await trio.to_thread.run_sync(_end, server)
    for part in ("SessionRegistry.run", "run_heartbeat", "run_reader", "agent in hiding", "with holding("):
        assert part in first
        assert part in second
    assert SECRET not in first + second + rest
    assert code == 0


@pytest.mark.integration
def test_without_stackscope_one_line_says_what_to_install(tmp_path: Path) -> None:
    """The process goes on, and ends as ever."""
    (tmp_path / "stackscope.py").write_text("raise ModuleNotFoundError(name='stackscope')\n")
    with serving(env={"PYTHONPATH": str(tmp_path)}) as server:
        assert server.process.stderr is not None
        server.process.send_signal(signal.SIGUSR1)
        assert "pip install 'bamboo-gateway[debug]'" in server.process.stderr.readline()
        code, _, _ = server.stop()
    assert code == 0
