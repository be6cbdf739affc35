"""An agent that has an OpenAI-compatible endpoint complete the session's chat."""

from __future__ import annotations

import httpx

from ..errors import AgentError, InvalidMessageError
from ..protocol.messages import TokenUsage
from ..trace_context import TraceContext
from ..turn import Turn
from .chunk import Chunk
from .endpoint import Endpoint
from .openai_settings import OpenAISettings
from .prompt import Prompt, compose
from .retry import retrying

__all__ = ["OpenAIAgent", "OpenAISettings"]


class OpenAIAgent:
    """
    Answers each chat by one streamed completion, with the session's history as its context.

    Invariant: nothing is asked again once a token of its answer was streamed.

    Raises:
        ConfigError: `settings.base_url` is no URL.
    """

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._endpoint = Endpoint(settings)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings!r})"

    async def __call__(self, turn: Turn) -> TokenUsage | None:
        """
        Answer one chat; the usage is what the endpoint counts, or None where it does not.

        Raises:
            AgentError: The endpoint cannot be reached, refuses, is too slow, breaks off or talks nonsense.
        """
        prompt = compose(self._settings, turn.history, turn.message.content)
        async with self._endpoint.client(TraceContext.of(turn.message)) as client:
            usage: TokenUsage | None = await retrying(self._settings)(self._answer, client, prompt, turn)
            return usage

    async def _answer(self, client: httpx.AsyncClient, prompt: Prompt, turn: Turn) -> TokenUsage | None:
        usage = finish_reason = None
        async with self._endpoint.ask(client, prompt) as events:
            async for data in events:
                if data == "[DONE]":
                    finish_reason = finish_reason or "stop"
                    break
                chunk = self._read(data)
                await turn.token(chunk.text)
                usage = chunk.usage or usage
                finish_reason = chunk.finish_reason or finish_reason
        if finish_reason is None:
            raise AgentError("the model endpoint broke off in mid-answer")
        if finish_reason == "content_filter":
            raise AgentError("the model endpoint's content filter stopped the answer")
        return usage

    def _read(self, data: str) -> Chunk:
        try:
            chunk = Chunk.parse(data)
        except InvalidMessageError as error:
            raise AgentError(f"the model endpoint sent {self._endpoint.quote(str(error))}") from None
        if chunk.failure is not None:
            raise AgentError(f"the model endpoint broke off: {self._endpoint.quote(chunk.failure)}")
        return chunk
