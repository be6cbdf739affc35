"""The answer to an upgrade: yes, or over HTTP why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

import attrs
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Event, RejectConnection, Request
from wsproto.utilities import RemoteProtocolError

from ..errors import GatewayError
from ..http.endpoints import admit, is_address, refused
from ..http.messages import RefusedError, bearer_token, join_headers, refusal, retry_after
from ..principal import Credentials, Principal
from ..refusals import HandshakeFailure
from .admission import RETRY_AFTER
from .host import Host

SUBPROTOCOL = "bamboo"
"""What a browser has to name besides the one with its token: it wants one of them back."""

BEARER = "bamboo.bearer."
"""What stands before a token in `Sec-WebSocket-Protocol`, the one header that a web page can set."""


@attrs.frozen
class Upgrade:
    """A request for a WebSocket that is granted."""

    answer: bytes
    principal: Principal | None
    """Who asks, if the request had a token."""
    revocations: int
    """How many there had been when that was found out."""


async def judge_upgrade(host: Host, head: bytes, address: str) -> Upgrade:
    """
    Judge a request for a WebSocket.

    Whatever trio-websocket would refuse is refused here: of its own refusals nobody hears.

    Args:
        host: The gateway.
        head: The whole head of the request.
        address: Whence it came.

    Raises:
        RefusedError: It is malformed (400, 426), comes from a foreign web page (403), shows a wrong
            token (401), comes from where too many wrong ones did (429), or too late (503).
    """
    protocol = WSConnection(ConnectionType.SERVER)
    request = _parse(protocol, head)
    headers = join_headers(request.extra_headers)  # several `origin`s, joined, match nothing
    origin = headers.get("origin")
    if not is_allowed(origin, request.host, host.config.allowed_origins):
        text = "this origin may not connect; see allowed_origins"
        raise RefusedError(
            refusal(HTTPStatus.FORBIDDEN, text),
            HandshakeFailure.ORIGIN,
            f"the origin {origin!r:.80} is not allowed",
        )
    if host.is_draining:
        text = "the gateway is about to stop; try again"
        reply = refusal(HTTPStatus.SERVICE_UNAVAILABLE, text, [retry_after(RETRY_AFTER)])
        raise RefusedError(reply, HandshakeFailure.DRAINING, text)
    principal = await _identify(host, headers, request.subprotocols, address)
    chosen = SUBPROTOCOL if SUBPROTOCOL in request.subprotocols else None
    answer = protocol.send(AcceptConnection(subprotocol=chosen))
    return Upgrade(answer, principal, host.gatekeeper.revocations)


def _parse(protocol: WSConnection, head: bytes) -> Request:
    try:
        protocol.receive_data(head)
        [request] = protocol.events()
    except RemoteProtocolError as error:
        raise _no_upgrade(str(error), error.event_hint) from None
    except UnicodeError:
        raise _no_upgrade("a header is no ASCII text") from None
    if not head.partition(b"\r\n")[0].endswith(b" HTTP/1.1"):
        raise _no_upgrade("the request is not in HTTP/1.1")
    assert isinstance(request, Request)
    return request


def _no_upgrade(reason: str, hint: Event | None = None) -> RefusedError:
    """What is wrong with the request; wsproto's *hint* may know a better status than 400."""
    rejection = hint if isinstance(hint, RejectConnection) else RejectConnection()
    headers = [(name.decode(), value.decode()) for name, value in rejection.headers]
    reply = refusal(HTTPStatus(rejection.status_code), f"no WebSocket can be opened: {reason}", headers)
    return RefusedError(reply, HandshakeFailure.UPGRADE, reason)


async def _identify(
    host: Host, headers: Mapping[str, str], subprotocols: Sequence[str], address: str
) -> Principal | None:
    token = bearer_token(headers) or _subprotocol_token(subprotocols)
    if token is not None:
        return await admit(host.gatekeeper, Credentials(token, address, headers))
    try:
        host.gatekeeper.check_address(address)
    except GatewayError as error:
        raise refused(error) from None
    return None


def _subprotocol_token(subprotocols: Sequence[str]) -> str | None:
    """A web page cannot set `Authorization`; this it can. It is never sent back."""
    return next((each.removeprefix(BEARER) for each in subprotocols if each.startswith(BEARER)), None)


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
    except ValueError:
        return False  # such as half an IPv6 address
    return parts.scheme in ("http", "https") and parts.netloc == host and is_address(host)
