"""A client of somebody else's make: `websockets`, blocking, and the wire in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests import plain_wire
from tests.plain_wire import DialectName, Event

HANG = 30.0
"""Seconds after which a test that waits in vain fails."""


class PythonClient:
    """One connection to a gateway."""

    def __init__(self, connection: ClientConnection, dialect: DialectName) -> None:
        self._connection = connection
        self._dialect = dialect

    def say(self, kind: str, **fields: object) -> None:
        """Say one message."""
        self.say_text(plain_wire.write(self._dialect, kind, **fields))

    def say_text(self, text: str | bytes) -> None:
        """Say *text* in one frame, whatever it is."""
        self._connection.send(text)

    def next(self, *kinds: str) -> Event:
        """Wait for the next event, or for the next of some *kinds*, and drop the others."""
        while True:
            text = self._connection.recv(HANG, decode=True)
            event = plain_wire.read(self._dialect, text)
            if not kinds or event["type"] in kinds:
                return event

    def until(self, kind: str) -> list[Event]:
        """Every event up to the next of this *kind*."""
        events = [self.next()]
        while events[-1]["type"] != kind:
            events.append(self.next())
        return events

    def ask(self, kind: str, **fields: object) -> Event:
        """Say one message; return the next event."""
        self.say(kind, **fields)
        return self.next()

    def connect(self, **fields: object) -> Event:
        """Connect to a session."""
        connected = self.ask("connect", **fields)
        assert connected["type"] == "connected", connected
        return connected

    def wait_closed(self) -> tuple[int, str]:
        """Wait for the gateway's close frame, before which nothing may come; return its code and reason."""
        with pytest.raises(ConnectionClosed) as raised:
            self._connection.recv(HANG)
        close_frame = raised.value.rcvd
        assert close_frame is not None, "the gateway hung up without a close frame"
        return close_frame.code, close_frame.reason


@contextmanager
def dial(url: str, dialect: DialectName = "tagged") -> Iterator[PythonClient]:
    """Open a WebSocket for as long as the block lasts."""
    with connect(url, open_timeout=HANG, close_timeout=HANG) as connection:
        yield PythonClient(connection, dialect)
