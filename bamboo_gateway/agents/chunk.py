"""
What a chat-completions endpoint says.

It is read leniently: dozens of programs speak this, each a little differently.
"""

from __future__ import annotations

import json

import attrs

from ..errors import InvalidMessageError
from ..protocol.messages import Json, TokenUsage

MAX_USAGE = 2**53
"""Tokens; beyond it, numbers are not exact to every client, and certainly not true."""


@attrs.frozen
class Chunk:
    """One event of a streamed answer; whatever else it holds is not for us."""

    text: str = ""
    finish_reason: str | None = None
    usage: TokenUsage | None = None
    failure: str | None = None
    """Why there is no more to come, in the endpoint's words."""

    @classmethod
    def parse(cls, data: str) -> Chunk:
        """
        Read the data of one event.

        Raises:
            InvalidMessageError: It is no JSON object.
        """
        value = _parsed(data)
        if not isinstance(value, dict):
            raise InvalidMessageError("a chunk that is no object")
        if value.get("error"):
            return cls(failure=_reported(value) or "it does not say why")
        return cls(_text(value), _finish_reason(value), _usage(value.get("usage")))


def reported(body: str) -> str | None:
    """The message inside the JSON of an error, where there is one."""
    try:
        return _reported(_parsed(body))
    except InvalidMessageError:
        return None


def _parsed(text: str) -> Json:
    # Not by our own strict_json: a NaN or a seed beyond 64 bits, where nobody looks, must not cost an answer.
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidMessageError(f"no JSON: {error.msg} at character {error.pos}") from None
    except (ValueError, RecursionError):
        raise InvalidMessageError("no JSON that can be read: a number too long or nesting too deep") from None


def _reported(value: Json) -> str | None:
    match value:
        case {"error": {"message": str(message)}} | {"error": str(message)}:
            return message
        case {"message": str(message)} | {"detail": str(message)}:
            return message
        case _:
            return None


def _text(value: Json) -> str:
    match value:
        case {"choices": [{"delta": {"content": str(text)}}, *_]}:
            # Half of a surrogate pair could not be sent on: some endpoints cut their text in between.
            return text.encode(errors="replace").decode()
        case _:
            return ""


def _finish_reason(value: Json) -> str | None:
    match value:
        case {"choices": [{"finish_reason": str(reason)}, *_]}:
            return reason
        case _:
            return None


def _usage(value: Json) -> TokenUsage | None:
    match value:
        case {"prompt_tokens": int(prompt), "completion_tokens": int(said)} if (
            0 <= prompt < MAX_USAGE and 0 <= said < MAX_USAGE
        ):
            return TokenUsage(int(prompt), int(said), prompt + said)
        case _:
            return None
