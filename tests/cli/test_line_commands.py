from __future__ import annotations

import pytest

from bamboo_gateway.agents.echo import COMMANDS
from bamboo_gateway.cli.line_commands import HELP, LINE_COMMANDS, LineCommand, parse_line


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (":help", LineCommand(":help", "")),
        (":history 20 ", LineCommand(":history", "20")),
        (":hepl", LineCommand(":hepl", "")),
        (" :help", None),
        (":)", None),
        (":tada:", None),
        (":Help", None),
        ("/help", None),
        ("see :help", None),
        ("", None),
    ],
)
def test_a_line_is_for_the_chat_or_for_the_agent(line: str, command: LineCommand | None) -> None:
    """What begins as a command does is one, also by a slip; a smiley is none."""
    assert parse_line(line) == command


def test_the_help_names_every_command() -> None:
    """None of them is one of the echo agent."""
    assert all(name in HELP for name in LINE_COMMANDS)
    assert not LINE_COMMANDS.keys() & COMMANDS.keys()
