"""A scripted model endpoint on a loopback socket: it answers each request as the script says next."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import attrs
import h11
import trio


@attrs.frozen
class Asked:
    """One request, as the endpoint saw it."""

    target: str
    headers: Mapping[str, str]
    body: Any


Reply: TypeAlias = Callable[[trio.SocketStream, Asked], Awaitable[None]]
"""Writes a reply; the connection is closed after it."""


class Script:
    """What the endpoint does, request by request; the last reply is given again and again."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = replies
        self.asked: list[Asked] = []
        self.arrived = trio.Event()
        """Somebody has asked."""
        self.url = ""

    async def handle(self, stream: trio.SocketStream) -> None:
        """Read one request, and reply."""
        try:
            asked = await _read_request(stream)
            if asked is not None:
                self.asked.append(asked)
                self.arrived.set()
                await self._replies[min(len(self.asked), len(self._replies)) - 1](stream, asked)
        except trio.BrokenResourceError:
            pass  # the client has seen enough


@asynccontextmanager
async def endpoint(*replies: Reply) -> AsyncIterator[Script]:
    """Play *replies* for as long as the block lasts."""
    script = Script(*replies)
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(_serve, script)
        script.url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}/v1"
        yield script
        nursery.cancel_scope.cancel()


async def _serve(script: Script, *, task_status: trio.TaskStatus[list[trio.SocketListener]]) -> None:
    await trio.serve_tcp(script.handle, 0, host="127.0.0.1", task_status=task_status)


async def _read_request(stream: trio.SocketStream) -> Asked | None:
    parser = h11.Connection(h11.SERVER)
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            parser.receive_data(await stream.receive_some())
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode(): value.decode() for name, value in head.headers}
            return Asked(head.target.decode(), headers, json.loads(body or b"null"))
        else:
            return None


# ── replies ──────────────────────────────────────────────────────────────────


def raw(data: bytes) -> Reply:
    """Send these bytes, whatever they are."""

    async def reply(stream: trio.SocketStream, _: Asked) -> None:
        await stream.send_all(data)

    return reply


def status(code: int, body: object = "", *, kind: str = "application/json", **headers: str) -> Reply:
    """Answer with a status and a body: text as it is, anything else as JSON; `retry_after=…` is a header."""
    text = body if isinstance(body, str) else json.dumps(body)
    return raw(_head(code, kind, headers) + text.encode())


def events(*data: object) -> Reply:
    """Answer with one event for each of *data*, and hang up."""
    return raw(_head(200, "text/event-stream") + b"".join(map(_event, data)))


def hang(*data: object) -> Reply:
    """The same, but keep the connection until the client leaves; without *data*, say nothing at all."""

    async def reply(stream: trio.SocketStream, asked: Asked) -> None:
        if data:
            await events(*data)(stream, asked)
        while await stream.receive_some():
            pass

    return reply


def forever(head: bytes, rest: bytes) -> Reply:
    """Send *head* and then *rest* without end, as fast as the client reads."""

    async def reply(stream: trio.SocketStream, _: Asked) -> None:
        await stream.send_all(head)
        while True:
            await stream.send_all(rest)

    return reply


EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
"""The head of an answer that ends when the connection does."""

DONE = "[DONE]"


def said(text: str, finish_reason: str | None = None) -> object:
    """A chunk with a piece of text."""
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}]}


def used(prompt: int, completion: int) -> object:
    """The chunk with the usage."""
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    return {"choices": [], "usage": usage}


def answer(*tokens: str) -> Reply:
    """A whole answer, as the book has it."""
    return events(*map(said, tokens), said("", "stop"), used(11, len(tokens)), DONE)


def _event(data: object) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def _head(code: int, kind: str, headers: Mapping[str, str] | None = None) -> bytes:
    named: Sequence[tuple[str, str]] = [
        ("Content-Type", kind),
        ("Connection", "close"),
        *(headers or {}).items(),
    ]
    lines = [f"HTTP/1.1 {code} Whatever", *(f"{name.replace('_', '-')}: {value}" for name, value in named)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
