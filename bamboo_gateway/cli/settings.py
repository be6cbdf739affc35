"""What `serve` can be told: an option, a variable and a key of the file for each field of the settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import attrs
import click
from click.shell_completion import CompletionItem

from ..config import GatewayConfig, Kind, Setting, setting
from ..errors import ConfigError
from ..secret_file import read_secret
from ..storage import parse_storage
from ..token_record import read_record
from .duration import format_duration, parse_duration

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def _storage(_: object, __: attrs.Attribute[Any], value: Any) -> None:
    parse_storage(value)


@attrs.frozen(kw_only=True)
class ServeConfig:
    """The settings of `serve` that are not the gateway's own."""

    agent: str = setting(
        "text", "echo", "Who answers: `echo`, `openai`, or `python:MODULE:FUNCTION`.", needs_restart=True
    )
    storage: str = setting(
        "text",
        "sqlite:",
        "Where sessions are kept: `sqlite:PATH`, `sqlite:` (in this user's data folder), or `memory:`.",
        needs_restart=True,
        validator=_storage,
    )
    tokens: str | None = setting(
        "text",
        None,
        "The file that `token create` writes; `tokens.json` in this user's data folder, where left "
        "out. If it is named here, or is there, everybody has to show a token.",
        needs_restart=True,
    )
    log_level: str = setting(
        "text", "info", "The least that is logged.", choices=("debug", "info", "warning", "error")
    )
    log_format: str = setting(
        "text", "text", "For people, or one JSON object a line.", choices=("text", "json")
    )


SETTINGS: dict[str, attrs.Attribute[Any]] = {
    field.name: field for cls in (GatewayConfig, ServeConfig) for field in attrs.fields(cls)
}
"""Every setting by its name, which is also its key in a file."""

OPTIONS = {name: field for name, field in SETTINGS.items() if Setting.of(field).kind != "tokens"}
"""Those that can be typed, too; the others are tables of the file, and `config_file` brings them."""

_METAVARS: dict[Kind, str] = {
    "text": "TEXT",
    "secret": "TOKEN",
    "address": "HOST:PORT",
    "list": "TEXT",
    "flag": "",
    "count": "N",
    "bytes": "BYTES",
    "seconds": "DURATION",
    "rate": "N",
}


def read_value(field: attrs.Attribute[Any], value: object) -> object:
    """
    Take a *value* of a setting as a file has it: of the right type, or a text where people write one.

    Raises:
        ValueError: It will not do; the text says why, without naming the setting.
    """
    kind = Setting.of(field).kind
    if kind == "seconds" and isinstance(value, str):
        value = parse_duration(value)
    if kind == "list" and not isinstance(value, list):
        raise ValueError(f"{value!r} is no list")
    if kind == "tokens":
        if not isinstance(value, list):
            raise ValueError(f"a list of tables is written [[{field.name}]]")
        value = tuple(read_record(each, f"[{number}]") for number, each in enumerate(value))
    assert field.validator is not None, "`setting` gives each one"
    try:
        field.validator(None, field, value)
    except ValueError as error:
        raise ValueError(str(error).removeprefix(f"{field.name}: ")) from None
    return value


_FILES = {"tls_cert", "tls_key", "tokens"}

_NUMBERS: dict[str, Callable[[str], float]] = {"count": int, "bytes": int, "rate": float}


class SettingType(click.ParamType[Any]):
    """The type of one option: it reads what is typed, and has the setting itself check it."""

    def __init__(self, field: attrs.Attribute[Any]) -> None:
        self._field = field
        self.name = Setting.of(field).kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What a shell may offer: values, where there are but a few; a file, where one is meant."""
        if self._field.name in _FILES:
            return [CompletionItem(incomplete, type="file")]
        return [
            CompletionItem(each) for each in Setting.of(self._field).choices if each.startswith(incomplete)
        ]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read *value*, a text from the command line or the environment, or what a file had."""
        if self.name == "list":
            return value  # one item; the list is checked as a whole
        if isinstance(value, str) and self.name in _NUMBERS:
            with suppress(ValueError):  # the setting has the better words
                value = _NUMBERS[self.name](value)
        try:
            return read_value(self._field, value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SettingOption(click.Option):
    """An option of a setting; a secret's variable may name a file in its place, `NAME_FILE`."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Read the variable or the file; click asks for it where nothing was typed."""
        if self.type.name != "secret":
            return super().resolve_envvar_value(ctx)
        assert isinstance(self.envvar, str), "`variable` makes it"
        try:
            return read_secret(self.envvar, os.environ)
        except ConfigError as error:
            raise click.UsageError(str(error), ctx) from None


def options(command: CommandT) -> CommandT:
    """Give *command* an option for every setting that can be typed; it is called with all, by name."""
    return options_of(SettingOption)(command)


def options_of(kind: type[SettingOption]) -> Callable[[CommandT], CommandT]:
    """The same, with options that are of this *kind*."""

    def decorate(command: CommandT) -> CommandT:
        for field in reversed(OPTIONS.values()):
            command = _option(field, kind)(command)
        return command

    return decorate


def pick(cls: type[Any], values: dict[str, Any]) -> Any:
    """Make a *cls* of those *values* that are its own."""
    return cls(**{field.name: values[field.name] for field in attrs.fields(cls)})


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"BAMBOO_{name.upper()}"


def _option(field: attrs.Attribute[Any], kind: type[SettingOption]) -> Callable[[CommandT], CommandT]:
    it = Setting.of(field)
    is_list = it.kind == "list"
    # A list is given item by item: `--allowed-origin A --allowed-origin B`.
    flag = f"--{(_singular(field.name) if is_list else field.name).replace('_', '-')}"
    if it.kind == "flag":
        # What is on by itself can be switched off, too.
        return click.option(
            f"{flag}/--no-{flag.removeprefix('--')}" if field.default else flag,
            field.name,
            cls=kind,
            is_flag=True,
            default=field.default,
            envvar=variable(field.name),
            show_envvar=True,
            help=it.meaning,
        )
    return click.option(
        flag,
        field.name,
        cls=kind,
        type=SettingType(field),
        metavar="|".join(it.choices) or _METAVARS[it.kind],
        multiple=is_list,
        default=format_duration(field.default) if it.kind == "seconds" and field.default else field.default,
        envvar=variable(field.name),
        show_envvar=True,
        help=it.meaning,
    )


def _singular(name: str) -> str:
    return name.removesuffix("ies") + "y" if name.endswith("ies") else name.removesuffix("s")
