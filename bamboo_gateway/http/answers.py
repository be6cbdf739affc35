"""Answers as bytes, by h11."""

from __future__ import annotations

from email.utils import formatdate

import h11

from .messages import Reply


def write(reply: Reply, connection: h11.Connection | None = None, *, is_last: bool = True) -> bytes:
    """
    Write *reply*.

    Args:
        reply: What to say.
        connection: Which has understood the request; without it, there was none to be understood.
        is_last: Will the socket be closed behind it?
    """
    connection = connection or h11.Connection(h11.SERVER)
    headers = [
        ("Date", formatdate(usegmt=True)),
        ("Content-Type", reply.content_type),
        ("Content-Length", str(len(reply.body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        *reply.headers,
    ]
    if is_last:
        headers.append(("Connection", "close"))
    head = h11.Response(status_code=reply.status, headers=headers, reason=reply.status.phrase.encode())
    parts = [
        connection.send(head),
        connection.send(h11.Data(data=reply.body)),
        connection.send(h11.EndOfMessage()),
    ]
    return b"".join(part for part in parts if part)


def may_follow(connection: h11.Connection) -> bool:
    """May another request follow on the same socket? One with a body may not: nobody here reads it."""
    return connection.next_event() is not h11.NEED_DATA and connection.their_state is h11.DONE
