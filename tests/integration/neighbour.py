"""A client that behaves, on the real gateway, beside whoever does not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from tests.cli.process import Serving
from tests.integration.size import HANG
from tests.stream_client import StreamClient, dial

AGENT = "python:tests.integration.hostile_agent:agent"
"""What the gateway has to be served with: its tool `held` tells what the process holds."""

MAX_GROWTH_KB = 8 * 1024
"""What a process may occupy more after an attack: less than any attack here has sent it."""


@attrs.frozen
class Held:
    """What the gateway's process holds."""

    connections: int
    watchers: int
    turns: int
    tasks: int
    descriptors: int


class Neighbour:
    """
    A client that chats, counts and looks around.

    Invariant, which `check` proves: its pings come back, its words come back to
    the letter, and its events have neither holes nor doubles.
    """

    def __init__(self, client: StreamClient, pid: int) -> None:
        self.latencies: list[float] = []
        """Seconds of each check."""
        self._client = client
        self._pid = pid
        self._said = 0
        self._seq = 0
        self._held = Held(0, 0, 0, 0, 0)
        self._rss_kb = 0

    async def settle(self) -> None:
        """Connect, and take what there is now for the normal state of affairs."""
        await self._client.connect(protocol=2)
        for _ in range(3):
            await self.check()
        self._held = await self.held()
        self._rss_kb = self.rss_kb()

    async def check(self) -> None:
        """Say something and ping; both must be answered as ever."""
        began = trio.current_time()
        self._said += 1
        await self._client.say("ping", timestamp=-self._said)
        assert await self._client.next() == {"type": "pong", "timestamp": -self._said}
        text = f"word {self._said} of many "
        await self._client.say("chat", content=text, session_id=self._client.session_id)
        assert await self._answer() == text
        self.latencies.append(trio.current_time() - began)

    async def check_on(self) -> None:
        """The same, over and over, until cancelled."""
        while True:
            with trio.CancelScope(shield=True):
                await self.check()
            await trio.sleep(0.02)

    async def check_alone(self, max_growth_kb: int = MAX_GROWTH_KB) -> None:
        """The same, once nothing is left of the others: no task, no descriptor, no watcher, no memory."""
        found = await self.held()
        with trio.move_on_after(HANG):
            while not self._is_as_before(found):
                found = await self.held()
        assert self._is_as_before(found), (found, self._held)
        await self.check()
        grown = self.rss_kb() - self._rss_kb
        assert grown <= max_growth_kb, f"{grown} KiB more than before"

    def _is_as_before(self, found: Held) -> bool:
        return all(now <= then for now, then in zip(_numbers(found), _numbers(self._held), strict=True))

    async def _answer(self) -> str:
        said = ""
        assert (await self._client.next())["type"] == "chat_accepted"
        while True:
            event = await self._client.next()
            self._seq += 1
            assert event["seq"] == self._seq, event
            if event["type"] == "agent_complete":
                return said
            said += event.get("token", "")

    async def command(self, name: str, **args: object) -> Any:
        """What a command comes to."""
        await self._client.say("command", name=name, args=args)
        answer = await self._client.next()
        assert (answer["type"], answer["ok"]) == ("command_result", True), answer
        return answer["result"]

    async def held(self) -> Held:
        """What the gateway holds now."""
        stats = (await self.command("gateway.stats"))["statistics"]
        process = await self.command("held")
        return Held(
            stats["connections"]["open"],
            stats["registry"]["table"]["watchers"],
            stats["turns"]["running"],
            process["tasks"],
            process["descriptors"],
        )

    def rss_kb(self) -> int:
        """What the gateway occupies."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1])


def _numbers(held: Held) -> Sequence[int]:
    return attrs.astuple(held)


def port_of(served: Serving) -> int:
    """Where a gateway listens."""
    return int(served.url.rsplit(":", 1)[1])


@asynccontextmanager
async def beside(served: Serving, max_growth_kb: int = MAX_GROWTH_KB) -> AsyncIterator[Neighbour]:
    """
    A neighbour, which goes on chatting while the block runs.

    When it is left, nothing may remain of what was done in it.
    """
    async with dial("127.0.0.1", port_of(served)) as client:
        neighbour = Neighbour(client, served.process.pid)
        await neighbour.settle()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(neighbour.check_on)
            yield neighbour
            nursery.cancel_scope.cancel()
        await neighbour.check_alone(max_growth_kb)
