"""
The wire: JSON text ⇄ messages, strictly, in either dialect.

Nothing is coerced (`"5"` is not 5), nothing is guessed, and whatever is wrong
with a frame comes out as one `InvalidMessageError` that says where. The same
checks hold on the way out, so an embedder's slip never reaches a client. This
is the only module that knows cattrs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring as _quote
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from ..errors import InvalidMessageError
from . import checks, messages, strict_json
from .tags import CLIENT_TAGS, EVENT_TAGS, Dialect, Tag

__all__ = [
    "Dialect",
    "decode",
    "decode_event",
    "detect_dialect",
    "encode",
    "encode_body",
    "encode_entry",
    "structure",
    "unstructure",
    "wrap",
]

MAX_MISFITS = 5
"""How many faults of one message its error tells of: the text must not grow with what a client sends."""

T = TypeVar("T")


# ── values ───────────────────────────────────────────────────────────────────
# Left alone, cattrs coerces scalars and leaks an AttributeError for a list in a class's place (measured).


def _structure_mapping(kind: Any) -> Callable[[Any, Any], Any]:
    item_kind = get_args(kind)[1]
    check = _converter.get_structure_hook(item_kind)

    def structure_item(key: str, item: messages.Json) -> Any:
        try:
            return check(item, item_kind)
        except InvalidMessageError as error:
            raise InvalidMessageError(f"key {key!r:.80}: {error}") from None

    return lambda value, _: {
        key: structure_item(key, item) for key, item in checks.json_object(value).items()
    }


def _structure_class(cls: type) -> Callable[[Any, Any], Any]:
    from_dict: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, _converter)
    return lambda value, _: from_dict(checks.json_object(value), cls)


def _unstructure_mapping(value: Any) -> dict[str, messages.Json]:
    if not isinstance(value, Mapping):
        raise checks.misfit("an object", value)
    # The json module would turn a key of 1, True or None into some string.
    return {checks.string(key): _converter.unstructure(item) for key, item in value.items()}


def _unstructure_class(cls: type) -> Callable[[Any], Any]:
    attrs.resolve_types(cls)
    hooks = {field.name: _leaving(field) for field in attrs.fields(cls)}
    overrides: dict[str, Any] = {
        field.name: override(omit_if_default=field.default is None, unstruct_hook=hooks[field.name])
        for field in attrs.fields(cls)
    }
    to_dict: Callable[[Any], Any] = make_dict_unstructure_fn(cls, _converter, **overrides)

    def unstructure_class(value: Any) -> Any:
        if not isinstance(value, cls):
            raise checks.misfit(cls.__name__, value)
        try:
            return to_dict(value)
        except InvalidMessageError as error:
            raise InvalidMessageError(f"{_culprit(value, hooks)}: {error}") from None

    return unstructure_class


def _leaving(field: attrs.Attribute[Any]) -> Callable[[Any], Any]:
    """How *field* leaves; it does not if None is its default and its value."""
    if messages.PLAIN in field.metadata:
        return _as_it_is  # to walk through it once more took longer than to write it
    kinds = get_args(field.type)
    is_optional = field.default is None and NoneType in kinds
    return _converter.get_unstructure_hook(kinds[0] if is_optional else field.type)


def _as_it_is(value: messages.Json) -> messages.Json:
    return value


def _culprit(message: Any, hooks: Mapping[str, Callable[[Any], Any]]) -> str:
    """The field of *message* that does not fit: cattrs names it on the way in only."""
    defaults = {field.name: field.default for field in attrs.fields(type(message))}
    suspects = [name for name in hooks if getattr(message, name) is not defaults[name]]
    return next(name for name in suspects if not _fits(getattr(message, name), hooks[name]))


def _fits(value: Any, hook: Callable[[Any], Any]) -> bool:
    try:
        hook(value)
    except InvalidMessageError:
        return False
    return True


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is dict


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


_converter = cattrs.Converter()
for _scalar, _check in checks.SCALARS.items():
    _converter.register_structure_hook(_scalar, _check)
    _converter.register_unstructure_hook(_scalar, _check)
_converter.register_structure_hook_factory(_is_literal, checks.choice_of)
_converter.register_unstructure_hook_factory(_is_literal, checks.choice_of)
_converter.register_structure_hook_factory(_is_mapping, _structure_mapping)
_converter.register_unstructure_hook_func(_is_mapping, _unstructure_mapping)
_converter.register_unstructure_hook(Mapping, _unstructure_mapping)
_converter.register_structure_hook_factory(attrs.has, _structure_class)
_converter.register_unstructure_hook_factory(attrs.has, _unstructure_class)


def structure(value: messages.Json, cls: type[T]) -> T:
    """
    Build a *cls* (an attrs class) from a decoded JSON object.

    Raises:
        InvalidMessageError: The value does not fit; the misfits are named with their paths.
    """
    try:
        return _converter.structure(value, cls)
    except (cattrs.BaseValidationError, InvalidMessageError) as error:
        raise InvalidMessageError(_explain(error)) from None


def unstructure(value: Any) -> messages.Json:
    """
    Turn attrs values, alone or in containers, into JSON values; optional fields that are None are left out.

    Raises:
        InvalidMessageError: A field does not hold what its type says, or a value holds itself.
    """
    try:
        return _converter.unstructure(value)
    except RecursionError:
        raise InvalidMessageError("nesting too deep, or a value that holds itself") from None


def _explain(error: Exception) -> str:
    return "; ".join(cattrs.transform_error(error, "$", _phrase)[:MAX_MISFITS])


def _phrase(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return f"required field {error.args[0]!r} is missing"
    return str(error)


# ── frames ───────────────────────────────────────────────────────────────────


def _by_name(tags: Mapping[type, Tag]) -> dict[Dialect, dict[str, type]]:
    return {dialect: {tag.name(dialect): cls for cls, tag in tags.items()} for dialect in Dialect}


_CLIENTS = _by_name(CLIENT_TAGS)
_EVENTS = _by_name(EVENT_TAGS)


def detect_dialect(text: str) -> Dialect | None:
    """Tell the dialect of a client's first frame; None where the frame speaks neither."""
    try:
        value = strict_json.parse(text)
    except InvalidMessageError:
        return None
    if not isinstance(value, dict):
        return None
    if "type" in value:
        return Dialect.TAGGED
    return Dialect.SERDE if len(value) == 1 and value.keys() <= _CLIENTS[Dialect.SERDE].keys() else None


def decode(text: str, dialect: Dialect = Dialect.TAGGED) -> messages.ClientMessage:
    """
    Read what a client sent.

    Raises:
        InvalidMessageError: The text is no client message in this dialect.
    """
    message: messages.ClientMessage = _read(strict_json.parse(text), dialect, _CLIENTS[dialect])
    return message


def decode_event(text: str, dialect: Dialect = Dialect.TAGGED) -> messages.GatewayEvent:
    """
    Read what the gateway sent.

    Raises:
        InvalidMessageError: The text is no event in this dialect.
    """
    value = strict_json.parse(text, strict_json.MAX_EVENT_NESTING)
    event: messages.GatewayEvent = _read(value, dialect, _EVENTS[dialect])
    return event


def _read(value: messages.Json, dialect: Dialect, classes: Mapping[str, type]) -> Any:
    name, body = _split(checks.json_object(value), dialect)
    if not isinstance(name, str) or name not in classes:
        raise InvalidMessageError(f"unknown kind of message {name!r:.80}; known: {', '.join(classes)}")
    return structure(body, classes[name])


def _split(value: dict[str, messages.Json], dialect: Dialect) -> tuple[messages.Json, messages.Json]:
    """Part the name of a message from its fields."""
    if dialect is Dialect.TAGGED:
        if "type" not in value:
            raise InvalidMessageError(
                "required field 'type' is missing: this connection speaks the tagged dialect"
            )
        return value["type"], value
    if len(value) != 1:
        raise InvalidMessageError(
            "expected an object with one key, the message's name: this connection speaks the serde dialect"
        )
    return next(iter(value.items()))


def encode_body(message: messages.ClientMessage | messages.GatewayEvent) -> bytes:
    """
    Encode the fields of a message, which are the same in both dialects; name the message with `wrap`.

    Raises:
        InvalidMessageError: A field does not hold what its type says, or a value in it is no JSON (NaN, a
            lone surrogate, a foreign type, a cycle).
    """
    try:
        return strict_json.dump(unstructure(message))
    except InvalidMessageError as error:
        raise InvalidMessageError(f"{type(message).__name__} cannot be encoded: {error}") from None


def encode_entry(
    event: messages.LoggedEvent, *, seq: int, ts: int, run_id: str | None, channel: str | None
) -> bytes:
    """
    Encode *event* as `encode_body` does, with these in place of its own.

    Raises:
        InvalidMessageError: As `encode_body`.
    """
    if type(event) is messages.AgentToken:
        # Nearly all that a gateway logs is tokens: so written, each takes a tenth of the time (measured).
        try:
            run = "" if run_id is None else f',"run_id":{_quote(run_id)}'
            place = "" if channel is None else f',"channel":{_quote(channel)}'
            return (
                f'{{"session_id":{_quote(event.session_id)},"token":{_quote(event.token)}'
                f',"seq":{seq}{run},"ts":{ts}{place}}}'
            ).encode()
        except (TypeError, UnicodeEncodeError):
            pass  # below, it is said what is wrong with it
    stamp: dict[str, Any] = {"seq": seq, "ts": ts, "run_id": run_id, "channel": channel}
    return encode_body(attrs.evolve(event, **stamp))


def wrap(cls: type, body: bytes, dialect: Dialect) -> bytes:
    """Put the name of the message class *cls* to the *body* that `encode_body` made."""
    head = _HEADS[dialect, cls]
    if dialect is Dialect.SERDE:
        return head + body + b"}"
    # An empty body has no field that a comma could part from the name.
    return head + b"}" if body == b"{}" else head + b"," + body[1:]


def _head(tag: Tag, dialect: Dialect) -> bytes:
    name = tag.name(dialect)
    return (f'{{"type":"{name}"' if dialect is Dialect.TAGGED else f'{{"{name}":').encode()


_HEADS = {
    (dialect, cls): _head(tag, dialect)
    for dialect in Dialect
    for cls, tag in (CLIENT_TAGS | EVENT_TAGS).items()
}


def encode(
    message: messages.ClientMessage | messages.GatewayEvent, dialect: Dialect = Dialect.TAGGED
) -> bytes:
    """
    Encode a message as one JSON text in UTF-8.

    Raises:
        InvalidMessageError: A field does not hold what its type says, or a value in it is no JSON (NaN, a
            lone surrogate, a foreign type, a cycle).
    """
    return wrap(type(message), encode_body(message), dialect)
