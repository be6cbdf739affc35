"""The answer to an upgrade: yes, or over HTTP why not."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import trio
from trio_websocket import WebSocketConnection, WebSocketRequest, wrap_server_stream

from .transport import HandshakeError, Transport


async def open_websocket(
    nursery: trio.Nursery, transport: Transport, allowed_origins: Sequence[str], max_message_bytes: int
) -> WebSocketConnection:
    """
    Answer the upgrade.

    Raises:
        HandshakeError: The request is no upgrade, or comes from a foreign web page.
    """
    with trio.CancelScope() as scope:
        # Without this, a request that is no upgrade would be answered and then waited for without end.
        transport.on_close = scope.cancel
        request = await wrap_server_stream(
            nursery, transport, message_queue_size=1, max_message_size=max_message_bytes
        )
        if not is_allowed(_header(request, b"origin"), _header(request, b"host"), allowed_origins):
            await request.reject(403, body=b"This origin may not connect; see allowed_origins.\n")
            raise HandshakeError("the origin is not allowed")
        websocket = await request.accept()
        transport.open()
        return websocket
    raise HandshakeError("the request is no WebSocket upgrade")


def is_allowed(origin: str | None, host: str | None, allowed_origins: Sequence[str]) -> bool:
    """
    May a web page of *origin* connect?

    What is no browser sends no origin. A browser's must be listed to the letter,
    or be the gateway's own: the same host and port, where the host is an address
    or `localhost`. A name could have been rebound to this address by whoever
    owns it, so a name must be listed.
    """
    if origin is None or origin in allowed_origins:
        return True
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and parts.netloc == host and _is_address(parts.hostname)


def _is_address(host: str | None) -> bool:
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return True


def _header(request: WebSocketRequest, name: bytes) -> str | None:
    """Several of one name are a request to be misread: joined, they match nothing."""
    values = [value for key, value in request.headers if key.lower() == name]
    return b", ".join(values).decode("latin-1") if values else None
