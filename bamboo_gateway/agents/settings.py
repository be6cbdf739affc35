"""How an agent's settings are read: given ones go before the environment, the environment before defaults."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import attrs

from ..config import Kind, Setting
from ..errors import ConfigError
from ..secret_file import read_secret

SettingsT = TypeVar("SettingsT", bound=attrs.AttrsInstance)


def read_settings(
    cls: type[SettingsT], agent: str, given: Mapping[str, object], environ: Mapping[str, str]
) -> SettingsT:
    """
    Make a *cls* from what is *given* and from *environ*, where an empty variable counts as unset.

    A secret may stand in a file, which `NAME_FILE` names in place of `NAME`.

    Raises:
        ConfigError: A setting is unknown, missing or unusable; the text names it.
    """
    fields = attrs.fields_dict(cls)
    for name in given:
        if name not in fields:
            raise ConfigError(f"agent {agent}: it has no setting {name!r}{nearest(name, fields)}")
    values = _from_environ(agent, fields.values(), environ) | dict(given)
    for field in fields.values():
        if field.default is attrs.NOTHING and field.name not in values:
            raise ConfigError(f"agent {agent}: {field.name} is not set; set {variable(agent, field)}")
    try:
        return cls(**values)
    except ConfigError as error:
        raise ConfigError(f"agent {agent}: {error}") from None


def variable(agent: str, field: attrs.Attribute[Any]) -> str:
    """The environment variable of one setting: what every program reads, or else one of our own."""
    return _SHARED.get((agent, field.name), f"BAMBOO_{agent}_{field.name}".upper())


def nearest(name: str, known: Iterable[str]) -> str:
    """A question to end an error with; empty where nothing known is near to *name*."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def _from_environ(
    agent: str, fields: Iterable[attrs.Attribute[Any]], environ: Mapping[str, str]
) -> dict[str, object]:
    values: dict[str, object] = {}
    for field in fields:
        name, kind = variable(agent, field), Setting.of(field).kind
        if text := read_secret(name, environ) if kind == "secret" else environ.get(name):
            read, says = _READERS.get(kind, (str, "text"))
            try:
                values[field.name] = read(text)
            except ValueError:
                raise ConfigError(f"{name}: {text!r:.80} is no {says}") from None
    return values


_READERS: dict[Kind, tuple[Callable[[str], object], str]] = {
    "count": (int, "whole number"),
    "seconds": (float, "number"),
}
"""How the text of a variable is read, by the setting's kind; anything else stays as it is."""

_SHARED = {("openai", "base_url"): "OPENAI_BASE_URL", ("openai", "api_key"): "OPENAI_API_KEY"}
