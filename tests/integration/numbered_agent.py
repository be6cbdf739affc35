"""Agents whose answers are numbered step by step: what is lost, repeated or out of order can be seen."""

from __future__ import annotations

import time

import trio

from bamboo_gateway import Turn

STEP_INTERVAL = 0.004
"""Seconds: an answer lasts long enough to be killed in its midst."""

TOOL_EVERY = 10
"""Of so many steps one is a tool call."""


def token(chat_id: str, step: int) -> str:
    """The text of one step."""
    return f"{chat_id}.{step} "


def is_tool(step: int) -> bool:
    """Is this step a call of a tool, and no token?"""
    return step % TOOL_EVERY == TOOL_EVERY - 1


async def forgetful(turn: Turn) -> None:
    """Answer with as many steps as the chat says; knows nothing of earlier gateways."""
    await _answer(turn, first=0)


async def steadfast(turn: Turn) -> None:
    """The same; and go on where an earlier gateway has ended."""
    first = 0
    if turn.partial is not None:
        done = [call for call in turn.partial.tool_calls if call.result is not None]
        first = len(turn.partial.content.split()) + len(done)
    await _answer(turn, first)


steadfast.resume = True  # type: ignore[attr-defined]  # how an agent says that it can go on


async def _answer(turn: Turn, first: int) -> None:
    for step in range(first, int(turn.message.content)):
        await trio.sleep(STEP_INTERVAL)
        if is_tool(step):
            async with turn.tool("count", {"step": step}) as call:
                await trio.sleep(STEP_INTERVAL)
                call.result = str(step)
        else:
            await turn.token(token(turn.message.id or "", step))


async def steady(turn: Turn) -> None:
    """Answer `COUNT INTERVAL SIZE`: tokens at a pace, each of which says when it was spoken."""
    count, interval, size = turn.message.content.split()
    began = trio.current_time()
    for number in range(int(count)):
        await trio.sleep_until(began + number * float(interval))
        await turn.token(f"{time.monotonic_ns()} ".ljust(int(size), "."))
