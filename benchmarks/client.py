"""A WebSocket client that does the least: what it does takes time from the machine that runs the server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

from .frames import take_messages, text_frame
from .speech import PLAIN, Speech

MAX_RECEIVE_BYTES = 256 * 1024

TIMEOUT = 30.0
"""Seconds for one step: long enough for a busy machine."""

_END_OF_HEAD = b"\r\n\r\n"

_UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
"""It offers no compression, so nobody compresses."""


class Client:
    """
    One connection, which has said `connect` and was answered.

    Args:
        port: The server's, on this machine.
        speech: How it speaks.
        patient: Wait for the answer; else whoever made it calls `go_on` until it is there.
        connect: What `connect` says beside its type.
    """

    def __init__(self, port: int, speech: Speech = PLAIN, *, patient: bool = True, **connect: Any) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self.received_bytes = 0
        self.connected: dict[str, Any] = {}
        """What was answered."""
        self._received = bytearray()
        self._speech = speech
        self._connect = speech.wrap(to_json(type="connect", **connect))
        self._is_open = False
        self.socket.sendall(_UPGRADE.format(speech.path).encode())
        while patient and not self.go_on():
            pass

    def go_on(self) -> bool:
        """Receive once, and take the next steps to be connected; is it?"""
        self._receive()
        if not self._is_open:
            if _END_OF_HEAD not in self._received:
                return False
            del self._received[: self._received.index(_END_OF_HEAD) + len(_END_OF_HEAD)]
            self._is_open = True
            self._step(None)
        for message in self.taken():
            if self._speech.welcome in message:
                self.connected = json.loads(message[message.index(b"{") : message.rindex(b"}") + 1])
                return True
            self._step(message)
        return False

    def send(self, message: bytes) -> None:
        """Send one JSON message."""
        self.socket.sendall(self.frame(message))

    def say(self, **message: Any) -> None:
        """Send one message, as JSON."""
        self.send(to_json(**message))

    def frame(self, message: bytes) -> bytes:
        """Make the bytes that `send` sends."""
        return text_frame(self._speech.wrap(message))

    def ask(self, content: str) -> None:
        """Chat, and read until the answer has ended."""
        self.chat(content)
        self.wait_answer()

    def chat(self, content: str) -> None:
        """Chat."""
        self.say(type="chat", session_id=self.connected["session_id"], content=content)

    def wait_answer(self) -> None:
        """Read until an answer has ended."""
        while not any(b'"agent_complete"' in message for message in self.read()):
            pass

    def read(self) -> Iterator[bytes]:
        """Receive once, and yield the text messages that have come."""
        self._receive()
        return take_messages(self._received)

    def taken(self) -> Iterator[bytes]:
        """Yield the text messages that came together with what was read already."""
        return take_messages(self._received)

    def _step(self, got: bytes | None) -> None:
        answer = self._speech.answer(got, self._connect)
        if answer is not None:
            self.socket.sendall(text_frame(answer))

    def _receive(self) -> None:
        data = self.socket.recv(MAX_RECEIVE_BYTES)
        if not data:
            raise ConnectionError("the server hung up")
        self.received_bytes += len(data)
        self._received += data


def to_json(**message: Any) -> bytes:
    """Make JSON, without spaces."""
    return json.dumps(message, separators=(",", ":")).encode()
