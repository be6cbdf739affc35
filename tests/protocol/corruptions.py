"""Message bodies as JSON objects, and Hypothesis strategies that break exactly one thing in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import attrs
from hypothesis import strategies as st

from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import Json
from bamboo_gateway.protocol.tags import CLIENT_TAGS, EVENT_TAGS
from tests.strategies import instances, json_objects, json_values

TAGS = CLIENT_TAGS | EVENT_TAGS

_JSON_KINDS: dict[str, st.SearchStrategy[Json]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "fraction": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.text() | st.integers().map(str),
    "array": st.lists(json_values, max_size=3),
    "object": json_objects,
}

_ALLOWED: dict[Any, set[str]] = {
    str: {"string"},
    bool: {"boolean"},
    int: {"integer"},
    float: {"integer", "fraction"},
    dict: {"object"},
    Literal: {"string"},
    NoneType: {"null"},
    Any: set(_JSON_KINDS),
}


@attrs.frozen
class Breakage:
    """A message of class `cls` of which one thing is wrong."""

    cls: type
    body: dict[str, Json]
    path: str
    """Of the wrong thing, as errors give it: `$.client.name`."""

    def text(self, dialect: Dialect) -> str:
        return frame(self.cls, self.body, dialect)


def frame(cls: type, body: Json, dialect: Dialect) -> str:
    """The JSON text of a message of class *cls*, whatever its body."""
    name = TAGS[cls].name(dialect)
    return json.dumps({"type": name, **body} if dialect is Dialect.TAGGED else {name: body})


def body_of(message: Any) -> dict[str, Json]:
    """The fields of a message as they are on the wire."""
    body = json.loads(codec.encode_body(message))
    assert isinstance(body, dict)
    return body


@attrs.frozen
class Spot:
    """A field of a message, or of a part of it."""

    holder: type
    path: tuple[str, ...]
    kind: Any
    is_required: bool

    @property
    def allowed(self) -> set[str]:
        """The kinds of JSON that may stand there."""
        kinds = get_args(self.kind) if NoneType in get_args(self.kind) else (self.kind,)
        return set().union(*(_ALLOWED.get(get_origin(kind) or kind, {"object"}) for kind in kinds))


def spots(cls: type, path: tuple[str, ...] = ()) -> Iterator[Spot]:
    """Every field of *cls* and of the classes in it."""
    attrs.resolve_types(cls)
    for field in attrs.fields(cls):
        here = (*path, field.name)
        yield Spot(cls, here, field.type, field.default is attrs.NOTHING)
        for kind in (field.type, *get_args(field.type)):
            if isinstance(kind, type) and attrs.has(kind):
                yield from spots(kind, here)


@st.composite
def wrong_kinds(draw: st.DrawFn) -> Breakage:
    """A message with a value of a wrong kind in one field, required or optional, its own or a part's."""
    cls = draw(st.sampled_from(list(TAGS)))
    spot = draw(st.sampled_from([spot for spot in spots(cls) if spot.allowed != set(_JSON_KINDS)]))
    wrong = draw(st.one_of([_JSON_KINDS[kind] for kind in sorted(set(_JSON_KINDS) - spot.allowed)]))
    body = draw(instances(cls).map(body_of))
    draw(_holder(cls, body, spot))[spot.path[-1]] = wrong
    return Breakage(cls, body, ".".join(("$", *spot.path)))


@st.composite
def missing_fields(draw: st.DrawFn) -> Breakage:
    """A message without one of its required fields, or without one of a part of it."""
    required = {cls: [spot for spot in spots(cls) if spot.is_required] for cls in TAGS}
    cls = draw(st.sampled_from([cls for cls in TAGS if required[cls]]))
    spot = draw(st.sampled_from(required[cls]))
    body = draw(instances(cls).map(body_of))
    del draw(_holder(cls, body, spot))[spot.path[-1]]
    return Breakage(cls, body, ".".join(("$", *spot.path)))


def _holder(cls: type, body: dict[str, Json], spot: Spot) -> st.SearchStrategy[Json]:
    """The object in *body* that *spot* is a field of; a part that was left out is put in."""
    if spot.holder is cls:
        return st.just(body)
    return instances(spot.holder).map(lambda part: body.setdefault(spot.path[0], codec.unstructure(part)))
