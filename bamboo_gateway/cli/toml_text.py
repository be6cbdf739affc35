"""Values as TOML writes them."""

from __future__ import annotations

import json
import re

from ..protocol.messages import Json

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(value: Json) -> str:
    """
    Write what JSON and TOML write alike: texts, numbers, true and false, lists; and small tables.

    Null is nothing that TOML knows.
    """
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {to_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, str):
        # A name of the file system may hold what is no Unicode; then neither can TOML.
        value = value.encode(errors="replace").decode()
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else to_toml(name)
