"""The JSON Schema of the wire (draft 2020-12), made from the message classes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from types import NoneType
from typing import Any, Literal, TypeAlias, get_args, get_origin

import attrs

from . import codec
from .examples import EXAMPLES
from .field_docs import field_docs
from .messages import Json
from .strict_json import INT64
from .tags import CLIENT_TAGS, EVENT_TAGS, Dialect, Tag
from .versions import SEED_EVENTS

Schema: TypeAlias = dict[str, Json]

_SCALARS: Mapping[Any, Schema] = {
    Any: {},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": INT64.start, "maximum": INT64.stop - 1},
    float: {"type": "number"},
}

_ARRAYS = (tuple, list, Sequence)


def wire_schema() -> Schema:
    """
    Describe every message in both dialects.

    `$defs` has the fields of each class by its name, and for each dialect three
    unions: `tagged.ClientMessage`, `tagged.GatewayEvent`, and `tagged.SeedEvent`
    (what a client of protocol 1 is sent). A schema has no words for duplicate
    keys, lone surrogates and `1.0` in an integer's place; the codec refuses them.
    """
    unions = {
        f"{dialect}.{name}": _union(tags, dialect) for dialect in Dialect for name, tags in _UNIONS.items()
    }
    classes = {cls.__name__: class_schema(cls) for cls in with_parts(CLIENT_TAGS | EVENT_TAGS)}
    for cls, example in EXAMPLES.items():
        classes[cls.__name__]["examples"] = [codec.unstructure(example)]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bamboo Gateway: the messages of its WebSocket protocol",
        "anyOf": [_reference(name) for name in unions],
        "$defs": unions | classes,
    }


_UNIONS: Mapping[str, Mapping[type, Tag]] = {
    "ClientMessage": CLIENT_TAGS,
    "GatewayEvent": EVENT_TAGS,
    "SeedEvent": {cls: tag for cls, tag in EVENT_TAGS.items() if cls in SEED_EVENTS},
}


def _union(tags: Mapping[type, Tag], dialect: Dialect) -> Schema:
    return {"oneOf": [_named(cls, tag, dialect) for cls, tag in tags.items()]}


def _named(cls: type, tag: Tag, dialect: Dialect) -> Schema:
    """A message of class *cls* together with its name."""
    fields = _reference(cls.__name__)
    if dialect is Dialect.TAGGED:
        return fields | {"properties": {"type": {"const": tag.tagged}}, "required": ["type"]}
    return {
        "type": "object",
        "properties": {tag.serde: fields},
        "required": [tag.serde],
        "additionalProperties": False,
    }


def with_parts(classes: Iterable[type]) -> Iterator[type]:
    """The *classes*, each followed by the attrs classes that its fields hold; some come twice."""
    for cls in classes:
        yield cls
        attrs.resolve_types(cls)
        kinds = [kind for field in attrs.fields(cls) for kind in _kinds(field.type)]
        yield from with_parts(kind for kind in kinds if isinstance(kind, type) and attrs.has(kind))


def _kinds(kind: Any) -> Iterator[Any]:
    """A type, and those that it is made of, however deep."""
    yield kind
    for each in get_args(kind):
        yield from _kinds(each)


def class_schema(cls: type) -> Schema:
    """Describe the fields of an attrs class; the classes inside it are references into `$defs`."""
    attrs.resolve_types(cls)
    docs = field_docs(cls)
    fields = attrs.fields(cls)
    schema: Schema = {"type": "object", "description": inspect.getdoc(cls)}
    if required := [field.name for field in fields if field.default is attrs.NOTHING]:
        schema["required"] = required
    schema["properties"] = {
        field.name: _field_schema(field) | _annotations(field, docs.get(field.name)) for field in fields
    }
    return schema


def _annotations(field: attrs.Attribute[Any], text: str | None) -> Schema:
    default = {} if field.default in (attrs.NOTHING, None) else {"default": codec.unstructure(field.default)}
    return default | ({"description": text} if text else {})


def _field_schema(field: attrs.Attribute[Any]) -> Schema:
    return _constrain(_kind_schema(field.type), field.validator)


def _kind_schema(kind: Any) -> Schema:
    """Describe the values of one type."""
    if kind in _SCALARS:
        return _SCALARS[kind]
    members = get_args(kind)
    if NoneType in members:
        return _or_null(_kind_schema(members[0]))
    if get_origin(kind) is Literal:
        return {"enum": list(members)}
    if get_origin(kind) in _ARRAYS:
        return {"type": "array", "items": _kind_schema(members[0])}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": _kind_schema(members[1])}
    return _reference(kind.__name__)


def _or_null(schema: Schema) -> Schema:
    if "type" in schema:
        return schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]}


def _constrain(schema: Schema, validator: Any) -> Schema:
    """
    Add to *schema* what a validator of attrs demands.

    Raises:
        KeyError: JSON Schema has no words for this validator here.
    """
    return _CONSTRAINTS[type(validator).__name__](schema, validator)


_BOUNDS: Mapping[str, str] = {">=": "minimum", "<=": "maximum"}


def _constrain_length(schema: Schema, validator: Any) -> Schema:
    limit = "maxProperties" if "additionalProperties" in schema else "maxLength"
    return schema | {limit: validator.max_length}


def _constrain_mapping(schema: Schema, validator: Any) -> Schema:
    return _constrain(schema, validator.mapping_validator) | {
        "propertyNames": _constrain({}, validator.key_validator),
        "additionalProperties": _constrain(schema["additionalProperties"], validator.value_validator),
    }


# The classes of attrs' validators are private, so they are told by name; tests hold the outcome against them.
_CONSTRAINTS: Mapping[str, Callable[[Schema, Any], Schema]] = {
    "NoneType": lambda schema, _: schema,
    "_InstanceOfValidator": lambda schema, _: schema,
    "_OptionalValidator": lambda schema, validator: _constrain(schema, validator.validator),
    "_AndValidator": lambda schema, validator: reduce(_constrain, validator._validators, schema),
    "_NumberValidator": lambda schema, validator: schema | {_BOUNDS[validator.compare_op]: validator.bound},
    "_MinLengthValidator": lambda schema, validator: schema | {"minLength": validator.min_length},
    "_MaxLengthValidator": _constrain_length,
    "_DeepMapping": _constrain_mapping,
}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
