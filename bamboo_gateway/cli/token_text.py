"""Tokens as people and programs are shown them; the digests are for the tokens file alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence

from ..protocol.messages import Json
from ..token_record import TokenRecord, scope_names, write_record
from .plain_text import fit, one_line, width
from .toml_text import to_toml

_HEADING = ("ID", "USER", "EXPIRES", "SCOPES", "LABEL")


def rows(records: Iterable[TokenRecord], now: float) -> Iterator[str]:
    """A heading and a line for each of *records*, in columns; *now* is in Unix seconds."""
    cells = [_HEADING, *(_cells(record, now) for record in records)]
    columns = [max(map(width, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(map(fit, row, columns)).rstrip()


def _cells(record: TokenRecord, now: float) -> Sequence[str]:
    scopes = ",".join(scope_names(record.scopes)) or "none"
    return [record.id, one_line(record.user_id), expiry(record, now), scopes, one_line(record.label or "")]


def expiry(record: TokenRecord, now: float) -> str:
    """When *record* expires, in UTC."""
    if record.expires_at is None:
        return "never"
    if record.is_over(now):
        return "has expired"
    return datetime.datetime.fromtimestamp(record.expires_at, datetime.UTC).strftime("%Y-%m-%d %H:%MZ")


def public(record: TokenRecord) -> dict[str, Json]:
    """All of *record* that may be shown."""
    return {name: value for name, value in write_record(record).items() if name != "digest"}


def toml(record: TokenRecord) -> str:
    """*record* as an entry of the settings file."""
    return "\n".join(
        ["[[principals]]", *(f"{name} = {to_toml(value)}" for name, value in write_record(record).items())]
    )
