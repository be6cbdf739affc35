"""What a line can ask of the chat itself, rather than of the agent."""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

_COMMAND = re.compile(r":[a-z]+(?=\s|$)")


@attrs.frozen
class LineCommand:
    """A line that is for the chat itself."""

    name: str
    argument: str


LINE_COMMANDS: Mapping[str, str] = {
    ":help": "what can be done here",
    ":sessions": "pick another session",
    ":new": "begin a new session",
    ":history": "show the last messages again: 20, or as many as you say",
    ":abort": "end the answer that is under way, whoever has asked for it",
    ":quit": "leave, as Ctrl-D does; the session stays",
}
"""Each with what it does. They begin with a colon, for agents have commands that begin with `/`."""

HELP = "\n".join(
    [
        *(f"{name:<10} {does}" for name, does in LINE_COMMANDS.items()),
        "",
        "Enter      say what is typed; a \\ before it, or Alt-Enter: a line break",
        "Ctrl-C     abort the answer; without one, empty the input line, or leave",
        "Up, Down   what was said before; Ctrl-R searches there",
        "Tab        complete what begins with : or /",
        "",
        "A line that begins with a blank is said as it is, whatever comes then.",
    ]
)


def parse_line(line: str) -> LineCommand | None:
    """
    See whether *line* is for the chat itself; None: it is for the agent.

    Whatever looks like such a command is one: a slip shall not be sent to a model.
    """
    found = _COMMAND.match(line)
    if found is None:
        return None
    return LineCommand(found.group(), line[found.end() :].strip())
