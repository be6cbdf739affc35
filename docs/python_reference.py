"""The reference of the public names, from their docstrings; `docs/generate.py` writes it to `python.md`."""

from __future__ import annotations

import enum
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import attrs

import bamboo_gateway
from bamboo_gateway import agents, client, ports, principal
from bamboo_gateway.channel_manager import ChannelManager
from bamboo_gateway.protocol.field_docs import field_docs
from bamboo_gateway.session.session import Session
from bamboo_gateway.session_manager import SessionManager
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.storage.sqlite import SQLiteStorage
from bamboo_gateway.turn import ToolCall

_HEAD = """\
# Python

The public names of the package, from their own docstrings. How to use them is in
[embedding](embedding.md) and [agents](agents.md). `GatewayConfig` takes [every
setting](configuration.md) by its name; the classes of `bamboo_gateway.protocol` are the
[messages](protocol.md), field by field.

A name that stands neither here nor there is not public, and may change.
"""

GROUPS: Mapping[str, Sequence[Any]] = {
    "The gateway": [
        bamboo_gateway.Gateway,
        SessionManager,
        ChannelManager,
        Session,
        bamboo_gateway.ConfigError,
        bamboo_gateway.GatewayError,
    ],
    "Agents": [bamboo_gateway.Turn, ToolCall, bamboo_gateway.AgentError, agents.load_agent],
    "Who may come in": [principal.Principal, principal.Scope, principal.Quotas, principal.Credentials],
    "The client": [
        client.connect,
        client.Client,
        client.Disconnected,
        client.Reconnect,
        client.ClientLimits,
        client.ConnectError,
        client.RefusedError,
        client.NoReplyError,
        client.ClosedError,
    ],
    "Storage": [SQLiteStorage, MemoryStorage],
    "Ports": [
        ports.Agent,
        ports.ToolAgent,
        ports.Channel,
        ports.Authenticator,
        ports.RevocableAuthenticator,
        ports.SessionStorage,
    ],
}
"""What is public, in the order in which it is read."""

_HIDDEN: Mapping[type, set[str]] = {
    bamboo_gateway.Gateway: {"measure"},
    client.Reconnect: {"pause", "give_up_at"},
    client.ClosedError: {"again"},
    ChannelManager: {"address", "open", "send", "sending"},
    SQLiteStorage: {name for name in vars(SQLiteStorage) if not name.startswith("_")},
    MemoryStorage: {name for name in vars(MemoryStorage) if not name.startswith("_")},
}
"""What is called by the gateway itself, or is explained by the port."""

_SECTION = re.compile(r"^(Args|Returns|Raises|Yields):$")


def render() -> str:
    """Write the whole document."""
    groups = (f"## {title}\n\n" + "\n\n".join(map(_entry, names)) for title, names in GROUPS.items())
    return f"{_HEAD}\n" + "\n\n".join(groups) + "\n"


def _entry(thing: Any) -> str:
    is_class = inspect.isclass(thing)
    code = _code(thing.__name__, _call(thing), "" if is_class else _prefix(thing))
    members = _members(thing) if is_class else ()
    parts = [f"### `{thing.__name__}`", _where(thing), code, _doc(thing), *members]
    return "\n\n".join(part for part in parts if part)


def _where(thing: Any) -> str:
    """The module that it is imported from: the nearest one to the root that has it."""
    names = str(thing.__module__).split(".")
    modules = [".".join(names[:end]) for end in range(1, len(names) + 1)]
    found = [name for name in modules if getattr(sys.modules[name], thing.__name__, None) is thing]
    return f"In `{found[0]}`."


# ── signatures ───────────────────────────────────────────────────────────────


def _call(thing: Any) -> inspect.Signature | None:
    """How it is called; None: nobody calls it."""
    if not inspect.isclass(thing):
        return inspect.signature(thing)
    is_called = attrs.has(thing) or "__init__" in vars(thing)
    if thing in _MADE_INSIDE or not is_called or getattr(thing, "_is_protocol", False):
        return None
    return inspect.signature(thing).replace(return_annotation=inspect.Signature.empty)


_MADE_INSIDE = {SessionManager, ChannelManager, Session, bamboo_gateway.Turn, ToolCall, client.Client}
"""Classes whose objects a program is given, and does not make."""


def _code(name: str, signature: inspect.Signature | None, prefix: str = "") -> str:
    if signature is None:
        return ""
    parameters = list(signature.parameters.values())
    parameters = parameters[1:] if parameters and parameters[0].name == "self" else parameters
    texts = list(_parameters(parameters))
    returns = signature.return_annotation
    end = "" if returns is inspect.Signature.empty else f" -> {_annotation(returns)}"
    line = f"{prefix}{name}({', '.join(texts)}){end}"
    if len(line) > 88 and texts:
        line = f"{prefix}{name}(\n" + "".join(f"    {text},\n" for text in texts) + f"){end}"
    return f"```python signature\n{line}\n```"


def _parameters(parameters: Iterable[inspect.Parameter]) -> Iterator[str]:
    kind = None
    for each in parameters:
        if each.name == "task_status":  # nobody gives it by hand
            continue
        if each.kind is each.KEYWORD_ONLY and kind is not each.KEYWORD_ONLY:
            yield "*"
        if kind is each.POSITIONAL_ONLY and each.kind is not each.POSITIONAL_ONLY:
            yield "/"
        kind = each.kind
        star = "*" if each.kind is each.VAR_POSITIONAL else ""
        yield f"{star}{each.name}: {_annotation(each.annotation)}{_default(each.default)}"


def _annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _default(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return ""
    is_plain = isinstance(default, (str, int, float, tuple, frozenset, type(None)))
    return f" = {default!r}" if is_plain else " = …"


# ── members ──────────────────────────────────────────────────────────────────


def _members(cls: type) -> Iterator[str]:
    """The fields, properties and methods of a class that a program may use."""
    if issubclass(cls, enum.Enum):
        yield ", ".join(f"`{member.name}` (`{member.value}`)" for member in cls) + "."
        return
    if attrs.has(cls):
        yield _fields(cls)
    for name, member in vars(cls).items():
        if not _is_public(cls, name, member):
            continue
        if isinstance(member, property):
            assert member.fget is not None
            kind = _annotation(inspect.signature(member.fget).return_annotation)
            yield f"- `{name}`: `{kind}`. {_doc(member.fget)}"
        else:
            code = _code(name, inspect.signature(member), _prefix(member))
            yield "\n\n".join([f"#### `{cls.__name__}.{name}`", code, _doc(member)]).strip()


def _prefix(function: Any) -> str:
    if hasattr(function, "__wrapped__"):
        return "async with "  # there is no other decorator among these
    return "async " if inspect.iscoroutinefunction(function) else ""


def _is_public(cls: type, name: str, member: object) -> bool:
    if name in _HIDDEN.get(cls, set()):
        return False
    is_called = name == "__call__" and getattr(cls, "_is_protocol", False)
    return (is_called or not name.startswith("_")) and isinstance(member, (property, FunctionType))


def _fields(cls: type) -> str:
    docs = field_docs(cls)
    rows = [
        f"| `{field.name}` | `{_escape(_annotation(field.type))}` | {_one_line(docs.get(field.name) or '')} |"
        for field in attrs.fields(cls)
        if not field.name.startswith("_")
    ]
    return "\n".join(["| field | type | |", "|---|---|---|", *rows]) if rows else ""


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def _one_line(text: str) -> str:
    return _escape(" ".join(text.split()))


# ── docstrings ───────────────────────────────────────────────────────────────


def _doc(thing: Any) -> str:
    """A docstring as Markdown: its sections become lists."""
    paragraphs: list[str] = []
    for block in (inspect.getdoc(thing) or "").split("\n\n"):
        head, _, rest = block.partition("\n")
        section = _SECTION.match(head)
        paragraphs.append(_section(section[1], rest) if section else block)
    return "\n\n".join(paragraphs)


_TITLES = {"Args": "Arguments", "Returns": "Returns", "Raises": "Raises", "Yields": "Yields"}


def _section(name: str, text: str) -> str:
    lines = inspect.cleandoc(text).splitlines()
    if name in {"Returns", "Yields"}:
        return f"*{_TITLES[name]}*: {' '.join(line.strip() for line in lines)}"
    items: list[str] = []
    for line in lines:
        if line.startswith(" ") and items:
            items[-1] += f" {line.strip()}"
        else:
            subject, _, meaning = line.partition(": ")
            items.append(f"- `{subject}`: {meaning}")
    return f"*{_TITLES[name]}*\n\n" + "\n".join(items)
