"""An agent that does what the chat tells it, step by step, and waits where a test holds it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import attrs
import trio

from bamboo_gateway import AgentError, Turn
from bamboo_gateway.protocol import TokenUsage, strict_json
from tests.browser.scenes import SCENES, TEXTS

GATES_VARIABLE = "SCRIPTED_AGENT_GATES"
"""The environment variable that names the folder of the gates: a gate is open when its file is there."""

WORD_INTERVAL = 0.004
"""Seconds: what is streamed can be seen to be."""

TOOL_TIME = 0.02
"""Seconds that a tool takes: more than none."""

LOOK_INTERVAL = 0.01
"""Seconds between two looks at a gate."""


@attrs.define
class Telling:
    """One turn as it is told."""

    turn: Turn
    known_words: int
    """Numbered words that an earlier gateway has heard."""
    words: int = 0
    """Numbered words up to here."""


async def answer(turn: Turn) -> TokenUsage:
    """
    Carry out the steps of the chat, which `; ` parts; a scene is a chat that stands for steps.

    Raises:
        AgentError: A step says so, or is none.
    """
    script = SCENES.get(turn.message.content, turn.message.content)
    telling = Telling(turn, len(turn.partial.content.split()) if turn.partial else 0)
    for step in script.split("; "):
        name, _, argument = step.partition(" ")
        if name not in STEPS:
            raise AgentError(f"{name!r:.40} is no step")
        await STEPS[name](telling, argument)
    return TokenUsage(12, telling.words, 12 + telling.words)


answer.resume = True  # type: ignore[attr-defined]  # how an agent says that it can go on


async def _words(telling: Telling, argument: str) -> None:
    """`words 5`: as many numbered words; numbers go on over the whole turn, also over a restart."""
    for _ in range(int(argument)):
        telling.words += 1
        if telling.words > telling.known_words:
            await trio.sleep(WORD_INTERVAL)
            await telling.turn.token(f"w{telling.words} ")


async def _flood(telling: Telling, argument: str) -> None:
    """`flood 2000`: so many numbered words, as fast as they are taken."""
    for number in range(int(argument)):
        await telling.turn.token(f"f{number} ")


async def _hold(telling: Telling, argument: str) -> None:
    """`hold a`: wait until gate `a` is open."""
    gate = Path(os.environ[GATES_VARIABLE]) / argument
    while not gate.exists():  # noqa: ASYNC110 -- what another process does sets no event of ours
        await trio.sleep(LOOK_INTERVAL)


async def _say(telling: Telling, argument: str) -> None:
    """`say attack`: that text, in pieces that end anywhere."""
    text = TEXTS[argument]
    for start in range(0, len(text), 7):
        await trio.sleep(WORD_INTERVAL / 4)
        await telling.turn.token(text[start : start + 7])


async def _tool(telling: Telling, argument: str) -> None:
    """
    `tool look {"at":1} => seen`: call a tool that returns `seen`, by default its arguments.

    `=> !why` fails, which is not the end of the turn; `=> @a seen` waits at gate `a`.
    """
    call_of, _, outcome = argument.partition(" => ")
    name, _, text = call_of.partition(" ")
    with suppress(AgentError):
        async with telling.turn.tool(name, strict_json.parse(text) if text else {}) as call:
            await trio.sleep(TOOL_TIME)
            if outcome.startswith("@"):
                gate, _, outcome = outcome[1:].partition(" ")
                await _hold(telling, gate)
            if outcome.startswith("!"):
                raise AgentError(outcome[1:])
            call.result = outcome or call.args


async def _fail(telling: Telling, argument: str) -> None:
    """`fail why`: end the turn with an error."""
    raise AgentError(argument)


STEPS: dict[str, Callable[[Telling, str], Awaitable[None]]] = {
    "words": _words,
    "flood": _flood,
    "hold": _hold,
    "say": _say,
    "tool": _tool,
    "fail": _fail,
}
"""What a script can be made of."""
