"""Reading the settings of `serve` where some are wrong: each fault is a finding, the others still count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from .. import config_file, figures, settings
from ..settings import variable
from .finding import Finding, fault, well

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_FILE = "settings"


class _TolerantOption(settings.SettingOption):
    """A wrong value of it in the environment is passed over; one that was typed is the caller's error."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Read the variable; of a secret whose file cannot be read, none."""
        try:
            return super().resolve_envvar_value(ctx)
        except click.UsageError as error:
            note(ctx, fault("environment", error.message, "name a file that this user may read"))
            return None

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """Check *value*; where it will not do, take what would be there without it."""
        try:
            return super().process_value(ctx, value)
        except click.BadParameter as error:
            name = self.name or ""
            if ctx.get_parameter_source(name) is not ParameterSource.ENVIRONMENT:
                raise
            note(ctx, fault("environment", f"{variable(name)}: {error.message}", "set it right, or unset it"))
            return super().process_value(ctx, self.get_default(ctx))


def options(command: CommandT) -> CommandT:
    """Give *command* the options of `serve`, read like this."""
    with_settings: CommandT = settings.options_of(_TolerantOption)(command)
    return config_file.option_with(_load)(with_settings)


def _load(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    if path is None:
        config_file.provide(ctx, None, {})
        note(ctx, well(_FILE, "no file of settings is named (--config)"))
        return
    values, faults = config_file.examine(path)
    config_file.provide(ctx, path, values)
    for each in faults:
        remedy = "mend it; `bamboo-gateway config init -` shows every setting"
        note(ctx, fault(_FILE, f"{path}: {each}", remedy))
    if not faults:
        note(ctx, well(_FILE, f"{path} has {figures.counted(len(values), 'setting')}"))


def note(ctx: click.Context, finding: Finding) -> None:
    """Keep *finding* for `noted`."""
    ctx.meta.setdefault(__name__, []).append(finding)


def noted(ctx: click.Context) -> Sequence[Finding]:
    """What was found while the settings were read."""
    found: Sequence[Finding] = ctx.meta.get(__name__, ())
    return found
