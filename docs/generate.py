"""
Writes the generated parts of the documents anew: `python docs/generate.py`.

With `--check` it writes nothing, and exits with 1 if a document is stale. The
tables come from the classes and tables of the package itself, so that no
document can say anything else.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import runpy
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

import bamboo_gateway
from bamboo_gateway.commands import COMMANDS, CommandSpec
from bamboo_gateway.commands.session import MAX_PAGE
from bamboo_gateway.config import GatewayConfig, Setting
from bamboo_gateway.errors import ERROR_CODES, ErrorCode, ErrorMeaning
from bamboo_gateway.metrics import METRICS
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.closing import CLOSE_CODES, CloseCode, CloseMeaning
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.examples import EXAMPLES
from bamboo_gateway.protocol.framing import MAX_REASON_BYTES
from bamboo_gateway.protocol.messages import MAX_CHANNEL_CURSORS, MAX_ID_LENGTH, SessionEvent
from bamboo_gateway.protocol.schema import Schema, class_schema, wire_schema, with_parts
from bamboo_gateway.protocol.strict_json import INT64, MAX_EVENT_NESTING, MAX_NESTING
from bamboo_gateway.protocol.tags import CLIENT_TAGS, EVENT_TAGS
from bamboo_gateway.protocol.versions import SEED_EVENTS
from bamboo_gateway.refusals import HANDSHAKE_FAILURES
from bamboo_gateway.session.access import MAX_SHARES
from bamboo_gateway.session.attachments import MAX_PRESENCE_WATCHERS
from bamboo_gateway.session.metadata import MAX_METADATA_BYTES
from bamboo_gateway.token_record import scope_names

DOCS = Path(__file__).parent
PACKAGE = Path(bamboo_gateway.__file__).parent
BROWSER_CLIENT = PACKAGE / "web" / "client"

_TAGS = CLIENT_TAGS | EVENT_TAGS


# ── Markdown ─────────────────────────────────────────────────────────────────


def _table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """Write a table whose *head* has its columns parted by `|`; nothing, if there are no rows."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    rule = "|" + "---|" * (head.count("|") + 1)
    return "\n".join([f"| {head} |", rule, *lines]) if lines else ""


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _anchor(heading: str) -> str:
    """The anchor that Markdown viewers give to a heading."""
    return re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")


def _type_heading(name: str) -> str:
    """The heading of a class: not its bare name, which may be that of a message or command, too."""
    return f"{name} (type)"


def _type_link(name: str) -> str:
    return f"[`{name}`](#{_anchor(_type_heading(name))})"


# ── classes ──────────────────────────────────────────────────────────────────


def _summary(cls: type) -> str:
    return inspect.getdoc(cls) or ""


def _fields_table(
    cls: type, *, head: str = "field", from_client: bool = False, hide: Iterable[str] = ()
) -> str:
    """The fields of an attrs class but those to *hide*; *head* is what they are called."""
    schema = class_schema(cls)
    required = schema.get("required", [])
    rows = (
        (
            f"`{name}`",
            _kind_of(field, name in required),
            _given(field, name in required, from_client),
            _meaning(field),
        )
        for name, field in schema["properties"].items()
        if name not in hide
    )
    return _table(f"{head} | type | given | meaning", rows)


def _given(field: Schema, is_required: bool, from_client: bool) -> str:
    """A field with a default the gateway gives always, and a client need not."""
    if is_required or ("default" in field and not from_client):
        return "always"
    return f"optional (`{json.dumps(field['default'])}`)" if "default" in field else "optional"


def _kind_of(field: Schema, is_required: bool) -> str:
    """The type of a field in words; that an optional one may be null goes without saying."""
    kinds = [kind for kind in _kind_names(field) if is_required or kind != "null"]
    return " or ".join(kinds) + _bounds(field)


def _kind_names(field: Schema) -> Iterator[str]:
    if "$ref" in field:
        yield _type_link(field["$ref"].rpartition("/")[2])
    elif "anyOf" in field:
        for each in field["anyOf"]:
            yield from _kind_names(each)
    elif "enum" in field:
        yield from ("null" if each is None else f'`"{each}"`' for each in field["enum"])
    else:
        kinds = field.get("type", "any JSON")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            yield kind + _contents(field) if kind in {"array", "object"} else kind


def _contents(field: Schema) -> str:
    """What an array or object holds, where that is known."""
    inner = field.get("items") or field.get("additionalProperties")
    return " of " + " or ".join(_kind_names(inner)) if inner else ""


def _bounds(field: Schema) -> str:
    """What is allowed beyond the type; that integers have 64 bits goes without saying."""
    bounds = {key: bound for key, bound in field.items() if bound not in (INT64.start, INT64.stop - 1)}
    texts = [text.format(bounds[key]) for key, text in _BOUNDS.items() if key in bounds]
    return "".join(f", {text}" for text in texts)


_BOUNDS = {
    "minimum": "≥ {}",
    "maximum": "≤ {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "maxProperties": "at most {} keys",
}


def _meaning(field: Schema) -> str:
    return str(field.get("description", "")).replace("\n", " ")


# ── docs/protocol.md ─────────────────────────────────────────────────────────


def _client_messages() -> str:
    return _paragraphs(*(_message(cls) for cls in CLIENT_TAGS))


def _seed_events() -> str:
    return _paragraphs(*(_message(cls) for cls in EVENT_TAGS if cls in SEED_EVENTS))


def _later_events() -> str:
    return _paragraphs(*(_message(cls) for cls in EVENT_TAGS if cls not in SEED_EVENTS))


def _message(cls: type) -> str:
    """The section of one message: its names, meaning and fields, and an example in both dialects."""
    tag = _TAGS[cls]
    is_logged = issubclass(cls, SessionEvent)
    shared = set(attrs.fields_dict(SessionEvent)) - cls.__annotations__.keys() if is_logged else set()
    return _paragraphs(
        f"### `{tag.tagged}`",
        f"{_summary(cls)} In the serde dialect: `{tag.serde}`.",
        _fields_table(cls, from_client=cls in CLIENT_TAGS, hide=shared),
        f"And those of {_type_link('SessionEvent')}." if is_logged else "",
        _example(cls),
    )


def _example(cls: type) -> str:
    texts = [codec.encode(EXAMPLES[cls], dialect).decode() for dialect in Dialect]
    return "\n".join(["```json", *texts, "```"])


def _parts() -> str:
    """The classes that stand inside messages, and the fields that events in a log share."""
    inner = [cls for cls in dict.fromkeys(with_parts(_TAGS)) if cls not in _TAGS]
    return _paragraphs(*(_part(cls) for cls in (SessionEvent, *inner)))


def _part(cls: type) -> str:
    return _paragraphs(f"### {_type_heading(cls.__name__)}", _summary(cls), _fields_table(cls))


def _close_codes() -> str:
    rows = (
        (str(code.value), code.name, row.meaning, "yes" if row.reconnect else "no")
        for code, row in CLOSE_CODES.items()
    )
    return _table("code | name | meaning | reconnect?", rows)


def _error_codes() -> str:
    rows = ((f"`{code}`", row.meaning, "yes" if row.retryable else "no") for code, row in ERROR_CODES.items())
    return _table("code | meaning | may succeed later?", rows)


def _limits() -> str:
    rows = (
        (f"{MAX_NESTING}", "levels of arrays and objects in what a client sends"),
        (f"{MAX_EVENT_NESTING}", "levels in what the gateway sends"),
        (f"{INT64.start} to {INT64.stop - 1}", "integers, anywhere in a message"),
        (f"{MAX_ID_LENGTH} characters", "an id or name that a client chooses"),
        (f"{MAX_CHANNEL_CURSORS} entries", "`connect.channels`"),
        (f"{MAX_METADATA_BYTES} bytes", "the metadata of one session, as JSON"),
        (f"{MAX_PAGE} items", "one page of `session.list` or `session.history`"),
        (f"{MAX_SHARES} users", "with whom one session is shared"),
        (
            f"{MAX_PRESENCE_WATCHERS} watchers",
            "above it `presence` is no longer sent; `presence.list` still knows",
        ),
        (f"{MAX_REASON_BYTES} bytes", "the reason in a close frame"),
    )
    return _table("limit | of what", rows)


# ── docs/errors.md ───────────────────────────────────────────────────────────


def _error_entries() -> str:
    return _paragraphs(*(_error_entry(code, row) for code, row in ERROR_CODES.items()))


def _error_entry(code: ErrorCode, row: ErrorMeaning) -> str:
    again = "It may succeed later, unchanged." if row.retryable else "The same would be refused again."
    return f"### {code}\n\n{row.meaning} {again}"


def _close_entries() -> str:
    return _paragraphs(*(_close_entry(code, row) for code, row in CLOSE_CODES.items()))


def _close_entry(code: CloseCode, row: CloseMeaning) -> str:
    again = "Reconnect." if row.reconnect else "Do not reconnect."
    return f"### {code.value} {code.name}\n\n{row.meaning} {again}"


# ── docs/commands.md ─────────────────────────────────────────────────────────


def _command_list() -> str:
    rows = (
        (
            f"[`{spec.name}`](#{_anchor(spec.name)})",
            spec.summary,
            "first result" if spec.changes else "reads anew",
            _scopes(spec),
        )
        for spec in COMMANDS.values()
    )
    return _table("command | what it does | repeated under its `id` | scope", rows)


def _scopes(spec: CommandSpec) -> str:
    return " or ".join(f"`{scope}`" for scope in scope_names(spec.scopes)) or "none"


def _commands() -> str:
    return _paragraphs(*(_command(spec) for spec in COMMANDS.values()))


def _command(spec: CommandSpec) -> str:
    return _paragraphs(
        f"### `{spec.name}`",
        spec.summary,
        _fields_table(spec.arguments, head="argument", from_client=True) or "It takes no arguments.",
        f"Result: {_type_link(spec.result.__name__)}.",
    )


def _command_results() -> str:
    results = with_parts(spec.result for spec in COMMANDS.values())
    return _paragraphs(*(_part(cls) for cls in sorted(set(results), key=lambda cls: cls.__name__)))


# ── docs/configuration.md ────────────────────────────────────────────────────


def _settings() -> str:
    rows = (_setting(field) for field in attrs.fields(GatewayConfig))
    return _table(
        "setting | kind | default | meaning | 0 switches it off? | a change waits for a restart?", rows
    )


def _setting(field: attrs.Attribute[Any]) -> tuple[str, ...]:
    setting = Setting.of(field)
    default = "none" if field.default in (None, ()) else f"`{field.default}`"
    off = "yes" if setting.can_be_off else ""
    waits = "yes" if setting.needs_restart else "from or to none" if setting.is_switch else ""
    return f"`{field.name}`", setting.kind, default, setting.meaning, off, waits


# ── docs/metrics.md ──────────────────────────────────────────────────────────


def _metrics() -> str:
    rows = (
        (
            f"`{metric.name}`",
            metric.kind,
            ", ".join(f"`{label.name}`" for label in metric.labels),
            metric.help,
        )
        for metric in METRICS.values()
    )
    return _table("metric | kind | labels | meaning", rows)


def _labels() -> str:
    labels = ((metric.name, label) for metric in METRICS.values() for label in metric.labels)
    rows = (
        (
            f"`{label.name}`",
            f"`{name}`",
            ", ".join(f"`{value}`" for value in label.values) or "one, of the build",
        )
        for name, label in labels
    )
    return _table("label | of | values", rows)


def _handshake_failures() -> str:
    return _table("reason | meaning", ((f"`{each}`", text) for each, text in HANDSHAKE_FAILURES.items()))


# ── the documents ────────────────────────────────────────────────────────────

PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "protocol.md": {
        "client-messages": _client_messages,
        "seed-events": _seed_events,
        "later-events": _later_events,
        "parts": _parts,
        "close-codes": _close_codes,
        "error-codes": _error_codes,
        "limits": _limits,
    },
    "errors.md": {
        "error-entries": _error_entries,
        "close-entries": _close_entries,
        "handshake-failures": _handshake_failures,
    },
    "commands.md": {
        "command-list": _command_list,
        "commands": _commands,
        "command-results": _command_results,
    },
    "configuration.md": {"settings": _settings},
    "metrics.md": {
        "metrics": _metrics,
        "labels": _labels,
        "handshake-failures": _handshake_failures,
    },
}


def documents() -> Iterator[tuple[Path, str]]:
    """Every document that is generated, or has generated parts, and what it should hold."""
    schema = json.dumps(wire_schema(), indent=2, ensure_ascii=False)
    yield DOCS / "protocol.schema.json", f"{schema}\n"
    for name, makers in PARTS.items():
        yield DOCS / name, _filled(DOCS / name, makers)
    if (reference := DOCS / "cli_reference.py").exists():
        yield DOCS / "cli.md", runpy.run_path(str(reference))["render"]()
    browser = runpy.run_path(str(DOCS / "browser_types.py"))
    yield BROWSER_CLIENT / "messages.d.ts", browser["render_messages"]()
    yield BROWSER_CLIENT / "protocol.js", browser["render_protocol"]()
    dashboard = DOCS / "grafana_dashboard.py"
    yield DOCS / "grafana" / "bamboo-gateway.json", runpy.run_path(str(dashboard))["render"]()
    yield DOCS / "python.md", runpy.run_path(str(DOCS / "python_reference.py"))["render"]()


def _filled(document: Path, makers: Mapping[str, Callable[[], str]]) -> str:
    """Put what *makers* make between the markers that have their names."""
    text = document.read_text(encoding="utf-8")
    for name, make in makers.items():
        start, end = f"<!-- generated:{name} -->", f"<!-- /generated:{name} -->"
        before, found, rest = text.partition(start)
        _, found_end, after = rest.partition(end)
        if not (found and found_end):
            sys.exit(f"{document.name} has no {start} … {end}")
        text = f"{before}{start}\n\n{make()}\n\n{end}{after}"
    return text


def main() -> None:
    """Write the documents, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if one is stale")
    check = parser.parse_args().check
    stale = [
        (path, text) for path, text in documents() if not path.exists() or path.read_text("utf-8") != text
    ]
    for path, text in stale:
        if check:
            root = DOCS if path.is_relative_to(DOCS) else PACKAGE
            name = path.relative_to(root.parent)
            print(f"{name} is stale: run python docs/generate.py", file=sys.stderr)
        else:
            path.write_text(text, encoding="utf-8")
    sys.exit(check and bool(stale))


if __name__ == "__main__":
    main()
