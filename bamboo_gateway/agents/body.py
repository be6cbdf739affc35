"""The bytes of an answer as they arrive, within bounds of time and space."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import trio

from ..errors import AgentError
from .openai_settings import OpenAISettings

MAX_EVENT_BYTES = 1024 * 1024
"""Bytes of one event: a token takes some 200, and a line without end must not fill the memory."""


class Body(httpx.AsyncByteStream):
    """
    Stands in for a response's own stream.

    Invariant: no byte is waited for without a deadline, and no event grows
    beyond `MAX_EVENT_BYTES`.
    """

    def __init__(self, stream: object, first_deadline: float, settings: OpenAISettings) -> None:
        assert isinstance(stream, httpx.AsyncByteStream), "an async client's responses have async streams"
        self._stream = stream
        self._chunks = aiter(stream)
        self._first_deadline: float | None = first_deadline
        self._settings = settings
        self._event_bytes = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        deadline, patience = self._first_deadline, self._settings.first_byte_timeout
        if deadline is None:
            patience = self._settings.chunk_timeout
            deadline = trio.current_time() + patience
        try:
            with trio.fail_at(deadline):
                chunk = await anext(self._chunks)
        except trio.TooSlowError:
            raise silent_for(patience) from None
        self._first_deadline = None
        self._event_bytes += len(chunk)
        if self._event_bytes > MAX_EVENT_BYTES:
            raise AgentError(f"the model endpoint sent an event of more than {MAX_EVENT_BYTES} bytes")
        return chunk

    def end_event(self) -> None:
        """Tell that what has come so far made an event, and no longer piles up."""
        self._event_bytes = 0

    async def aclose(self) -> None:
        """Close the stream behind this one."""
        await self._stream.aclose()


def silent_for(seconds: float) -> AgentError:
    """The error of an endpoint that has kept somebody waiting."""
    return AgentError(f"the model endpoint sent nothing for {seconds:g} s")
