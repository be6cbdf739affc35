"""
WebSocket frames as a server writes them: final, unmasked, uncompressed (RFC 6455 §5.2).

trio-websocket frames for one connection; here one text frame is made once and
the same bytes go to every connection.
"""

from __future__ import annotations

import struct

MAX_REASON_BYTES = 123
"""What a close frame has room for beside the code (RFC 6455 §5.5)."""

_TEXT = 0x81
_CLOSE = 0x88
_PING = 0x89

_LENGTH_16 = 126
_LENGTH_64 = 127
"""The 7-bit lengths that announce a longer one."""

_MAX_16 = 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """Frame one UTF-8 text message."""
    return _header(_TEXT, len(payload)) + payload


def close_frame(code: int, reason: str) -> bytes:
    """Frame a close; a *reason* over `MAX_REASON_BYTES` is cut at a character."""
    text = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore").encode()
    return _header(_CLOSE, 2 + len(text)) + struct.pack("!H", code) + text


def ping_frame(payload: bytes = b"") -> bytes:
    """Frame a ping; a *payload* has at most 125 bytes (RFC 6455 §5.5)."""
    return _header(_PING, len(payload)) + payload


def is_close(data: bytes) -> bool:
    """Does *data*, one whole frame, close the connection?"""
    return data[:1] == bytes([_CLOSE])


def _header(opcode: int, length: int) -> bytes:
    if length < _LENGTH_16:
        return struct.pack("!BB", opcode, length)
    if length <= _MAX_16:
        return struct.pack("!BBH", opcode, _LENGTH_16, length)
    return struct.pack("!BBQ", opcode, _LENGTH_64, length)
