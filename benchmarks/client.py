"""A WebSocket client that does the least: what it does takes time from the machine that runs the server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

from .frames import take_messages, text_frame

MAX_RECEIVE_BYTES = 256 * 1024

TIMEOUT = 30.0
"""Seconds for one step: long enough for a busy machine."""

_END_OF_HEAD = b"\r\n\r\n"

_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==" + _END_OF_HEAD
)


class Client:
    """
    One connection, which has said `connect` and was answered.

    Args:
        port: The server's, on this machine.
        connect: What `connect` says beside its type.
    """

    def __init__(self, port: int, **connect: Any) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.received_bytes = 0
        self._received = bytearray()
        self.socket.sendall(_UPGRADE)
        while _END_OF_HEAD not in self._received:
            self._receive()
        del self._received[: self._received.index(_END_OF_HEAD) + len(_END_OF_HEAD)]
        self.say(type="connect", **connect)
        self.connected: dict[str, Any] = json.loads(self._first())
        """What was answered."""

    def send(self, message: bytes) -> None:
        """Send one text message."""
        self.socket.sendall(text_frame(message))

    def say(self, **message: Any) -> None:
        """Send one message, as JSON."""
        self.send(json.dumps(message, separators=(",", ":")).encode())

    def ask(self, content: str) -> None:
        """Chat, and read until the answer has ended."""
        self.say(type="chat", session_id=self.connected["session_id"], content=content)
        while not any(b'"agent_complete"' in message for message in self.read()):
            pass

    def read(self) -> Iterator[bytes]:
        """Receive once, and yield the text messages that have come."""
        self._receive()
        return take_messages(self._received)

    def taken(self) -> Iterator[bytes]:
        """Yield the text messages that came together with what was read already."""
        return take_messages(self._received)

    def _first(self) -> bytes:
        while (message := next(self.taken(), None)) is None:
            self._receive()
        return message

    def _receive(self) -> None:
        data = self.socket.recv(MAX_RECEIVE_BYTES)
        if not data:
            raise ConnectionError("the server hung up")
        self.received_bytes += len(data)
        self._received += data
