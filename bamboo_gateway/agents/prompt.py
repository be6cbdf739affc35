"""What a model is sent: a conversation as chat-completions messages, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..session.history import HistoryMessage
from .openai_settings import OpenAISettings

Prompt: TypeAlias = list[dict[str, str]]
"""Messages, each with `role` and `content`."""


def compose(settings: OpenAISettings, history: Sequence[HistoryMessage], content: str) -> Prompt:
    """
    The system prompt, as much of *history* as the settings allow, and the message to answer.

    Many models insist on user and assistant taking turns, and fail on an empty
    message. So an answer that never came is left out, and neighbours of one
    role become one message.
    """
    messages: Prompt = []
    if settings.system_prompt is not None:
        _add(messages, "system", settings.system_prompt)
    for message in _newest(settings, history):
        _add(messages, message.role, message.content)
    _add(messages, "user", content)
    return messages


def _newest(settings: OpenAISettings, history: Sequence[HistoryMessage]) -> list[HistoryMessage]:
    """The last messages that fit, from a user's one on: no conversation begins with an answer."""
    said = [message for message in history if message.content]
    first, characters = len(said), 0
    while first > 0 and len(said) - first < settings.history_max_messages:
        characters += len(said[first - 1].content)
        if characters > settings.history_max_characters:
            break
        first -= 1
    while first < len(said) and said[first].role == "assistant":
        first += 1
    return said[first:]


def _add(messages: Prompt, role: str, content: str) -> None:
    if messages and messages[-1]["role"] == role:
        messages[-1]["content"] += f"\n\n{content}"
    else:
        messages.append({"role": role, "content": content})
