"""A look at the endpoint that costs nothing: is it there, does it take the key, does it know the model?"""

from __future__ import annotations

import email.utils
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import httpx
import trio

from ..errors import AgentError
from .openai_settings import OpenAISettings

MAX_BYTES = 4 * 1024 * 1024
"""Of the list of models; what is more is not kept."""

_REFUSED = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


@attrs.frozen(kw_only=True)
class OpenAISurvey:
    """What an endpoint answered when it was asked for its models."""

    status: int
    is_key_refused: bool = False
    models: Sequence[str] | None = None
    """None: it lists none, as not every endpoint does."""
    date: float | None = None
    """Its clock, in Unix seconds."""


async def survey(settings: OpenAISettings, patience: float) -> OpenAISurvey:
    """
    Ask for the models, for *patience* seconds at most.

    Raises:
        AgentError: It cannot be reached, or does not answer in time; the text never holds the key.
    """
    url = f"{settings.base_url.rstrip('/')}/models"
    headers = {"Accept": "application/json"}
    if settings.api_key is not None:
        headers["Authorization"] = f"Bearer {settings.api_key}"
    try:
        with trio.fail_after(patience):
            async with httpx.AsyncClient(headers=headers, timeout=None) as client:  # noqa: S113 -- as above
                return await _ask(client, url)
    except trio.TooSlowError:
        raise AgentError(f"{settings.base_url} gave no answer within {patience:g} seconds") from None
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise AgentError(f"{settings.base_url} cannot be reached: {reason}") from error


async def _ask(client: httpx.AsyncClient, url: str) -> OpenAISurvey:
    async with client.stream("GET", url) as response:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            if len(body) < MAX_BYTES:
                body += chunk
    is_ok = response.status_code == httpx.codes.OK
    return OpenAISurvey(
        status=response.status_code,
        is_key_refused=response.status_code in _REFUSED,
        models=_models(bytes(body)) if is_ok else None,
        date=_date(response.headers),
    )


def _models(body: bytes) -> Sequence[str] | None:
    try:
        told: Any = json.loads(body)
        return [str(each["id"]) for each in told["data"]]
    except (ValueError, KeyError, TypeError):
        return None


def _date(headers: Mapping[str, str]) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return None
