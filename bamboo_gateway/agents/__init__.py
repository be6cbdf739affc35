"""Agents by name: `load_agent` turns what a user writes into the agent that is meant."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeAlias

from ..errors import ConfigError
from ..ports import Agent
from .echo import EchoAgent
from .imported import import_agent
from .settings import nearest, read_settings

__all__ = ["load_agent"]

KINDS = "echo, openai, python:module:function"

_EXTRA = {"httpx", "httpx_sse", "tenacity"}
"""What only the extra `openai` installs."""

_Loader: TypeAlias = Callable[[Mapping[str, object], Mapping[str, str]], Agent]


def load_agent(
    spec: str, settings: Mapping[str, object] | None = None, environ: Mapping[str, str] = os.environ
) -> Agent:
    """
    Make the agent that *spec* names: `echo`, `openai`, `python:module:function` or short `module:function`.

    Args:
        spec: The agent; `function` may be a dotted path inside the module.
        settings: The agent's own settings by name; they go before the environment.
        environ: Where the settings that are not given are looked up.

    Raises:
        ConfigError: There is no such agent, or it cannot be set up; the text says how to put it right.
    """
    kind, _, target = spec.partition(":")
    settings = settings or {}
    if kind in _LOADERS:
        if target:
            raise ConfigError(f"agent: {kind!r} stands alone, without {':' + target!r:.80}")
        return _LOADERS[kind](settings, environ)
    if kind == "python":
        return _imported(target, settings)
    if spec.count(":") == 1:
        return _imported(spec, settings)
    raise ConfigError(f"agent: {spec!r:.80} is none of {KINDS}{nearest(kind, [*_LOADERS, 'python'])}")


def _imported(target: str, settings: Mapping[str, object]) -> Agent:
    if settings:
        raise ConfigError(f"agent python: it takes no settings, such as {next(iter(settings))!r}")
    return import_agent(target)


def _echo(settings: Mapping[str, object], environ: Mapping[str, str]) -> Agent:
    return read_settings(EchoAgent, "echo", settings, environ)


def _openai(settings: Mapping[str, object], environ: Mapping[str, str]) -> Agent:
    try:
        from .openai import OpenAIAgent, OpenAISettings  # noqa: PLC0415 -- an extra, and slow to import
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        raise ConfigError(
            f"agent openai: {error.name} is not installed; in a clone, pip install '.[openai]'"
        ) from error
    return OpenAIAgent(read_settings(OpenAISettings, "openai", settings, environ))


_LOADERS: dict[str, _Loader] = {"echo": _echo, "openai": _openai}
