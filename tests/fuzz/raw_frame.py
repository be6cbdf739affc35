"""One WebSocket frame as RFC 6455 forbids it, or as it allows it."""

from __future__ import annotations

import struct
from typing import Literal

import attrs

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

_FIRST_OF_16, _FIRST_OF_64 = 126, 2**16
"""The least lengths that need the longer forms."""


@attrs.frozen
class RawFrame:
    """One frame, right or wrong."""

    opcode: int = TEXT
    payload: bytes = b""
    fin: bool = True
    reserved: int = 0
    """The three reserved bits."""
    mask: bytes | None = b"mask"
    """None: unmasked, which a client must not send."""
    length_bits: Literal[7, 16, 64] | None = None
    """The form of the length; None: the shortest, which alone is right."""
    announced: int | None = None
    """The length that the header tells; None: the true one."""

    def encode(self) -> bytes:
        """Write the frame."""
        first = (self.fin << 7) | (self.reserved << 4) | self.opcode
        return bytes([first]) + self._length() + (self.mask or b"") + self._masked()

    def _length(self) -> bytes:
        length = len(self.payload) if self.announced is None else self.announced
        shortest = 7 if length < _FIRST_OF_16 else 16 if length < _FIRST_OF_64 else 64
        masked = (self.mask is not None) << 7
        match self.length_bits or shortest:
            case 7:
                return bytes([masked | length % _FIRST_OF_16])
            case 16:
                return struct.pack("!BH", masked | 126, length % 2**16)
            case _:
                return struct.pack("!BQ", masked | 127, length % 2**64)

    def _masked(self) -> bytes:
        mask = self.mask or bytes(4)
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.payload))
