"""
The browser client's generated modules, made from the gateway's own classes and tables.

`messages.d.ts` has the types of all messages, commands and their results, for
TypeScript; `protocol.js` has the few numbers and tables that the client needs.
`docs/generate.py` writes both.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator

from bamboo_gateway.commands import COMMANDS
from bamboo_gateway.protocol.closing import CLOSE_CODES
from bamboo_gateway.protocol.messages import MAX_CHANNEL_CURSORS, MAX_ID_LENGTH
from bamboo_gateway.protocol.schema import Schema, class_schema, with_parts
from bamboo_gateway.protocol.strict_json import MAX_NESTING
from bamboo_gateway.protocol.tags import CLIENT_TAGS, EVENT_TAGS, Tag
from bamboo_gateway.protocol.versions import LATEST

_MADE = "// Made by docs/generate.py; edit the gateway's own classes instead.\n"

_SCALARS = {"string": "string", "boolean": "boolean", "integer": "number", "number": "number", "null": "null"}


def render_messages() -> str:
    """The module of types."""
    sent = set(with_parts([*CLIENT_TAGS, *(spec.arguments for spec in COMMANDS.values())]))
    classes = dict.fromkeys(with_parts([*CLIENT_TAGS, *EVENT_TAGS]))
    classes |= dict.fromkeys(
        each for spec in COMMANDS.values() for each in with_parts([spec.arguments, spec.result])
    )
    tags = CLIENT_TAGS | EVENT_TAGS
    parts = [
        f"{_MADE}// The types of what goes over the wire, for whoever checks a program with TypeScript.",
        "/** A JSON value. */\nexport type Json = any;",
        *(_interface(cls, tags.get(cls), from_client=cls in sent) for cls in classes),
        _table("GatewayEvents", "Name of each event of the gateway → its message.", _events()),
        "/** Whatever the gateway says. */\nexport type GatewayEvent = GatewayEvents[keyof GatewayEvents];",
        _table("Commands", "Name of each command → its arguments and its result.", _commands()),
    ]
    return "\n\n".join(parts) + "\n"


def render_protocol() -> str:
    """The module of numbers and tables."""
    rows = "\n".join(
        f"  {code.value}: {{ name: {_text(code.name)}, "
        f"reconnect: {json.dumps(row.reconnect)}, meaning: {_text(row.meaning)} }},"
        for code, row in CLOSE_CODES.items()
    )
    return f"""{_MADE}
/** The protocol that this client speaks. */
export const PROTOCOL = {LATEST};

/** Entries that `connect.channels` may have. */
export const MAX_CHANNEL_CURSORS = {MAX_CHANNEL_CURSORS};

/** Characters of an id or a name. */
export const MAX_ID_LENGTH = {MAX_ID_LENGTH};

/** Levels of arrays and objects in a message. */
export const MAX_NESTING = {MAX_NESTING};

/**
 * Close code → what it means, and whether a client shall come back by itself.
 *
 * @type {{Record<number, {{name: string, reconnect: boolean, meaning: string}}>}}
 */
export const CLOSE_CODES = {{
{rows}
}};
"""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str, indent: str = "") -> list[str]:
    """*text*, as what stands before a declaration; nothing, if there is none."""
    match text.splitlines():
        case []:
            return []
        case [line]:
            return [f"{indent}/** {line} */"]
        case lines:
            middle = [f"{indent} * {line}".rstrip() for line in lines]
            return [f"{indent}/**", *middle, f"{indent} */"]


def _interface(cls: type, tag: Tag | None, *, from_client: bool) -> str:
    """The fields of one class; a message has its `type` as well."""
    schema = class_schema(cls)
    required = schema.get("required", [])
    lines = [] if tag is None else [f'  type: "{tag.tagged}";']
    for name, field in schema["properties"].items():
        is_given = name in required or ("default" in field and not from_client)
        lines += _comment(str(field.get("description", "")), "  ")
        lines.append(f"  {name}{'' if is_given else '?'}: {_kind(field)};")
    head = _comment(inspect.getdoc(cls) or "")
    if not lines:
        return "\n".join([*head, f"export type {cls.__name__} = Record<string, never>;"])
    return "\n".join([*head, f"export interface {cls.__name__} {{", *lines, "}"])


def _kind(field: Schema) -> str:
    """The type of one field, as TypeScript writes it."""
    return " | ".join(dict.fromkeys(_kinds(field)))


def _kinds(field: Schema) -> Iterator[str]:
    if "$ref" in field:
        yield field["$ref"].rpartition("/")[2]
    elif "anyOf" in field:
        for each in field["anyOf"]:
            yield from _kinds(each)
    elif "enum" in field:
        yield from (json.dumps(each) for each in field["enum"])
    elif "type" not in field:
        yield "Json"
    else:
        kinds = field["type"]
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            yield _container(kind, field) if kind in {"array", "object"} else _SCALARS[kind]


def _container(kind: str, field: Schema) -> str:
    if kind == "array":
        return f"Array<{_kind(field['items'])}>"
    return f"Record<string, {_kind(field.get('additionalProperties', {}))}>"


def _table(name: str, summary: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"  {_text(key)}: {kind};" for key, kind in rows]
    return "\n".join([f"/** {summary} */", f"export interface {name} {{", *lines, "}"])


def _events() -> Iterator[tuple[str, str]]:
    for cls, tag in EVENT_TAGS.items():
        yield tag.tagged, cls.__name__


def _commands() -> Iterator[tuple[str, str]]:
    for spec in COMMANDS.values():
        yield spec.name, f"{{ args: {spec.arguments.__name__}; result: {spec.result.__name__} }}"
