"""A WebSocket client without I/O: what it says comes out as bytes, what it hears goes in as bytes."""

from __future__ import annotations

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage

from tests import plain_wire
from tests.plain_wire import DialectName, Event


class SansIOClient:
    """
    One connection, as a client sees it.

    It stands on wsproto and `plain_wire`, and so on nothing of the gateway's
    own. What must be sent in answer to what it hears gathers in `replies`.
    """

    def __init__(self, dialect: DialectName = "tagged", *, answers_pings: bool = True) -> None:
        self._dialect = dialect
        self._has_spoken = False
        """Only then does the gateway know its dialect; what it says before that is in the tagged one."""
        self._babbled = 0
        self.accepted = False
        self.closed: tuple[int, str] | None = None
        """The code and reason of the gateway's close frame."""
        self.replies = b""
        """Pongs and close frames that are due."""
        self._answers_pings = answers_pings
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._text = ""

    def upgrade(self) -> bytes:
        """Ask for the WebSocket."""
        return self._protocol.send(Request(host="127.0.0.1", target="/"))

    def say(self, kind: str, **fields: object) -> bytes:
        """Say one message."""
        self._has_spoken = True
        return self.say_text(plain_wire.write(self._dialect, kind, **fields))

    def say_text(self, text: str) -> bytes:
        """Say *text* in one frame, whatever it is; before the first message, nothing in either dialect."""
        self._babbled += not self._has_spoken
        return self._protocol.send(TextMessage(text))

    def close(self) -> bytes:
        """Say goodbye."""
        return self._protocol.send(CloseConnection(1000))

    def hear(self, data: bytes) -> list[Event]:
        """Read *data*; return the messages that are complete now."""
        self._protocol.receive_data(data)
        messages: list[Event] = []
        for event in self._protocol.events():
            match event:
                case AcceptConnection():
                    self.accepted = True
                case RejectConnection():
                    raise AssertionError(f"the upgrade was refused with status {event.status_code}")
                case TextMessage():
                    self._text += event.data
                    if event.message_finished:
                        messages.append(plain_wire.read(self._spoken_to(), self._text))
                        self._text = ""
                case Ping() if self._answers_pings and self._protocol.state is ConnectionState.OPEN:
                    self.replies += self._protocol.send(event.response())
                case CloseConnection():
                    self._hear_close(event)
                case _:
                    pass
        return messages

    def take_replies(self) -> bytes:
        """What is to be sent now."""
        replies, self.replies = self.replies, b""
        return replies

    def _spoken_to(self) -> DialectName:
        answers_babble, self._babbled = self._babbled > 0, max(0, self._babbled - 1)
        return self._dialect if self._has_spoken and not answers_babble else "tagged"

    def _hear_close(self, event: CloseConnection) -> None:
        self.closed = (event.code, event.reason or "")
        if self._protocol.state is ConnectionState.REMOTE_CLOSING:
            self.replies += self._protocol.send(event.response())
