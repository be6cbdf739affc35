"""The command that the others belong to: it finds them, and tells what went wrong in one line."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from ..version import __version__
from .lean_logging import import_structlog

INTERRUPTED = 130
"""What a shell takes for "ended by Ctrl-C"."""

BUG = 70
"""What sysexits.h calls an internal software error."""

_COMMANDS = ("serve", "chat", "call", "sessions", "token", "top", "status", "doctor", "config", "completion")
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
        import_structlog()
        command: click.Command = import_module(f".{cmd_name}", __package__).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for; with --debug, show where from it was left by an error."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except (Exception, BaseExceptionGroup) as error:
            if ctx.params.get("debug"):
                from .faults import show_traceback  # noqa: PLC0415 -- `--version` shall not wait for it

                show_traceback(error)
            raise

    def main(self, *args: Any, **options: Any) -> NoReturn:
        """
        Run, and exit.

        0: all went well; 1: it failed; 2: it was called wrongly; 70: a bug of
        ours ended it; 130: it was interrupted.
        """
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
        except OSError as error:  # a full disk behind stdout, say: nobody's bug
            click.echo(f"bamboo-gateway: {error.strerror or error}{_file_of(error)}", err=True)
            status = 1
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 -- it is told, and ends the process
            from .faults import bug  # noqa: PLC0415 -- as above

            click.echo(f"bamboo-gateway: {bug(error)}", err=True)
            status = BUG
        sys.exit(status)


def _file_of(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


@click.group(cls=CommandLine, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--debug",
    is_flag=True,
    envvar="BAMBOO_DEBUG",
    show_envvar=True,
    help="Show the traceback of what goes wrong, before the line that tells of it.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def main(debug: bool) -> None:
    """A WebSocket control plane for AI agents."""
