"""The settings file: TOML, whose keys are the names of the settings."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
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
    values, faults = examine(path)
    if faults:
        raise click.UsageError(f"{path}: {faults[0]}")
    return values


def examine(path: Path) -> tuple[dict[str, object], Sequence[str]]:
    """Read those settings of *path* that will do, and say what is wrong with others, or all of it."""
    values: dict[str, object] = {}
    faults = []
    try:
        found = _parse(path)
    except ValueError as error:
        return values, [str(error)]
    for key, value in found.items():
        if key not in SETTINGS:
            faults.append(f"unknown key {key!r}{nearest(key, SETTINGS)}")
            continue
        try:
            values[key] = read_value(SETTINGS[key], value)
        except ValueError as error:
            faults.append(f"{key}: {error}")
    return values, faults


def _parse(path: Path) -> dict[str, object]:
    """Raises ValueError with what is wrong."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise ValueError(error.strerror) from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise ValueError(f"no TOML: {error}") from None


def path(ctx: click.Context) -> Path | None:
    """The file that *ctx* was given, if any."""
    found: Path | None = ctx.meta.get(__name__)
    return found


def _load(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    provide(ctx, path, {} if path is None else read(path))


def provide(ctx: click.Context, path: Path | None, values: Mapping[str, object]) -> None:
    """Have the settings of a command that *path* holds be these *values*."""
    ctx.meta[__name__] = path
    ctx.default_map = dict(values)
    # What no option stands for has no default either: the command is given it as if it were one's value.
    ctx.params |= {name: values.get(name, ()) for name in SETTINGS.keys() - OPTIONS.keys()}


def option_with(
    load: Callable[[click.Context, click.Parameter, Path | None], None],
) -> Callable[[CommandT], CommandT]:
    """The option, with a *load* that calls `provide`."""
    return click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        envvar="BAMBOO_CONFIG",
        show_envvar=True,
        is_eager=True,  # before the options whose defaults it brings
        expose_value=False,
        callback=load,
        help="A TOML file of settings; what is typed or in the environment goes before it.",
    )


option: Callable[[CommandT], CommandT] = option_with(_load)
"""The option `--config`; with it, a command is given the settings that are tables, too."""
