"""A settings file to begin with: every setting, what it means, and its default."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import attrs

from ..config import Setting
from ..version import __version__
from .duration import format_duration
from .settings import SETTINGS
from .toml_text import to_toml

_WIDTH = 100

_HEAD = f"""\
Settings of bamboo-gateway {__version__}, for `bamboo-gateway serve --config FILE`.

Each setting stands here with what it means and, behind a #, its default: take the # away to set another. \
What is in the environment (BAMBOO_BIND, and so on) or typed goes before this file.

A duration is a number of seconds, or a text with a unit: "90s", "15m", "24h", "7d". `bamboo-gateway config \
show --config FILE` tells what is in force in the end, and `bamboo-gateway doctor --config FILE` whether it \
will do. A gateway that runs reads the file again at SIGHUP; what has to wait for a restart says so here.
"""

_EXAMPLES: dict[str, Any] = {
    "tls_cert": "cert.pem",
    "tls_key": "key.pem",
    "auth_token": "a long random text",
    "session_max_age": "30d",
    "tokens": "tokens.json",
}
"""Of settings that have no default: what one may look like."""

_AFTER = {
    "agent": "The agent `openai` has settings of its own, as variables: OPENAI_API_KEY, OPENAI_BASE_URL, "
    "BAMBOO_OPENAI_MODEL and others.",
}

_PRINCIPALS = """\
principals: who else may come in, and what they may do. `bamboo-gateway token create --toml` writes an \
entry, which has to stand at the end of this file:
"""

_ENTRY = """\
#[[principals]]
#id = "1a2b3c4d"
#user_id = "ann"
#scopes = ["chat", "sessions:read", "sessions:write"]
#digest = "sha256: and 64 hexadecimal digits"
"""


def template() -> str:
    """Write the file."""
    parts = [_comment(_HEAD), *map(_entry, _fields()), f"{_comment(_PRINCIPALS)}\n{_ENTRY.rstrip()}"]
    return "\n\n".join(parts) + "\n"


def _fields() -> Iterator[attrs.Attribute[Any]]:
    """Without the tables: in TOML, what follows one would be a part of it."""
    return (field for field in SETTINGS.values() if Setting.of(field).kind != "tokens")


def _entry(field: attrs.Attribute[Any]) -> str:
    lines = [_comment(" ".join(_sentences(field)))]
    if field.name in _AFTER:
        lines.append(_comment(_AFTER[field.name]))
    return "\n".join([*lines, f"#{field.name} = {to_toml(_value(field))}"])


def _sentences(field: attrs.Attribute[Any]) -> Iterator[str]:
    it = Setting.of(field)
    yield it.meaning
    if it.choices:
        yield f"One of {', '.join(it.choices)}."
    if it.can_be_off:
        yield "0 switches it off."
    if it.needs_restart:
        yield "Waits for a restart."
    if field.default is None:
        yield "It has no default; for example:"


def _value(field: attrs.Attribute[Any]) -> Any:
    if field.default is None:
        return _EXAMPLES[field.name]
    if Setting.of(field).kind == "seconds":
        return format_duration(field.default)
    return field.default


def _comment(text: str) -> str:
    paragraphs = (
        textwrap.wrap(each, _WIDTH - 2, break_on_hyphens=False) for each in text.strip().split("\n\n")
    )
    return "\n#\n".join("\n".join(f"# {line}" for line in lines) for lines in paragraphs)
