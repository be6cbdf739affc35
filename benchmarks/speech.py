"""How clients speak: what their messages are wrapped in, and how they connect."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class Speech:
    """One way to speak JSON messages over WebSocket."""

    path: str
    """Of the upgrade request."""
    wrap: Callable[[bytes], bytes]
    """Put a message into its envelope."""
    answer: Callable[[bytes | None, bytes], bytes | None]
    """What a client that connects sends upon what it got, None for the head; the other is its `connect`."""
    welcome: bytes = b'"connected"'
    """Is in the message that says that it is."""


def _answer_plain(got: bytes | None, connect: bytes) -> bytes | None:
    return connect if got is None else None


def _answer_socketio(got: bytes | None, connect: bytes) -> bytes | None:
    if got is None:
        return None
    if got.startswith(b"40"):  # the namespace is open
        return connect
    return b"40" if got.startswith(b"0") else None


PLAIN = Speech("/", lambda message: message, _answer_plain)

SOCKETIO = Speech(
    "/socket.io/?EIO=4&transport=websocket",
    lambda message: b'42["message",' + message + b"]",
    _answer_socketio,
)
"""Engine.IO 4 without long polling. It pings after 25 s and gives up after 45: no crowd lasts so long."""
