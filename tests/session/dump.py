"""The whole state of an object as plain values, so that a test can say that nothing has changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import attrs

from bamboo_gateway.session.log import Entry


def dump(value: Any) -> Any:
    """
    Copy *value* and all that it holds into lists, tuples and scalars.

    What an entry has cached is no state: it can be made again.
    """
    if isinstance(value, Entry):
        return (value.seq, dump(value.event), value.body)
    if isinstance(value, Mapping):
        return [(dump(key), dump(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | deque | set):
        return [dump(item) for item in (sorted(value) if isinstance(value, set) else value)]
    return dump(_fields(value)) if _is_ours(value) else value


def _is_ours(value: Any) -> bool:
    return attrs.has(type(value)) or type(value).__module__.startswith("bamboo_gateway.session")


def _fields(value: Any) -> dict[str, Any]:
    if attrs.has(type(value)):
        return {field.name: getattr(value, field.name) for field in attrs.fields(type(value))}
    return dict(vars(value))
