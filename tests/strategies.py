"""
Hypothesis strategies for JSON and for every message of the wire, in both directions.

All of them keep to what the protocol allows; `tests/protocol` breaks them on purpose.
"""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, get_args, get_origin

import attrs
from hypothesis import strategies as st

from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import (
    MAX_ID_LENGTH,
    ClientMessage,
    GatewayEvent,
    Json,
    LoggedEvent,
)
from bamboo_gateway.protocol.tags import CLIENT_TAGS, EVENT_TAGS

I64 = st.integers(-(2**63), 2**63 - 1)
NATURAL = st.integers(0, 2**63 - 1)
POSITIVE = st.integers(1, 2**63 - 1)

dialects = st.sampled_from(Dialect)

scalars: st.SearchStrategy[Json] = (
    st.none() | st.booleans() | I64 | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)

json_values: st.SearchStrategy[Json] = st.recursive(
    scalars,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=8,
)

json_objects: st.SearchStrategy[dict[str, Json]] = st.dictionaries(st.text(), json_values, max_size=4)

names = st.text(min_size=1, max_size=MAX_ID_LENGTH)
short_text = st.text(max_size=MAX_ID_LENGTH)

_KINDS: dict[Any, st.SearchStrategy[Any]] = {
    Any: json_values,
    str: st.text(),
    bool: st.booleans(),
    int: I64,
    float: st.floats(allow_nan=False, allow_infinity=False),
    dict[str, Json]: json_objects,
    dict[str, int]: st.dictionaries(short_text, NATURAL, max_size=4),
}

# Where a field allows less than its type does.
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "Command.name": names,
    "Command.id": names,
    "Chat.id": names,
    "ClientInfo.name": short_text,
    "ClientInfo.version": short_text,
    "Connect.epoch": short_text,
    "Connect.last_seq": NATURAL,
    "Connect.protocol": POSITIVE,
    "TokenUsage.prompt_tokens": NATURAL,
    "TokenUsage.completion_tokens": NATURAL,
    "TokenUsage.total_tokens": NATURAL,
}


def instances(cls: type) -> st.SearchStrategy[Any]:
    """Every instance of an attrs class of the protocol that the protocol allows."""
    attrs.resolve_types(cls)
    return st.builds(cls, **{field.alias: _field_values(cls, field) for field in attrs.fields(cls)})


def _field_values(cls: type, field: attrs.Attribute[Any]) -> st.SearchStrategy[Any]:
    kinds = get_args(field.type)
    is_optional = NoneType in kinds
    limited = POSITIVE if field.name == "seq" else _FIELDS.get(f"{cls.__name__}.{field.name}")
    values = limited if limited is not None else _kind_values(kinds[0] if is_optional else field.type)
    return st.none() | values if is_optional else values


def _kind_values(kind: Any) -> st.SearchStrategy[Any]:
    if kind in _KINDS:
        return _KINDS[kind]
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    return instances(kind)


client_messages: st.SearchStrategy[ClientMessage] = st.one_of([instances(cls) for cls in CLIENT_TAGS])
events: st.SearchStrategy[GatewayEvent] = st.one_of([instances(cls) for cls in EVENT_TAGS])
logged_events: st.SearchStrategy[LoggedEvent] = st.one_of([instances(cls) for cls in get_args(LoggedEvent)])
