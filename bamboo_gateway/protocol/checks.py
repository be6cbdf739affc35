"""
What a JSON value may be: checks that take one kind of it or nothing.

Each serves both ways, because what must not come in must not go out either. The
second argument is the kind that a converter asks for; the check knows it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import NoneType
from typing import Any, get_args

from ..errors import InvalidMessageError
from .messages import Json
from .strict_json import INT64

_LARGEST = sys.float_info.max


def string(value: Any, _: Any = None) -> str:
    """Take a string."""
    if not isinstance(value, str):
        raise misfit("a string", value)
    return value


def boolean(value: Any, _: Any = None) -> bool:
    """Take true or false."""
    if not isinstance(value, bool):
        raise misfit("a boolean", value)
    return value


def integer(value: Any, _: Any = None) -> int:
    """Take an integer of 64 bits."""
    # A bool is an int to Python.
    if not isinstance(value, int) or isinstance(value, bool):
        raise misfit("an integer", value)
    if value not in INT64:
        raise InvalidMessageError("expected an integer of 64 bits")
    return value


def number(value: Any, _: Any = None) -> float:
    """Take a number that is finite."""
    if not isinstance(value, (float, int)) or isinstance(value, bool):
        raise misfit("a number", value)
    # So compared, because NaN is outside of everything and isfinite() fails on a great int.
    if not -_LARGEST <= value <= _LARGEST:
        raise InvalidMessageError("expected a finite number")
    return float(value)


def json_object(value: Any) -> dict[str, Json]:
    """Take an object."""
    if not isinstance(value, dict):
        raise misfit("an object", value)
    return value


def choice_of(kind: Any) -> Callable[..., Any]:
    """Make a check that takes one of the strings of a `Literal`."""
    choices = get_args(kind)

    def choice(value: Any, _: Any = None) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise InvalidMessageError(f"expected one of {', '.join(map(repr, choices))}")
        return value

    return choice


SCALARS: dict[type, Callable[..., Any]] = {str: string, bool: boolean, int: integer, float: number}


def misfit(expected: str, value: Any) -> InvalidMessageError:
    """Say what *value* is, in JSON's words or else in Python's."""
    kind = _KINDS.get(type(value)) or f"a Python {type(value).__name__}"
    return InvalidMessageError(f"expected {expected}, got {kind}")


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a fraction",
    NoneType: "null",
}
