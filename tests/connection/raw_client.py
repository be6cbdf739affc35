"""A client that says exactly the bytes it is told to, and judges every frame that it is sent."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable

import attrs
import trio

from tests import plain_wire
from tests.plain_wire import DialectName, Event

HANG = 30.0
"""Seconds after which a test that waits in vain fails."""

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
"""The key of RFC 6455 §1.3, whose answer stands there too."""

UPGRADE = {
    b"Host": b"127.0.0.1:18790",
    b"Upgrade": b"websocket",
    b"Connection": b"Upgrade",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}


def head(
    changes: dict[bytes, bytes | None] | None = None, *, request_line: bytes = b"GET / HTTP/1.1"
) -> bytes:
    """An upgrade request, with some headers changed, or left out (None)."""
    headers = UPGRADE | (changes or {})
    lines = [name + b": " + value for name, value in headers.items() if value is not None]
    return b"\r\n".join([request_line, *lines, b"", b""])


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, mask: bytes | None = b"\x01\x02\x03\x04"
) -> bytes:
    """A frame as a client writes it; without *mask*, as it must not."""
    start = struct.pack("!B", (0x80 if fin else 0) | opcode)
    flag = 0x80 if mask else 0
    if len(payload) < 126:
        start += struct.pack("!B", flag | len(payload))
    elif len(payload) < 1 << 16:
        start += struct.pack("!BH", flag | 126, len(payload))
    else:
        start += struct.pack("!BQ", flag | 127, len(payload))
    if not mask:
        return start + payload
    repeated = mask * (len(payload) // 4 + 1)
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(repeated[: len(payload)], "big")
    return start + mask + masked.to_bytes(len(payload), "big")


def text(kind: str, dialect: DialectName = "tagged", **fields: object) -> bytes:
    """A message in one frame."""
    return frame(TEXT, plain_wire.write(dialect, kind, **fields).encode())


def close(code: int, reason: str = "") -> bytes:
    """A client's goodbye."""
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


@attrs.frozen
class Frame:
    """What the gateway sent."""

    opcode: int
    payload: bytes


class FrameParser:
    """
    Bytes in, frames out.

    Raises:
        AssertionError: A frame is not final, masked, compressed, or longer said than needed.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def rest(self) -> bytes:
        """What is no whole frame yet."""
        return bytes(self._buffer)

    def feed(self, data: Iterable[int]) -> list[Frame]:
        """Return the frames that *data* completes."""
        self._buffer += bytes(data)
        frames = []
        while found := self._next():
            frames.append(found)
        return frames

    def _next(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        assert buffer[0] & 0xF0 == 0x80, f"not a final, plain frame: {bytes(buffer[:16])!r}"
        assert not buffer[1] & 0x80, "a masked frame"
        size, start = buffer[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
            assert size >= (126 if start == 4 else 1 << 16), "a length said longer than needed"
        if len(buffer) < start + size:
            return None
        found = Frame(buffer[0] & 0xF, bytes(buffer[start : start + size]))
        del buffer[: start + size]
        return found


class RawClient:
    """One connection, seen from outside; it reads only while somebody waits for something."""

    def __init__(self, stream: trio.abc.HalfCloseableStream, dialect: DialectName = "tagged") -> None:
        self.stream = stream
        self.dialect: DialectName = dialect
        self._parser = FrameParser()
        self._frames: list[Frame] = []

    async def send(self, *frames: bytes) -> None:
        """Send bytes."""
        with trio.fail_after(HANG):
            await self.stream.send_all(b"".join(frames))

    async def say(self, kind: str, **fields: object) -> None:
        """Say one message."""
        await self.send(text(kind, self.dialect, **fields))

    async def answer(self) -> bytes:
        """Wait for the head of the answer to the upgrade."""
        received = bytearray()
        with trio.fail_after(HANG):
            while b"\r\n\r\n" not in received:
                data = await self.stream.receive_some()
                assert data, f"the gateway hung up after {bytes(received)!r}"
                received += data
        answer, _, rest = received.partition(b"\r\n\r\n")
        if answer.startswith(b"HTTP/1.1 101 "):
            self._frames += self._parser.feed(rest)  # after any other answer it is text, for people
        return bytes(answer)

    async def upgrade(self) -> None:
        """Open the WebSocket."""
        await self.send(head())
        assert (await self.answer()).startswith(b"HTTP/1.1 101 ")

    async def connect(self, **fields: object) -> Event:
        """Open the WebSocket and connect."""
        await self.upgrade()
        await self.say("connect", **fields)
        return await self.event("connected")

    async def frame(self) -> Frame:
        """Wait for the next frame, whatever it is."""
        with trio.fail_after(HANG):
            while not self._frames:
                data = await self.stream.receive_some()
                assert data, f"the gateway hung up; unread: {self._parser.rest!r}"
                self._frames += self._parser.feed(data)
        return self._frames.pop(0)

    async def event(self, *kinds: str) -> Event:
        """Wait for the next message, or for the next of some *kinds*, answering pings on the way."""
        while True:
            found = await self.frame()
            if found.opcode == PING:
                await self.send(frame(PONG, found.payload))
                continue
            assert found.opcode == TEXT, found
            event = plain_wire.read(self.dialect, found.payload.decode())
            if not kinds or event["type"] in kinds:
                return event

    async def close_frame(self) -> tuple[int, str]:
        """Wait for the gateway's goodbye, which is the next frame."""
        found = await self.frame()
        assert found.opcode == CLOSE, found
        assert found.payload, "a close frame without a code"
        return int.from_bytes(found.payload[:2], "big"), found.payload[2:].decode()

    async def end(self) -> bytes:
        """Wait until the gateway hangs up; what it still sent."""
        assert not self._frames, self._frames
        received = bytearray(self._parser.rest)
        with trio.fail_after(HANG):
            while data := await self.stream.receive_some():
                received += data
        return bytes(received)

    def send_now(self, data: bytes) -> None:
        """Put *data* into the socket without giving the gateway a chance to run meanwhile."""
        assert isinstance(self.stream, trio.SocketStream)
        assert os.write(self.stream.socket.fileno(), data) == len(data)

    async def leave(self) -> None:
        """Vanish without a word."""
        await trio.aclose_forcefully(self.stream)
