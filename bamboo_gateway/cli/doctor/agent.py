"""Can the agent be loaded, and does the endpoint that it asks take our questions?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...agents import load_agent
from ...agents.settings import read_settings
from ...errors import AgentError, ConfigError
from ..plain_text import one_line
from .finding import Finding, fault, warning, well

if TYPE_CHECKING:
    from ...agents.openai_settings import OpenAISettings
    from ...agents.openai_survey import OpenAISurvey

_ABOUT = "agent"

_ENDPOINT = "endpoint"

PATIENCE = 10.0
"""Seconds for which the endpoint is waited for."""

_OK, _NOT_FOUND, _BUSY = 200, 404, 429

_SHOWN = 5
"""Models that are named where one's own is not among them."""


def look(spec: str) -> Finding:
    """Load it, as `serve` would."""
    try:
        load_agent(spec)
    except ConfigError as error:
        text, _, remedy = str(error).removeprefix("agent: ").partition("; ")
        return fault(_ABOUT, text, remedy or _remedy(text))
    return well(_ABOUT, f"{spec} can be loaded")


def _remedy(text: str) -> str:
    if text.startswith("cannot import"):
        return "see whether it can be imported by this Python, from the folder in which `serve` is started"
    return "name one with --agent: echo, openai, or python:module:function"


async def look_at_endpoint() -> tuple[Finding, float | None]:
    """Ask the endpoint of the agent `openai`, which can be loaded; return its clock, too, if it shows one."""
    from ...agents.openai_settings import OpenAISettings  # noqa: PLC0415 -- an extra
    from ...agents.openai_survey import survey  # noqa: PLC0415 -- as above

    settings = read_settings(OpenAISettings, "openai", {}, os.environ)
    try:
        found = await survey(settings, PATIENCE)
    except AgentError as error:
        text = one_line(str(error))
        return fault(
            _ENDPOINT, text, "see whether OPENAI_BASE_URL is right, and whether this machine may go there"
        ), None
    return judge(settings, found), found.date


def judge(settings: OpenAISettings, found: OpenAISurvey) -> Finding:
    """Tell what it answered."""
    where = settings.base_url
    if found.is_key_refused:
        remedy = "set OPENAI_API_KEY to a key that it takes" if settings.api_key else "set OPENAI_API_KEY"
        return fault(_ENDPOINT, f"{where} does not take the key (HTTP {found.status})", remedy)
    if found.status == _NOT_FOUND:
        return well(
            _ENDPOINT, f"{where} answers; it lists no models, so whether it takes the key is not known"
        )
    if found.status == _BUSY:
        return warning(
            _ENDPOINT, f"{where} answers that it was asked too much", "see what your account allows"
        )
    if found.status != _OK:
        text = f"{where} answers with HTTP {found.status}"
        return warning(
            _ENDPOINT, text, "see whether OPENAI_BASE_URL is right: up to and without /chat/completions"
        )
    return _judge_model(settings, found)


def _judge_model(settings: OpenAISettings, found: OpenAISurvey) -> Finding:
    models = found.models
    if models and settings.model not in models:
        named = ", ".join(map(one_line, _some(models)))
        text = f"{settings.base_url} does not list the model {settings.model!r}"
        return warning(_ENDPOINT, text, f"set BAMBOO_OPENAI_MODEL to one that it has: {named}")
    return well(_ENDPOINT, f"{settings.base_url} answers, and takes the key")


def _some(models: Sequence[str]) -> Sequence[str]:
    return [*models[:_SHOWN], "…"] if len(models) > _SHOWN else models
