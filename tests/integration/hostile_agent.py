"""An agent that does what no agent should, if it is asked to; and that tells what its process holds."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import trio

from bamboo_gateway import Turn
from bamboo_gateway.errors import UnknownToolError
from bamboo_gateway.protocol.messages import Json
from tests.integration.numbered_agent import steadfast

SECRET = "hunter2"
"""In the error that it raises: a client must not read it."""


class HostileAgent:
    """Says the message back; counts, where it is a number; or does one of `_DEEDS`."""

    async def __call__(self, turn: Turn) -> None:
        """Answer one chat."""
        if turn.message.content.isdigit():
            await steadfast(turn)
            return
        deed = _DEEDS.get(turn.message.content)
        if deed is not None:
            await deed(turn)
            return
        for word in turn.message.content.split():
            await turn.token(f"{word} ")

    async def call_tool(self, name: str, args: Json) -> Json:
        """
        Tell what the process holds (`held`), or never answer (`hang`).

        Raises:
            UnknownToolError: It is any other tool.
        """
        if name == "hang":
            await trio.sleep_forever()
        if name != "held":
            raise UnknownToolError(f"no tool {name}")
        tasks = trio.lowlevel.current_statistics().tasks_living
        return {"tasks": tasks, "descriptors": len(list(Path("/dev/fd").iterdir()))}


async def _hang(turn: Turn) -> None:
    await turn.token("I shall never end")
    await trio.sleep_forever()


async def _flood(turn: Turn) -> None:
    while True:
        await turn.token("x" * 1000)


async def _fail(turn: Turn) -> None:
    await turn.token("so far ")
    raise RuntimeError(f"the password is {SECRET}")


async def _fail_twice(turn: Turn) -> None:
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(_fail, turn)


async def _swallow(turn: Turn) -> None:
    """Go on for a while as if nothing had been said."""
    with suppress(trio.Cancelled):  # the very thing that agents must not do
        await _hang(turn)
    with trio.move_on_after(0.2, shield=True):
        while True:
            await turn.token("still here ")
            await trio.sleep(0.01)


async def _swallow_and_fail(turn: Turn) -> None:
    try:
        await _hang(turn)
    except trio.Cancelled:
        raise RuntimeError(SECRET) from None


_DEEDS = {
    "hang": _hang,
    "flood": _flood,
    "raise": _fail,
    "raise twice": _fail_twice,
    "swallow": _swallow,
    "swallow and raise": _swallow_and_fail,
}

agent = HostileAgent()
