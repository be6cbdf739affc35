"""What is logged inside a turn or a connection says whose it is, whoever logs it and in whatever way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from trio_websocket import open_websocket_url

from ..cli.process import serving

TRACE = "0af7651916cd43dd8448eb211c80319c"

AGENT = """
import logging, structlog, trio

class Agent:
    async def __call__(self, turn):
        structlog.get_logger().info("by structlog", n=1)
        logging.getLogger("a.library").warning("by %s", "logging")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.child)
        await trio.to_thread.run_sync(logging.getLogger("a.library").error, "in a thread")
        raise ValueError("secret " + turn.message.content)

    async def child(self):
        structlog.get_logger().info("in a child")

    async def call_tool(self, name, args):
        structlog.get_logger().info("in a tool")

agent = Agent()
"""


async def _speak(url: str) -> str:
    """Chat and call a tool; return the session."""
    async with open_websocket_url(url) as websocket:

        async def say(**message: Any) -> None:
            await websocket.send_message(json.dumps(message))

        async def hear(kind: str) -> dict[str, Any]:
            while True:
                event: dict[str, Any] = json.loads(await websocket.get_message())
                if event["type"] == kind:
                    return event

        await say(type="connect", protocol=2)
        session: str = (await hear("connected"))["session_id"]
        metadata = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        await say(type="chat", session_id=session, content="hello", metadata=metadata)
        await hear("error")
        await say(type="command", name="look", args={})
        await hear("command_result")
    return session


@pytest.mark.integration
async def test_every_line_says_whose_it_is(tmp_path: Path) -> None:
    """Lines of an agent have `session`, `run` and `trace_id`, and those of a connection its session."""
    (tmp_path / "chatty.py").write_text(AGENT)
    env = {"PYTHONPATH": str(tmp_path), "BAMBOO_AGENT": "python:chatty:agent"}
    with serving("--log-format", "json", env=env) as server:
        with trio.fail_after(30):
            session = await _speak(server.url)
        _, _, err = await trio.to_thread.run_sync(server.stop)
    lines = {line["event"]: line for line in map(json.loads, err.splitlines())}
    of_the_turn = ["by structlog", "by logging", "in a child", "in a thread", "agent raised"]
    assert {(lines[each]["session"], lines[each]["trace_id"]) for each in of_the_turn} == {(session, TRACE)}
    [run] = {lines[each]["run"] for each in of_the_turn}
    assert len(run) == 36
    assert lines["in a tool"]["session"] == session
    assert "run" not in lines["in a tool"], "a command is no part of a turn"
    assert lines["by logging"]["level"] == "warning"
    for text, line in zip(err.splitlines(), map(json.loads, err.splitlines()), strict=True):
        assert list(line)[:3] == ["timestamp", "level", "event"], text


@pytest.mark.integration
async def test_a_traceback_has_no_values(tmp_path: Path) -> None:
    """It names functions and lines, and the error; not what the variables held."""
    (tmp_path / "chatty.py").write_text(AGENT.replace('"secret " + turn.message.content', '"oh"'))
    env = {"PYTHONPATH": str(tmp_path), "BAMBOO_AGENT": "python:chatty:agent"}
    for log_format in ("json", "text"):
        with serving("--log-format", log_format, env=env) as server:
            with trio.fail_after(30):
                await _speak(server.url)
            _, _, err = await trio.to_thread.run_sync(server.stop)
        assert "ValueError: oh" in err
        assert "hello" not in err
