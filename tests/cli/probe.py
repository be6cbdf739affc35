"""A command with all the settings of `serve`, which tells what it was given instead of serving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
from click.testing import CliRunner, Result

from bamboo_gateway.cli import config_file, settings


@click.command
@config_file.option
@settings.options
def command(**values: Any) -> None:
    """Print the values as JSON."""
    click.echo(json.dumps(values))


def probe(*args: str, env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values that these arguments and variables make."""
    result = invoke(*args, env=env)
    assert result.exit_code == 0, result.output
    values: dict[str, Any] = json.loads(result.stdout)
    return values


def invoke(*args: str, env: Mapping[str, str] | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, args, env=env)
