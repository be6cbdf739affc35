"""Agents that the user has written: `module:function`, imported and checked before the gateway starts."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from ..errors import ConfigError
from ..ports import Agent
from .settings import nearest


def import_agent(target: str) -> Agent:
    """
    Import the agent at *target*: `module:function`, both of which may have dots.

    The module is looked up as `python -m` does it: in the current directory first.

    Raises:
        ConfigError: There is no such thing, its import failed (the cause is chained), or it is no agent.
    """
    module_name, _, path = target.partition(":")
    if not _is_dotted(module_name) or not _is_dotted(path):
        raise ConfigError(f"agent: {target!r:.80} is no module:function, such as my_package.agents:answer")
    agent = _find(_import(module_name), path)
    if fault := _fault(agent):
        raise ConfigError(f"agent: {target} {fault}")
    return cast(Agent, agent)


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _import(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:  # a module may raise anything while it is imported
        return importlib.import_module(name)
    except Exception as error:
        raise ConfigError(f"agent: cannot import {name}: {type(error).__name__}: {error}") from error


def _find(module: ModuleType, path: str) -> Any:
    found: Any = module
    where = module.__name__
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise ConfigError(f"agent: {where} has no {name!r}{nearest(name, dir(found))}") from None
        where += f".{name}"
    return found


def _fault(agent: Any) -> str | None:
    """Why *agent* is none, as the end of a sentence."""
    if not callable(agent):
        return f"is not callable: it is of type {type(agent).__name__}"
    if inspect.isclass(agent):
        return "is a class; name an instance of it, or an async function"
    if _any(inspect.isasyncgenfunction, agent):
        return "yields; an agent streams by `await turn.token(text)` instead"
    if not _any(inspect.iscoroutinefunction, agent):
        return "is not async; write `async def`"
    return None if _takes_a_turn(agent) else "must be callable with one argument, the turn"


def _any(is_kind: Any, agent: Any) -> bool:
    """Is a function of that kind, or an object whose `__call__` is."""
    return bool(is_kind(agent) or is_kind(getattr(type(agent), "__call__", None)))  # noqa: B004 -- its kind counts


def _takes_a_turn(agent: Any) -> bool:
    try:
        inspect.signature(agent).bind(object())
    except TypeError:
        return False
    except ValueError:  # it has no signature to look at
        return True
    return True
