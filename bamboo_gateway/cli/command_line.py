"""The command that the others belong to: it finds them, and tells what went wrong in one line."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from ..version import __version__

INTERRUPTED = 130
"""What a shell takes for "ended by Ctrl-C"."""

_COMMANDS = ("serve", "chat", "call", "sessions", "token")
"""Each is the `command` of the module of its name."""


class CommandLine(click.Group):
    """A group that imports a command only when it is asked for, and tells what went wrong in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, the most used first."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """Run, and exit: 0 all went well, 1 it failed, 2 it was called wrongly, 130 it was interrupted."""
        try:
            status = super().main(*args, **options | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = error.exit_code
        except click.ClickException as error:
            click.echo(f"bamboo-gateway: {' '.join(error.format_message().split())}", err=True)
            status = error.exit_code
        except click.Abort:
            status = INTERRUPTED
        sys.exit(status)


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """A WebSocket control plane for AI agents."""
