"""What is known of one token: whose it is and what it allows, as files write it."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from .errors import ConfigError
from .principal import Principal, Quotas, Scope

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_MAX_LENGTH = 256
"""Characters of a user's id or a label: as of every name on the wire."""


@attrs.frozen
class TokenRecord:
    """
    One token, without its secret.

    Raises:
        ConfigError: A value is unusable; the text names it.
    """

    id: str
    """Its public name, which stands in the token, too."""
    user_id: str
    """Whose it is."""
    scopes: frozenset[Scope]
    digest: str = attrs.field(repr=False)
    """`sha256:` and the hex digits of the whole token's SHA-256."""
    created_at: float | None = None
    """Unix seconds."""
    expires_at: float | None = None
    """Unix seconds; None: never."""
    quotas: Quotas = attrs.field(factory=Quotas)
    label: str | None = None
    """For people."""

    def is_over(self, now: float) -> bool:
        """Has it expired at *now* (Unix seconds)?"""
        return self.expires_at is not None and self.expires_at <= now

    def principal(self) -> Principal:
        """Who shows it."""
        return Principal(self.user_id, self.scopes, self.expires_at, self.quotas, self.id, self.digest)


def read_record(value: object, place: str) -> TokenRecord:
    """
    Check what a file has for one token; *place* says where in it that stands.

    Raises:
        ConfigError: It will not do; the text says what, where, and what would.
    """
    return TokenRecord(**_read(value, _FIELDS, place, required=("id", "user_id", "scopes", "digest")))


def write_record(record: TokenRecord) -> dict[str, Any]:
    """What `read_record` reads as *record*, as plain JSON."""
    written: dict[str, Any] = {
        "id": record.id,
        "user_id": record.user_id,
        "scopes": scope_names(record.scopes),
        "digest": record.digest,
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "quotas": {name: limit for name, limit in attrs.asdict(record.quotas).items() if limit is not None},
        "label": record.label,
    }
    return {name: each for name, each in written.items() if each not in (None, {})}


def scope_names(scopes: frozenset[Scope]) -> list[str]:
    """*scopes* as they are written, in the order of the table."""
    return [str(scope) for scope in Scope if scope in scopes]


# ── reading ──────────────────────────────────────────────────────────────────

_Reader: TypeAlias = Callable[[Any], Any]


def _read(
    value: object, readers: Mapping[str, _Reader], place: str, required: tuple[str, ...] = ()
) -> dict[str, Any]:
    """A null stands for what was left out: JSON has it, TOML has not."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{place}: {_kind(value)} stands where a table of {', '.join(readers)} should")
    for key in value:
        if key not in readers:
            raise ConfigError(f"{place}: unknown key {key!r:.80}; there are {', '.join(readers)}")
    given = {key: each for key, each in value.items() if each is not None}
    for key in required:
        if key not in given:
            raise ConfigError(f"{place}: {key} is missing")
    return {key: _convert(readers[key], each, f"{place}.{key}") for key, each in given.items()}


def _convert(reader: _Reader, value: object, place: str) -> Any:
    try:
        return reader(value)
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None


def _kind(value: object) -> str:
    """What a wrong value is, without the value: it could be a secret that stands in the wrong place."""
    return f"a value of type {type(value).__name__}"


def _matching(pattern: re.Pattern[str], says: str) -> _Reader:
    def read(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ConfigError(f"this is no {says}")
        return value

    return read


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _MAX_LENGTH:
        raise ConfigError(f"this is no text of 1 to {_MAX_LENGTH} printable characters")
    return value


def _scopes(value: object) -> frozenset[Scope]:
    if not isinstance(value, list):
        raise ConfigError(f"{_kind(value)} is no list of scopes")
    known = set(map(str, Scope))
    for each in value:
        if not isinstance(each, str) or each not in known:
            raise ConfigError(f"{each!r:.40} is no scope; there are {', '.join(Scope)}")
    return frozenset(map(Scope, value))


def _time(value: object) -> float:
    """TOML writes times, too; one without its zone would be another moment on each machine."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.timestamp()
    seconds: float = _number((int, float), "time: Unix seconds, or in TOML 2030-01-01T00:00:00Z")(value)
    return seconds


def _number(kind: type[int] | tuple[type[int], type[float]], says: str) -> Callable[[object], Any]:
    def read(value: object) -> Any:
        # bool is an int to Python.
        if isinstance(value, bool) or not isinstance(value, kind) or not 0 <= value < math.inf:
            raise ConfigError(f"{value!r:.40} is no {says}")
        return value

    return read


_count = _number(int, "whole number from 0")

_QUOTAS: Mapping[str, _Reader] = {
    "message_rate": _number((int, float), "number a second from 0"),
    "max_sessions": _count,
    "max_channels": _count,
    "max_queued_chats": _count,
}


def _quotas(value: object) -> Quotas:
    return Quotas(**_read(value, _QUOTAS, "the quotas"))


_FIELDS: Mapping[str, _Reader] = {
    "id": _matching(_ID, "id of letters, digits and hyphens"),
    "user_id": _text,
    "scopes": _scopes,
    "digest": _matching(
        _DIGEST, "digest: sha256: and 64 hexadecimal digits; `token create --toml` writes one"
    ),
    "created_at": _time,
    "expires_at": _time,
    "quotas": _quotas,
    "label": _text,
}
