"""What each setting is in the end, and where it comes from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import click
from click.core import ParameterSource

from ..config import Setting
from ..protocol.messages import Json
from . import config_file
from .duration import format_duration
from .plain_text import one_line, width
from .settings import OPTIONS, SETTINGS, variable
from .toml_text import to_toml

Origin: TypeAlias = Literal["typed", "environment", "file", "default"]

STRUCK_OUT = "***"
"""In the place of a secret."""

_ORIGINS: Mapping[ParameterSource | None, Origin] = {
    ParameterSource.COMMANDLINE: "typed",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file",
}

_WIDEST = 40
"""Columns that a value may take before it pushes its origin out of line."""


@attrs.frozen
class Effective:
    """One setting as it is in force."""

    name: str
    value: Json
    """As a file would have it; a secret is struck out, and so are tokens."""
    origin: Origin
    where: str | None = None
    """The option, the variable or the file."""

    @property
    def is_secret(self) -> bool:
        """Is its value not shown?"""
        return isinstance(self.value, str) and self.value == STRUCK_OUT


def effective(ctx: click.Context, values: Mapping[str, Any]) -> Sequence[Effective]:
    """Every setting in the order of the documents; *values* are those that *ctx* was given."""
    return [_effective(ctx, name, values[name]) for name in SETTINGS]


def _effective(ctx: click.Context, name: str, value: Any) -> Effective:
    origin = _ORIGINS.get(ctx.get_parameter_source(name), "default")
    if name not in OPTIONS:  # a table, which only a file can have
        origin = "file" if value else "default"
    return Effective(name, _shown(name, value), origin, _where(ctx, name, origin))


def _where(ctx: click.Context, name: str, origin: Origin) -> str | None:
    match origin:
        case "typed":
            return next(param.opts[0] for param in ctx.command.params if param.name == name)
        case "environment":
            return _variable(name)
        case "file":
            return str(config_file.path(ctx))
        case "default":
            return None


def _variable(name: str) -> str:
    """The one that is set: a secret's, or the one that names its file."""
    own = variable(name)
    return own if os.environ.get(own) else f"{own}_FILE"


def _shown(name: str, value: Any) -> Json:
    kind = Setting.of(SETTINGS[name]).kind
    if kind in ("secret", "tokens") and value:
        return STRUCK_OUT
    if kind == "seconds" and value is not None:
        return format_duration(value)
    return list(value) if isinstance(value, tuple) else value


# ── as text ──────────────────────────────────────────────────────────────────


def rows(settings: Sequence[Effective]) -> Iterator[str]:
    """A line for each: its name, its value, and where that comes from."""
    names = max(len(each.name) for each in settings)
    values = min(_WIDEST, max(width(_plain(each.value)) for each in settings))
    for each in settings:
        value = _plain(each.value)
        gap = " " * max(0, values - width(value))
        yield f"{each.name:<{names}}  {value}{gap}  {origin_text(each)}".rstrip()


def origin_text(each: Effective) -> str:
    """Where one comes from; nothing for a default."""
    if each.origin == "default":
        return ""
    return f"typed as {each.where}" if each.origin == "typed" else f"from {one_line(each.where or '')}"


def _plain(value: Json) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(_plain, value)) or "–"
        case _:
            return one_line(str(value))


def to_object(settings: Sequence[Effective]) -> Json:
    """The same for programs."""
    return {each.name: {"value": each.value, "from": each.origin, "where": each.where} for each in settings}


def toml_lines(settings: Sequence[Effective]) -> Iterator[str]:
    """The same as a settings file. What is struck out, or none, is a comment."""
    for each in settings:
        mark = "# " if each.is_secret or each.value in (None, [], ()) else ""
        comment = f"  # {text}" if (text := origin_text(each)) else ""
        value = '""' if each.value is None else to_toml(each.value)
        yield f"{mark}{each.name} = {value}{comment}"
