"""JSON text ⇄ values, refusing whatever two readers of RFC 8259 could understand differently."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from ..errors import InvalidMessageError
from .messages import Json

MAX_NESTING = 64
"""Levels of arrays and objects in what a client sends; json and cattrs overflow at 300 to 450 (measured)."""

MAX_EVENT_NESTING = 128
"""The same in what the gateway sends, which puts clients' values into its own; serde_json reads no deeper."""

INT64 = range(-(2**63), 2**63)
"""The seed's integers are `i64`; a larger one becomes a fraction or infinity at other readers."""

_INT64_LENGTH = len(str(INT64.start))


def parse(text: str, max_nesting: int = MAX_NESTING) -> Json:
    """
    Parse one JSON text as RFC 8259 has it, and refuse what its readers disagree on.

    Raises:
        InvalidMessageError: No JSON, NaN or infinity, an integer beyond 64 bits, a key twice in one object, a
            lone surrogate, or nesting deeper than *max_nesting*.
    """
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidMessageError(f"no JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise InvalidMessageError(f"nesting deeper than {max_nesting} levels") from None
    _check_nesting(text, value, max_nesting)
    # Only an escape can bring in a surrogate: the text itself is decoded UTF-8.
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidMessageError(f"no JSON: {name} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise InvalidMessageError(f"number out of range: {digits:.32}")
    return number


def _integer(digits: str) -> int:
    # The length first: int() takes time that grows with the square of it.
    if len(digits) > _INT64_LENGTH or int(digits) not in INT64:
        raise InvalidMessageError(f"integer beyond 64 bits: {digits:.32}; send it as a string")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two equal keys counts (RFC 8259 §4), so neither does."""
    value = dict(pairs)
    if len(value) != len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise InvalidMessageError(f"key twice in one object: {key!r:.80}")
    return value


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_integer
)


def _check_nesting(text: str, value: Json, deepest: int) -> None:
    """Refuse a *value* of more than *deepest* levels; *text* is its JSON."""
    # Each level takes a bracket at least, and to count those costs next to nothing.
    if text.count("[") + text.count("{") <= deepest:
        return
    level = [value]
    for _ in range(deepest):
        level = [child for container in level for child in _containers(container)]
    if level:
        raise InvalidMessageError(f"nesting deeper than {deepest} levels")


def _containers(value: Json) -> Iterator[Json]:
    """The arrays and objects directly inside *value*."""
    children = value.values() if isinstance(value, dict) else value
    return (child for child in children if isinstance(child, (dict, list, tuple)))


def _check_surrogates(value: Json) -> None:
    try:
        _encoder.encode(value).encode()
    except UnicodeEncodeError:
        raise InvalidMessageError("a lone surrogate is no character") from None


def dump(value: Json) -> bytes:
    """
    Write a value as one compact JSON text in UTF-8.

    Raises:
        InvalidMessageError: A part of it is no JSON (NaN, a lone surrogate, a foreign type, a cycle), or it
            is nested too deeply for a frame.
    """
    try:
        text = _encoder.encode(value)
        body = text.encode()
    except UnicodeEncodeError:
        raise InvalidMessageError("a lone surrogate is no character") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidMessageError(str(error)) from None
    _check_nesting(text, value, MAX_EVENT_NESTING - _WRAPPER)
    return body


_WRAPPER = 1
"""Levels that the serde dialect puts around a body."""

# A cycle ends in a RecursionError; to look for it would cost every message a dictionary.
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
