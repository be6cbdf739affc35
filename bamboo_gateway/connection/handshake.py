"""The answer to an upgrade: yes, or over HTTP why not."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import trio
from trio_websocket import WebSocketConnection
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, RejectConnection, RejectData, Request
from wsproto.utilities import RemoteProtocolError

from .inbound import InboundProtocol
from .transport import HandshakeError, Transport

RECEIVE_BYTES = 16 * 1024
"""Read from the socket at a time: some hundred small messages of a client that does not wait for answers."""

_NO_UPGRADE = b"This port speaks WebSocket: connect with ws://, not with http://.\n"
_FOREIGN = b"This origin may not connect; see allowed_origins.\n"


async def open_websocket(
    nursery: trio.Nursery, transport: Transport, allowed_origins: Sequence[str], max_message_bytes: int
) -> WebSocketConnection:
    """
    Answer the upgrade.

    Raises:
        HandshakeError: The request is no upgrade, or comes from a foreign web page.
        trio.BrokenResourceError: The socket is gone.
    """
    try:
        # Whatever trio-websocket would refuse is refused here: of its own refusals nobody hears.
        handshake = _check(await transport.read_head(), allowed_origins)
    except HandshakeError as error:
        await transport.refuse(error.answer)
        raise
    await transport.accept(handshake.send(AcceptConnection()))
    websocket = WebSocketConnection(
        transport,
        InboundProtocol(),  # type: ignore[arg-type] # it has all of a WSConnection that is asked for
        message_queue_size=1,
        max_message_size=max_message_bytes,
        receive_buffer_size=RECEIVE_BYTES,
    )
    # `wrap_server_stream` starts the same task, but makes a wsproto connection of its own, which would read
    # the head once more (550 µs a connect instead of 385) and decode each frame slowly (see `inbound.py`).
    # The name is private: a test fails when it is renamed.
    nursery.start_soon(websocket._reader_task)
    return websocket


def _check(head: bytes, allowed_origins: Sequence[str]) -> WSConnection:
    protocol = WSConnection(ConnectionType.SERVER)
    try:
        protocol.receive_data(head)
        [request] = protocol.events()
    except RemoteProtocolError as error:
        raise _no_upgrade(protocol, str(error), error.event_hint) from None
    except UnicodeError:
        raise _no_upgrade(protocol, "a header is no ASCII text") from None
    if not head.partition(b"\r\n")[0].endswith(b" HTTP/1.1"):
        raise _no_upgrade(protocol, "the request is not in HTTP/1.1")
    assert isinstance(request, Request)
    origin = _origin(request)
    if not is_allowed(origin, request.host, allowed_origins):
        answer = _refuse(protocol, RejectConnection(status_code=403), _FOREIGN)
        raise HandshakeError(f"the origin {origin!r:.80} is not allowed", answer)
    return protocol


def _no_upgrade(protocol: WSConnection, reason: str, hint: Event | None = None) -> HandshakeError:
    """What is wrong with the request; wsproto's *hint* may know a better status than 400."""
    rejection = hint if isinstance(hint, RejectConnection) else RejectConnection()
    return HandshakeError(reason, _refuse(protocol, rejection, _NO_UPGRADE))


def _refuse(protocol: WSConnection, rejection: RejectConnection, text: bytes) -> bytes:
    length = (b"content-length", b"%d" % len(text))
    headers = [*rejection.headers, (b"content-type", b"text/plain"), length]
    answer = protocol.send(
        RejectConnection(status_code=rejection.status_code, headers=headers, has_body=True)
    )
    return answer + protocol.send(RejectData(text))


def is_allowed(origin: str | None, host: str, allowed_origins: Sequence[str]) -> bool:
    """
    May a web page of *origin* connect?

    What is no browser sends no origin. A browser's must be listed to the letter,
    or be the gateway's own: the same host and port, where the host is an address
    or `localhost`. A name could have been rebound to this address by whoever
    owns it, so a name must be listed.
    """
    if origin is None or origin in allowed_origins:
        return True
    try:
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc == host and _is_address(parts.hostname)
    except ValueError:
        return False  # such as half an IPv6 address


def _is_address(host: str | None) -> bool:
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return host == "localhost"
    return True


def _origin(request: Request) -> str | None:
    """Several of them are a request to be misread: joined, they match nothing."""
    values = [value for name, value in request.extra_headers if name == b"origin"]
    return b", ".join(values).decode("latin-1") if values else None
