"""The settings of the agent that asks an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import attrs

from ..config import number_from, setting
from ..errors import ConfigError

OPENAI = "https://api.openai.com/v1"

_count_from_zero = number_from(int, 0, "whole number")


def _base_url(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    try:
        url = urlsplit(value)
        is_usable = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
        is_plain = url.username is None and not url.query and not url.fragment
    except (AttributeError, TypeError, ValueError):
        is_usable = is_plain = False
    # The text does not repeat the value: where it is wrong, a password may be in it.
    if not is_usable or not is_plain:
        raise ConfigError(
            f"{field.name}: must be a URL such as http://127.0.0.1:8000/v1, without user, query or fragment"
        )


def _text(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    try:
        # A variable that is no UTF-8 comes with lone surrogates, which no JSON could carry.
        usable = bool(value.encode())
    except (AttributeError, UnicodeEncodeError):
        usable = False
    if not usable:
        raise ConfigError(f"{field.name}: must be a text of at least one character, in Unicode")


def _api_key(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    # It travels in a header; the text must not repeat it.
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"{field.name}: must be printable ASCII without spaces")


def _stripped(value: Any) -> Any:
    """A key that was read from a file brings its line's end along."""
    return (value.strip() or None) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class OpenAISettings:
    """
    Where to ask, what to send along, and how long to wait; times are in seconds.

    Raises:
        ConfigError: A setting is unusable; the text names it.
    """

    model: str = setting(
        "text", attrs.NOTHING, "The model's name, as the endpoint knows it.", validator=_text
    )
    base_url: str = setting(
        "text", OPENAI, "The endpoint, up to and without `/chat/completions`.", validator=_base_url
    )
    api_key: str | None = setting(
        "secret",
        None,
        "Sent as bearer token; an endpoint of one's own may do without.",
        validator=_api_key,
        converter=_stripped,
        repr=False,
    )
    system_prompt: str | None = setting(
        "text", None, "What the model is told ahead of every conversation.", validator=_text
    )
    usage: str = setting(
        "text",
        "ask",
        "`ask` for the tokens used, or `omit` that where the endpoint refuses `stream_options`.",
        choices=("ask", "omit"),
    )
    history_max_messages: int = setting(
        "count",
        100,
        "How many of the newest messages go along as context; 0: none.",
        validator=_count_from_zero,
    )
    history_max_characters: int = setting(
        "count", 100_000, "Length of the same: some 25,000 tokens of English.", validator=_count_from_zero
    )
    connect_timeout: float = setting("seconds", 10.0, "Time until the connection stands.")
    first_byte_timeout: float = setting(
        "seconds", 120.0, "Time from asking to the first byte of the answer: a model may have to be loaded."
    )
    chunk_timeout: float = setting("seconds", 60.0, "Time without a byte inside the answer.")
    max_attempts: int = setting(
        "count", 3, "How often an endpoint is asked that cannot be reached, is busy (429) or fails (5xx)."
    )
    retry_interval: float = setting(
        "seconds",
        0.5,
        "Longest time before the second attempt. It is drawn at random, and its limit doubles.",
    )
    max_retry_interval: float = setting(
        "seconds",
        30.0,
        "What that limit grows to; an endpoint whose `Retry-After` is longer is not asked again.",
    )

    def __attrs_post_init__(self) -> None:
        """Say at the start what OpenAI would say to every chat."""
        if self.api_key is None and self.base_url == OPENAI:
            raise ConfigError(
                "api_key: OpenAI wants one; set OPENAI_API_KEY, or OPENAI_BASE_URL to another endpoint"
            )
