"""WebSocket frames as a client needs them (RFC 6455 §5.2): the few kinds that come up here."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_TEXT = 0x81
_MASKED = 0x80
_LENGTH_16 = 126
_LENGTH_64 = 127


def text_frame(message: bytes) -> bytes:
    """Frame one text message of less than 64 KiB."""
    # A client must mask; a mask of zeros leaves the message as it is.
    if len(message) < _LENGTH_16:
        return struct.pack("!BBI", _TEXT, _MASKED | len(message), 0) + message
    return struct.pack("!BBHI", _TEXT, _MASKED | _LENGTH_16, len(message), 0) + message


def take_messages(received: bytearray) -> Iterator[bytes]:
    """
    Take complete frames off the front of *received*, and yield the text messages among them.

    Other kinds are dropped; a ping is not answered, for no round lasts as long as a server's patience.
    """
    while (bounds := _first_payload(received)) and bounds.stop <= len(received):
        kind, message = received[0], bytes(received[bounds])
        del received[: bounds.stop]  # before the message is given away: the caller may want no more
        if kind == _TEXT:
            yield message


def _first_payload(received: bytearray) -> slice | None:
    if len(received) < 2:
        return None
    length = received[1]
    if length < _LENGTH_16:
        return slice(2, 2 + length)
    start = 4 if length < _LENGTH_64 else 10
    if len(received) < start:
        return None
    return slice(start, start + int.from_bytes(received[2:start], "big"))
