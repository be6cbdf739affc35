"""The settings file: TOML, whose keys are the names of the settings."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import click

from ..agents.settings import nearest
from .settings import OPTIONS, SETTINGS, CommandT, read_value


def read(path: Path) -> dict[str, object]:
    """
    Read the settings that *path* holds, each checked.

    Raises:
        click.UsageError: It cannot be read, is no TOML, or has a wrong key or value; the text names both.
    """
    values = _parse(path)
    for key, value in values.items():
        if key not in SETTINGS:
            raise click.UsageError(f"{path}: unknown key {key!r}{nearest(key, SETTINGS)}")
        try:
            values[key] = read_value(SETTINGS[key], value)
        except ValueError as error:
            raise click.UsageError(f"{path}: {key}: {error}") from None
    return values


def _parse(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise click.UsageError(f"{path}: no TOML: {error}") from None


def path(ctx: click.Context) -> Path | None:
    """The file that *ctx* was given, if any."""
    found: Path | None = ctx.meta.get(__name__)
    return found


def _load(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    ctx.meta[__name__] = path
    values = {} if path is None else read(path)
    ctx.default_map = values
    # What no option stands for has no default either: the command is given it as if it were one's value.
    ctx.params |= {name: values.get(name, ()) for name in SETTINGS.keys() - OPTIONS.keys()}


option: Callable[[CommandT], CommandT] = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    envvar="BAMBOO_CONFIG",
    show_envvar=True,
    is_eager=True,  # before the options whose defaults it brings
    expose_value=False,
    callback=_load,
    help="A TOML file of settings; what is typed or in the environment goes before it.",
)
"""The option `--config`; with it, a command is given the settings that are tables, too."""
