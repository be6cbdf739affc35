"""`bamboo-gateway config`: what the settings of `serve` come to, and a file to begin with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from ..config import GatewayConfig
from ..errors import ConfigError
from . import config_file, settings
from .plain_text import to_json
from .settings_origin import effective, rows, to_object, toml_lines
from .settings_template import template

_MODE = 0o600
"""For this user alone: a token may be written into it."""


@click.group("config")
def command() -> None:
    """Show the settings of `serve`, or write a file of them to begin with."""


@command.command("show")
@click.option("--changed", is_flag=True, help="Only what is not left at its default.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--toml", "as_toml", is_flag=True, help="A settings file.")
@config_file.option
@settings.options
@click.pass_context
def show_settings(ctx: click.Context, /, changed: bool, as_json: bool, as_toml: bool, **values: Any) -> None:
    """
    Show the settings with which `serve` would start, and where each comes from.

    It takes the options of `serve`, and reads the same variables and file.
    Secrets are struck out.
    """
    if as_json and as_toml:
        raise click.UsageError("--json and --toml are two ways to write it; say one")
    try:
        settings.pick(GatewayConfig, values)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    chosen = [each for each in effective(ctx, values) if not (changed and each.origin == "default")]
    if as_json:
        click.echo(to_json(to_object(chosen)))
    elif as_toml:
        click.echo("\n".join(toml_lines(chosen)))
    elif chosen:
        click.echo("\n".join(rows(chosen)))
    else:
        click.echo("every setting is at its default", err=True)


@command.command("init")
@click.argument(
    "path",
    metavar="[FILE]",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="bamboo.toml",
    envvar="BAMBOO_CONFIG",
)
@click.option("--force", is_flag=True, help="Write over a file that is there already.")
def init_settings(path: Path, force: bool) -> None:
    """
    Write a settings file in which every setting is explained, and none is set.

    FILE is what BAMBOO_CONFIG names, or `bamboo.toml` here; `-` is stdout. It is
    made for this user alone.
    """
    if str(path) == "-":
        click.echo(template(), nl=False)
        return
    try:
        _write(path, force=force)
    except FileExistsError:
        raise click.ClickException(
            f"{path} is there already; name another file, or write over it with --force"
        ) from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}; see whether its folder is there") from error
    click.echo(f"{path} is written; start with it: bamboo-gateway serve --config {path}", err=True)


def _write(path: Path, *, force: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if force else os.O_EXCL)
    with os.fdopen(os.open(path, flags, _MODE), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), _MODE)  # one that was there before keeps its own otherwise
        file.write(template())
