"""`bamboo-gateway completion`: the script by which a shell completes what is typed."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

_PROGRAM = "bamboo-gateway"
_VARIABLE = "_BAMBOO_GATEWAY_COMPLETE"
"""Where the shell says that it wants to know what may follow; click makes the name of the program's."""


_SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}

_INSTALL = {
    "bash": 'Put this line into ~/.bashrc:  eval "$(bamboo-gateway completion bash)"',
    "zsh": 'Put this line into ~/.zshrc, behind compinit:  eval "$(bamboo-gateway completion zsh)"',
    "fish": "Run once:  bamboo-gateway completion fish > ~/.config/fish/completions/bamboo-gateway.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def command(shell: str) -> None:
    """
    Print what has a shell complete commands and options at the Tab key.

    Its last line says where to put it. Nothing is asked of a gateway while you
    type.
    """
    # Imported late: this module is one of those that the whole command line finds by name.
    from .command_line import main  # noqa: PLC0415

    # The base class's: that of bash would ask the bash on PATH, which need not be yours, for its version.
    script = ShellComplete.source(_SHELLS[shell](main, {}, _PROGRAM, _VARIABLE))
    click.echo(f"{script.strip()}\n\n# {_INSTALL[shell]}")
