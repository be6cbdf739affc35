"""One OpenAI-compatible endpoint over HTTP: a question goes out, the data of the answer's events come in."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeVar

import httpx
import trio
from httpx_sse import EventSource

from ..errors import AgentError, ConfigError
from ..trace_context import TraceContext
from .body import Body, silent_for
from .chunk import reported
from .openai_settings import OpenAISettings
from .prompt import Prompt
from .retry import TransientError, retry_after

T = TypeVar("T")

MAX_ERROR_BYTES = 64 * 1024
"""Bytes read of an error's body, in search of its message."""

MAX_QUOTE_LENGTH = 300
"""Characters of the endpoint's own words inside an error."""

MIN_SECRET_LENGTH = 8
"""Characters of a key that is hidden: where no key is needed it is often `none`, which is also a word."""


class Endpoint:
    """
    Where chats are completed.

    Invariant: whatever goes wrong there is an `AgentError`, which never holds the key; it is a
    `TransientError` only as long as nothing of an answer has come.

    Raises:
        ConfigError: `settings.base_url` is no URL.
    """

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        try:
            self._url = httpx.URL(f"{settings.base_url.rstrip('/')}/chat/completions")
        except httpx.InvalidURL as error:
            raise ConfigError(f"base_url: {settings.base_url!r:.80} is no URL: {error}") from None
        self._tls = httpx.create_ssl_context()

    def client(self, trace: TraceContext | None = None) -> httpx.AsyncClient:
        """
        An HTTP client for one turn, in *trace*, to be closed after it.

        An agent has no end at which to close one, and a client belongs to one event loop. Of the 30 ms that
        it takes to make a client, 0.3 are left when the certificates have been read before (measured).
        """
        # Uncompressed: the bound on an event counts what arrives, not what it unfolds to.
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if self._settings.api_key is not None:
            headers["Authorization"] = f"Bearer {self._settings.api_key}"
        if trace is not None:
            headers |= trace.headers
        timeout = httpx.Timeout(None, connect=self._settings.connect_timeout)
        return httpx.AsyncClient(headers=headers, timeout=timeout, verify=self._tls)

    @asynccontextmanager
    async def ask(self, client: httpx.AsyncClient, prompt: Prompt) -> AsyncIterator[AsyncIterator[str]]:
        """
        Ask once, and give the data of the answer's events as they come; they may be left at any time.

        Raises:
            TransientError: It cannot be reached, is busy (429) or fails (5xx).
            AgentError: It refuses, is too slow, breaks off, or what it says is no stream of events.
        """
        deadline = trio.current_time() + self._settings.first_byte_timeout
        with self._explained():
            response = await self._send(client, prompt, deadline)
            try:
                body = Body(response.stream, deadline, self._settings)
                response.stream = body
                await self._check(response)
                async with _unwound(_data(response, body)) as events:
                    yield events
            finally:
                await response.aclose()

    def quote(self, text: str) -> str:
        """Make foreign text fit for an error: one line, not long, without the key."""
        key = self._settings.api_key
        if key is not None and len(key) >= MIN_SECRET_LENGTH:
            text = text.replace(key, "[key]")
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line if len(line) <= MAX_QUOTE_LENGTH else f"{line[:MAX_QUOTE_LENGTH]}…"

    async def _send(self, client: httpx.AsyncClient, prompt: Prompt, deadline: float) -> httpx.Response:
        question = {"model": self._settings.model, "messages": prompt, "stream": True}
        if self._settings.usage == "ask":
            question["stream_options"] = {"include_usage": True}
        request = client.build_request("POST", self._url, json=question)
        try:
            with trio.fail_at(deadline):
                return await client.send(request, stream=True)
        except trio.TooSlowError:
            raise silent_for(self._settings.first_byte_timeout) from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what httpx raises into what a client may read."""
        try:
            yield
        except httpx.ConnectTimeout as error:
            patience = self._settings.connect_timeout
            raise TransientError(f"the model endpoint took no connection for {patience:g} s") from error
        except httpx.ConnectError as error:
            raise TransientError(f"the model endpoint cannot be reached: {self.quote(str(error))}") from error
        except httpx.HTTPError as error:
            reason = self.quote(f"{type(error).__name__}: {error}")
            raise AgentError(f"the connection to the model endpoint failed: {reason}") from error

    async def _check(self, response: httpx.Response) -> None:
        """Let nothing pass but an answer; the key never follows a redirect."""
        status = response.status_code
        fault = f"the model endpoint answered {status} {httpx.codes.get_reason_phrase(status)}".rstrip()
        if status == httpx.codes.OK:
            if _form(response) == "text/event-stream":
                return
            fault += f", not with a stream of events but with {self.quote(_form(response))}"
        if words := self.quote(await _words(response)):
            fault += f": {words}"
        if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
            wait = retry_after(response.headers.get("retry-after"), datetime.datetime.now(datetime.UTC))
            raise TransientError(f"{fault} (retry after {wait:.0f} s)" if wait else fault, wait)
        raise AgentError(fault)


async def _data(response: httpx.Response, body: Body) -> AsyncIterator[str]:
    async for event in EventSource(response).aiter_sse():
        body.end_event()
        if event.data:
            yield event.data


@asynccontextmanager
async def _unwound(items: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """
    Let an iterator of httpx be left before its end.

    It is an async generator around others, which the garbage collector would
    have to close, with a ResourceWarning for each. A cancelled read ends all of
    them, from the inside out.
    """
    try:
        yield items
    finally:
        with trio.CancelScope() as scope, suppress(httpx.HTTPError, AgentError):
            scope.cancel()
            async for _ in items:
                pass


def _form(response: httpx.Response) -> str:
    """The type of the body, and how it is compressed, if it is."""
    kind, encoding = response.headers.get("content-type", "no type"), response.headers.get("content-encoding")
    form: str = kind.partition(";")[0].strip().lower()
    return f"{form} in {encoding}" if encoding else form


async def _words(response: httpx.Response) -> str:
    """What the endpoint says of its fault; neither HTML nor what is compressed says anything in one line."""
    if response.has_redirect_location:
        return f"it has moved to {response.headers['location']}"
    if "content-encoding" in response.headers:
        return ""
    body = bytearray()
    # The status is worth telling even where its reason is cut off.
    with suppress(httpx.HTTPError, AgentError):
        async with _unwound(response.aiter_raw()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) >= MAX_ERROR_BYTES:
                    break
    text = body.decode(errors="replace").lstrip()
    return reported(text) or ("" if text.startswith("<") else text)
