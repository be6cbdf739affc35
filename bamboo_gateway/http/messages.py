"""A request and an answer, as values; what goes wrong with a request is an answer, too."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus

import attrs

from ..refusals import HANDSHAKE_FAILURES, HandshakeFailure

Headers = Sequence[tuple[str, str]]


@attrs.frozen
class Request:
    """The head of a request; its body, if there is one, is not read."""

    method: str
    target: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """By their names in lower case; of those that came more than once, all, with commas between them."""

    @property
    def path(self) -> str:
        """Where to, without the query."""
        return self.target.partition("?")[0]


def join_headers(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Make of *fields*, whose names are in lower case, the `headers` of a `Request`."""
    headers: dict[str, str] = {}
    for raw, value in fields:
        name, text = raw.decode("ascii"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token in the header `Authorization` (RFC 6750 §2.1), if one is there."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


@attrs.frozen
class Reply:
    """An answer with its whole body."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = "application/json"
    headers: Headers = ()
    cache_control: str = "no-store"
    """What caches, the browser's own among them, may do with it."""


def json_reply(status: HTTPStatus, value: Mapping[str, object], headers: Headers = ()) -> Reply:
    """Answer with a JSON object."""
    return Reply(status, json.dumps(value).encode() + b"\n", headers=headers)


def refusal(status: HTTPStatus, message: str, headers: Headers = ()) -> Reply:
    """Say why not: `code` is the status in words, as `error.code` is written, and *message* is for people."""
    return json_reply(status, {"code": status.name, "message": message}, headers)


class RefusedError(Exception):
    """
    A request is answered with no.

    Args:
        reply: The answer.
        reason: Why, as it is counted.
        detail: Why, as it is logged; never what a header may hold in secret.
    """

    def __init__(self, reply: Reply, reason: HandshakeFailure, detail: str = "") -> None:
        super().__init__(detail or HANDSHAKE_FAILURES[reason])
        self.reply = reply
        self.reason = reason


def retry_after(seconds: float) -> tuple[str, str]:
    """The header that says when to ask again (RFC 9110 §10.2.3): whole seconds, at least one."""
    return "Retry-After", str(max(1, math.ceil(seconds)))
