"""An agent without a model: it says back what it is told, so that everything else can be tried offline."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import attrs
import trio

from ..config import number_from, setting
from ..errors import AgentError, InvalidMessageError, UnknownToolError
from ..protocol import strict_json
from ..protocol.messages import Json, TokenUsage
from ..turn import Turn

MAX_TOKENS = 1_000_000
"""Of one `/tokens`: minutes of load, not a night of it."""

MAX_SLEEP = 3600.0
"""Seconds of one `/sleep`: longer than any test waits, shorter than anybody forgets."""

_WORD = re.compile(r"\S+\s*|\s+")
"""A word with the space behind it. Each character is in exactly one match, so the tokens join to the text."""


@attrs.frozen
class EchoAgent:
    """
    Streams the message back word by word, or obeys the command that it begins with.

    What begins with a slash and is no command is a word like any other: a path,
    most likely. Usage counts words.
    """

    word_interval: float = setting(
        "seconds",
        0.02,
        "Time between two words; 0: none.",
        validator=number_from((int, float), 0, "number of seconds"),
    )

    async def __call__(self, turn: Turn) -> TokenUsage:
        """
        Answer one chat.

        Raises:
            AgentError: `/fail`, or a command whose arguments make no sense.
        """
        content = turn.message.content
        name, argument = _halves(content)
        if command := COMMANDS.get(name):
            said = await command.run(self, turn, argument)
        else:
            said = await self.say(turn, content)
        heard = len(content.split())
        return TokenUsage(heard, said, heard + said)

    async def call_tool(self, name: str, args: Json) -> Json:
        """
        Run the tool `echo`, which returns its arguments.

        Raises:
            UnknownToolError: It is any other tool.
        """
        if name != "echo":
            raise UnknownToolError(f"the echo agent's one tool is echo, not {name!r:.80}")
        return args

    async def say(self, turn: Turn, text: str) -> int:
        """Stream *text* word by word; return how many words it has."""
        said = 0
        for word in _WORD.finditer(text):
            if said and self.word_interval:
                await trio.sleep(self.word_interval)
            await turn.token(word.group())
            said += not word.group().isspace()
        return said


async def _help(agent: EchoAgent, turn: Turn, argument: str) -> int:
    return await agent.say(turn, "\n".join(f"{name} {command.does}" for name, command in COMMANDS.items()))


async def _tool(agent: EchoAgent, turn: Turn, argument: str) -> int:
    name, text = _halves(argument)
    if not name:
        raise AgentError('/tool needs a name, such as /tool search {"q": "bamboo"}')
    async with turn.tool(name, _json_or_text(text)) as call:
        call.result = call.args
    return await agent.say(turn, f"The tool {name} has answered.")


def _halves(text: str) -> tuple[str, str]:
    """The first word and what comes after it."""
    first, rest = [*text.split(maxsplit=1), "", ""][:2]
    return first, rest.strip()


def _json_or_text(text: str) -> Json:
    try:
        return strict_json.parse(text) if text else None
    except InvalidMessageError:
        return text


async def _sleep(agent: EchoAgent, turn: Turn, argument: str) -> int:
    try:
        seconds = float(argument)
    except ValueError:
        seconds = -1.0
    # NaN compares false with everything, and is refused, too.
    if not 0 <= seconds <= MAX_SLEEP:
        raise AgentError(f"/sleep needs a number of seconds from 0 to {MAX_SLEEP:.0f}, such as /sleep 1.5")
    await trio.sleep(seconds)
    return await agent.say(turn, f"Slept for {seconds:g} s.")


async def _fail(agent: EchoAgent, turn: Turn, argument: str) -> int:
    raise AgentError(argument or "this turn was asked to fail")


async def _tokens(agent: EchoAgent, turn: Turn, argument: str) -> int:
    try:
        count = int(argument)
    except ValueError:
        count = 0
    if not 1 <= count <= MAX_TOKENS:
        raise AgentError(f"/tokens needs a whole number from 1 to {MAX_TOKENS}, such as /tokens 1000")
    for token in range(1, count + 1):
        await turn.token(f"{token} ")
    return count


async def _history(agent: EchoAgent, turn: Turn, argument: str) -> int:
    last = next((message.content for message in reversed(turn.history) if message.role == "user"), "nothing")
    return await agent.say(turn, f"{len(turn.history)} messages came before this one; you last said: {last}")


@attrs.frozen
class EchoCommand:
    """Something that a chat can ask of the echo agent."""

    does: str
    """The rest of a sentence that begins with its name; arguments are in capitals."""
    run: Callable[[EchoAgent, Turn, str], Awaitable[int]]
    """Answers the turn, and returns how many words it has said."""


COMMANDS: dict[str, EchoCommand] = {
    "/help": EchoCommand("lists these commands", _help),
    "/tool": EchoCommand("NAME [ARGS] calls a tool that returns ARGS, which are JSON or text", _tool),
    "/sleep": EchoCommand("SECONDS answers after so long", _sleep),
    "/fail": EchoCommand("[TEXT] ends the turn with an error", _fail),
    "/tokens": EchoCommand("COUNT streams so many tokens, as fast as possible", _tokens),
    "/history": EchoCommand("tells what came before in this session", _history),
}
