"""A client of the state machine: a socket that it reads or leaves unread, and its side of the story."""

from __future__ import annotations

import socket
from contextlib import suppress

from tests.machines.clients.model import SessionModel
from tests.machines.clients.record import Chosen
from tests.machines.clients.view import View
from tests.plain_wire import DialectName
from tests.sansio_client import SansIOClient

_CHUNK_BYTES = 64 * 1024


class Actor:
    """
    One connection.

    Invariant: `session`, `protocol` and `knows` are what the gateway must take
    them to be; `view` is what the client has seen of it so far.
    """

    def __init__(self, end: socket.socket, dialect: DialectName) -> None:
        self.view = View()
        self.connection_id = Chosen()
        self.session: SessionModel | None = None
        """Which it watches."""
        self.protocol = 1
        self.is_connected = False
        """Has the gateway ever accepted its `connect`?"""
        self.is_reading = True
        self.is_over = False
        """Has the gateway hung up?"""
        self._socket = end
        self._protocol = SansIOClient(dialect)

    def __repr__(self) -> str:
        return f"<client {id(self) // 64 % 4096} of {self.session}>"

    @property
    def closed(self) -> tuple[int, str] | None:
        """The code and reason of the gateway's close frame, once it was read."""
        return self._protocol.closed

    def say(self, *messages: tuple[str, dict[str, object]]) -> None:
        """Say all *messages* in one go."""
        self._send(b"".join(self._protocol.say(kind, **fields) for kind, fields in messages))

    def say_text(self, text: str) -> None:
        """Say *text* in one frame, whatever it is."""
        self._send(self._protocol.say_text(text))

    def ask_for_upgrade(self) -> None:
        """Begin."""
        self._send(self._protocol.upgrade())

    def say_goodbye(self) -> None:
        """Send a close frame."""
        self._send(self._protocol.close())

    def listen(self) -> bool:
        """Read what there is, and check it; was there anything?"""
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        self.is_over = not data
        for event in self._protocol.hear(data) if data else ():
            self.view.hear(event)
        self._send(self._protocol.take_replies())
        return not self.is_over

    def vanish(self) -> None:
        """Close the socket without a word."""
        self._socket.close()

    def _send(self, data: bytes) -> None:
        with suppress(BrokenPipeError):  # the gateway has hung up already; its words may still be read
            self._socket.sendall(data)
