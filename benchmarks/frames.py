"""WebSocket frames as a client needs them (RFC 6455 §5.2): the few kinds that come up here."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_TEXT = 0x81
_MASKED = 0x80
_LENGTH_16 = 126
_LENGTH_64 = 127


def text_frame(message: bytes) -> bytes:
    """Frame one text message of less than 126 bytes."""
    # A client must mask; a mask of zeros leaves the message as it is.
    return struct.pack("!BBI", _TEXT, _MASKED | len(message), 0) + message


def take_messages(received: bytearray) -> Iterator[bytes]:
    """
    Take complete frames off the front of *received*, and yield the text messages among them.

    Other kinds are dropped; a ping is not answered, for no round lasts as long as a server's patience.
    """
    while (bounds := _first_payload(received)) and bounds.stop <= len(received):
        if received[0] == _TEXT:
            yield bytes(received[bounds])
        del received[: bounds.stop]


def _first_payload(received: bytearray) -> slice | None:
    if len(received) < 2:
        return None
    length = received[1]
    assert length < _LENGTH_64, "no server here sends more than 64 KiB at once"
    if length < _LENGTH_16:
        return slice(2, 2 + length)
    if len(received) < 4:
        return None
    return slice(4, 4 + int.from_bytes(received[2:4], "big"))
