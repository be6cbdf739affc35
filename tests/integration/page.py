"""A page in the hand of a test: the browser client in a Node process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, TypeAlias

import attrs
import trio

from bamboo_gateway.client.nursery import open_background_nursery
from tests.integration.conftest import NODE_FOLDER
from tests.integration.size import HANG
from tests.plain_wire import Event

Line: TypeAlias = dict[str, Any]
"""Something that the page has told: see `node/page.mjs`."""


LOGGED = {
    "agent_token",
    "agent_tool_start",
    "agent_tool_complete",
    "agent_complete",
    "agent_start",
    "user_message",
    "channel_message",
}
"""The kinds of events that stand in logs."""

STEPS = 25
"""Of each answer of an agent that counts: a tenth of a second."""

SOON = {"firstInterval": 0.001, "maxInterval": 0.05, "giveUpTimeout": HANG}
"""How a page comes back that cannot wait."""


def counting(storage: str, *more: str) -> list[str]:
    """How to serve an agent that counts, and goes on where an earlier gateway has ended."""
    agent = "python:tests.integration.numbered_agent:steadfast"
    return ["--agent", agent, "--storage", storage, "--log-level", "warning", *more]


def ended(events: Sequence[Event]) -> set[str]:
    """The ids of the chats whose turn is over."""
    asked = {event["run_id"]: event["id"] for event in events if event["type"] == "user_message"}
    return {asked[event["run_id"]] for event in events if event["type"] == "agent_complete"}


class PageError(Exception):
    """The client has rejected; the arguments are the error's name, code and message."""


@attrs.define(eq=False)
class Page:
    """One page, from its loading to its end."""

    connected: Event
    lines: list[Line] = attrs.field(factory=list)
    """All that it has told of since it was connected."""
    cursor: Line | None = None
    """How far it has read."""
    _process: trio.Process = attrs.field(kw_only=True)
    _changed: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _keys: count[int] = attrs.field(factory=count, init=False)
    _answers: dict[int, Line] = attrs.field(factory=dict, init=False)

    @property
    def events(self) -> list[Event]:
        """What it was told by the gateway."""
        return [line["event"] for line in self.lines if "event" in line]

    def news(self, name: str) -> list[Line]:
        """What the client itself had to say, of one kind."""
        return [line for line in self.lines if line.get("news") == name]

    async def chat(self, content: str, chat_id: str) -> Event:
        """Send a chat; return what it was answered."""
        answer: Event = await self._do("chat", content=content, id=chat_id)
        return answer

    async def command(self, name: str, args: object = None) -> Any:
        """Run a command; return its result."""
        return await self._do("command", name=name, args=args)

    async def close(self) -> None:
        """Have the client closed."""
        await self._do("close")

    async def until(self, is_so: Callable[[Page], bool]) -> None:
        """Wait until something holds."""
        with trio.fail_after(HANG):
            while not is_so(self):
                await self._changed.park()

    async def _do(self, action: str, **fields: object) -> Any:
        key = next(self._keys)
        text = json.dumps({"action": action, "key": key, **fields})
        assert self._process.stdin is not None
        await self._process.stdin.send_all(f"{text}\n".encode())
        await self.until(lambda page: key in page._answers)
        answer = self._answers.pop(key)
        if error := answer.get("error"):
            raise PageError(error["name"], error.get("code"), error["message"])
        return answer["answer"]

    async def _listen(self, lines: _Lines) -> None:
        while (line := await lines.next()) is not None:
            if "key" in line:
                self._answers[line["key"]] = line
            else:
                self.lines.append(line)
                self.cursor = line.get("cursor", self.cursor)
            self._changed.unpark_all()


class _Lines:
    """What a process says, line by line."""

    def __init__(self, process: trio.Process) -> None:
        assert process.stdout is not None
        self._stdout = process.stdout
        self._text = b""

    async def next(self) -> Line | None:
        """Wait for the next; None: it has ended."""
        while b"\n" not in self._text:
            data = await self._stdout.receive_some()
            if not data:
                return None
            self._text += data
        line, _, self._text = self._text.partition(b"\n")
        told: Line = json.loads(line)
        return told


@asynccontextmanager
async def load(node: str, url: str, **options: object) -> AsyncIterator[Page]:
    """
    Load a page that connects to *url*; when the block is left, it is gone from one moment to the next.

    Raises:
        PageError: It did not get a connection.
    """
    process = await trio.lowlevel.open_process(
        [node, "page.mjs", url, json.dumps(options)],
        cwd=NODE_FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        lines = _Lines(process)
        with trio.fail_after(HANG):
            first = await lines.next()
        assert first is not None, "the page has failed; see its stderr"
        if error := first.get("error"):
            raise PageError(error["name"], error.get("code"), error["message"])
        page = Page(first["connected"], process=process)
        async with open_background_nursery() as nursery:
            nursery.start_soon(page._listen, lines)
            yield page
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
        for end in (process.stdin, process.stdout):
            if end is not None:
                await trio.aclose_forcefully(end)
