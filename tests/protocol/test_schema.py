from __future__ import annotations

import json
from functools import cache
from typing import Any

import attrs
import pytest
from attrs.validators import ge, gt, in_, le, max_len, min_len, optional
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator

from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol import codec, versions
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import ClientMessage, Connect, GatewayEvent, Json
from bamboo_gateway.protocol.schema import class_schema, wire_schema
from bamboo_gateway.protocol.tags import CLIENT_TAGS, EVENT_TAGS
from tests.protocol.corruptions import Breakage, frame, missing_fields, wrong_kinds
from tests.strategies import client_messages, dialects, events, json_values


@cache
def validator(union: str) -> Draft202012Validator:
    """A validator for one of the unions of messages."""
    return Draft202012Validator({**wire_schema(), "anyOf": [{"$ref": f"#/$defs/{union}"}]})


def is_valid(text: str | bytes, dialect: Dialect, union: str) -> bool:
    """Is the JSON text one of *union* in *dialect*?"""
    return bool(validator(f"{dialect}.{union}").is_valid(json.loads(text)))


def union_of(cls: type) -> str:
    """The direction in which messages of class *cls* go."""
    return "ClientMessage" if cls in CLIENT_TAGS else "GatewayEvent"


def test_is_a_schema_of_draft_2020_12() -> None:
    """Any tool for that draft can read it, and it says what it is."""
    schema = wire_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_has_every_message_and_explains_every_field() -> None:
    """A client's author finds each class, and for each of its fields what it is for."""
    definitions = wire_schema()["$defs"]
    for cls in (*CLIENT_TAGS, *EVENT_TAGS):
        properties = definitions[cls.__name__]["properties"]
        assert list(properties) == [field.name for field in attrs.fields(cls)]
        assert all(schema["description"].endswith((".", "?")) for schema in properties.values())


@given(client_messages, dialects)
def test_takes_every_client_message(message: ClientMessage, dialect: Dialect) -> None:
    """What the codec encodes for a client is valid, in its dialect and direction alone."""
    encoded = codec.encode(message, dialect)
    taken = [
        (spoken, union)
        for spoken in Dialect
        for union in ("ClientMessage", "GatewayEvent", "SeedEvent")
        if is_valid(encoded, spoken, union)
    ]
    assert taken == [(dialect, "ClientMessage")]


@given(events, dialects)
def test_takes_every_event(event: GatewayEvent, dialect: Dialect) -> None:
    """What the codec encodes for the gateway is valid; what protocol 1 knows is a `SeedEvent`, too."""
    encoded = codec.encode(event, dialect)
    assert is_valid(encoded, dialect, "GatewayEvent")
    assert is_valid(encoded, dialect, "SeedEvent") == (type(event) in versions.SEED_EVENTS)
    assert not is_valid(encoded, dialect, "ClientMessage")


@given(client_messages | events, dialects, json_values)
def test_takes_what_the_codec_decodes(message: Any, dialect: Dialect, extra: Json) -> None:
    """Unknown fields, and null for what is left out, are valid as they are decodable."""
    nulls = {field.name: None for field in attrs.fields(type(message)) if field.default is None}
    body = {**nulls, **codec.unstructure(message), "x_unknown": extra}
    assert is_valid(frame(type(message), body, dialect), dialect, union_of(type(message)))


@given(st.one_of(wrong_kinds(), missing_fields()), dialects)
def test_refuses_what_the_codec_refuses(broken: Breakage, dialect: Dialect) -> None:
    """One wrong kind or missing field is invalid; only `1.0` for an integer is beyond a schema's words."""
    value = json.loads(broken.text(dialect))
    if not any(isinstance(part, float) and part.is_integer() for part in leaves(value)):
        assert not is_valid(broken.text(dialect), dialect, union_of(broken.cls))


def leaves(value: Json) -> list[Json]:
    """Every scalar in *value*."""
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return [leaf for child in children for leaf in leaves(child)]
    return [value]


@pytest.mark.parametrize(
    "body",
    [
        {"protocol": 0},
        {"protocol": 2**63},
        {"last_seq": -1},
        {"epoch": "x" * 257},
        {"replay": "fast"},
        {"channels": {"a": -1}},
        {"channels": {"a": "1"}},
        {"channels": {"x" * 257: 1}},
        {"channels": {str(number): 0 for number in range(1025)}},
        {"client": {}},
        {"client": {"name": "x" * 257}},
    ],
    ids=range(11),
)
@pytest.mark.parametrize("dialect", Dialect)
def test_knows_the_bounds_that_the_codec_holds_to(body: dict[str, Json], dialect: Dialect) -> None:
    """Lengths, bounds and choices are in the schema as they are in the classes."""
    text = frame(Connect, body, dialect)
    with pytest.raises(InvalidMessageError):
        codec.decode(text, dialect)
    assert not is_valid(text, dialect, "ClientMessage")


@given(json_values, dialects)
def test_refuses_what_is_no_message(value: Json, dialect: Dialect) -> None:
    """Neither schema nor codec takes a value that names no message."""
    assert not is_valid(json.dumps(value), dialect, "ClientMessage")


@attrs.frozen
class Example:
    """A class that is no message."""

    page: int = attrs.field(validator=[ge(1), le(9)])
    """Which."""
    names: tuple[str, ...] = ()
    label: str | None = attrs.field(default=None, validator=optional([min_len(1), max_len(5)]))


def test_describes_other_classes() -> None:
    """Arguments and results of commands are described in the same way."""
    assert class_schema(Example) == {
        "type": "object",
        "description": "A class that is no message.",
        "required": ["page"],
        "properties": {
            "page": {"type": "integer", "minimum": 1, "maximum": 9, "description": "Which."},
            "names": {"type": "array", "items": {"type": "string"}, "default": []},
            "label": {"type": ["string", "null"], "minLength": 1, "maxLength": 5},
        },
    }


@attrs.frozen
class Positive:
    """A class with a bound that JSON Schema has words for, and this package none."""

    number: int = attrs.field(validator=gt(0))


@attrs.frozen
class Choice:
    """A class with a choice that is no `Literal`."""

    number: int = attrs.field(validator=in_([1, 2]))


@pytest.mark.parametrize("cls", [Positive, Choice])
def test_does_not_pass_over_a_validator(cls: type) -> None:
    """A bound that it has no words for stops it: a schema that says too little would be a lie."""
    with pytest.raises(KeyError):
        class_schema(cls)
