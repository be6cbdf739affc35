"""The task that ends connections whose principals are let in no longer: revoked, rotated or expired."""

from __future__ import annotations

import time
from collections.abc import Callable

import trio

from ..errors import ErrorCode
from ..principal import Principal
from ..protocol.closing import CloseCode, Closing
from .connection import Connection
from .host import Host

LOOK_INTERVAL = 0.25
"""Seconds between two looks at the tokens, which cost as much as looking at a file's date."""

_LOOKS_A_SWEEP = 4
"""Looks after one of which all connections are seen through, for those whose tokens have expired."""

_REVOKED = Closing(CloseCode.REVOKED, "the token was revoked")
_ASKED = Closing(CloseCode.REVOKED, "a token is asked for now")
_EXPIRED = Closing(CloseCode.REVOKED, "the token has expired")


async def run_revocation(host: Host, clock: Callable[[], float] = time.time) -> None:
    """
    Watch over all connections until cancelled.

    Args:
        host: Their gateway.
        clock: Unix seconds.
    """
    looks = 0
    while True:
        looks += 1
        if host.gatekeeper.refresh() or looks % _LOOKS_A_SWEEP == 0:
            for connection in host.pool:
                end_if_over(host, connection, clock())
        await trio.sleep(LOOK_INTERVAL)


def end_if_over(host: Host, connection: Connection, now: float) -> bool:
    """Close *connection* if its principal holds no longer at *now* (Unix seconds); is it so?"""
    principal = connection.principal
    if principal is None:
        return False
    closing = _find_end(host, principal, now)
    if closing is None:
        return False
    _end(connection, closing)
    return True


def revoke(host: Host, user_id: str) -> int:
    """Close every connection of *user_id*; return how many there were. Who is just coming is asked again."""
    host.gatekeeper.revocations += 1
    theirs = [each for each in host.pool if each.principal is not None and each.principal.user_id == user_id]
    for connection in theirs:
        _end(connection, _REVOKED)
    return len(theirs)


def _find_end(host: Host, principal: Principal, now: float) -> Closing | None:
    if principal.expires_at is not None and principal.expires_at <= now:
        return _EXPIRED
    if host.gatekeeper.still_holds(principal):
        return None
    return _REVOKED if principal.token_digest else _ASKED


def _end(connection: Connection, closing: Closing) -> None:
    """Once: until it is gone, it is still among the others."""
    if connection.closing is None:
        connection.fail(ErrorCode.UNAUTHORIZED, closing)
