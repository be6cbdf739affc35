from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import trio
import trio.testing

from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.outbox import Outbox
from bamboo_gateway.errors import ErrorCode, InvalidMessageError
from bamboo_gateway.protocol.closing import CloseCode, Closing
from bamboo_gateway.protocol.messages import Connected, Pong, Shutdown
from tests import plain_wire
from tests.connection.raw_client import HANG, FrameParser

TOO_BIG = Closing(CloseCode.MESSAGE_TOO_BIG, "too big")


class Wire:
    """A connection on a socket, and what has arrived at its other end."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self.connection = Connection(Outbox(self._ours.fileno()))

    def read(self) -> list[plain_wire.Event]:
        """The messages that are there by now."""
        try:
            frames = FrameParser().feed(self._theirs.recv(65_536))
        except BlockingIOError:
            return []
        return [plain_wire.read("tagged", frame.payload.decode()) for frame in frames]

    def close(self) -> None:
        """Close both ends."""
        self._ours.close()
        self._theirs.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A fresh connection."""
    wire = Wire()
    yield wire
    wire.close()


def test_no_two_connections_share_an_id() -> None:
    """An id is never used again, so that an old socket's end is not taken for a newer one's."""
    connections = [Connection(Outbox(None)) for _ in range(100)]
    assert len({connection.id for connection in connections}) == 100


def test_what_is_said_goes_out_at_once(wire: Wire) -> None:
    """`send` has written when it returns; what the protocol has no words for is not said."""
    wire.connection.send(Pong(5))
    assert wire.read() == [{"type": "pong", "timestamp": 5}]
    wire.connection.send(Shutdown("protocol 2 alone knows this"))
    assert wire.read() == []


def test_what_cannot_be_said_raises(wire: Wire) -> None:
    """An event that is no JSON is refused where it is given, and nothing of it is sent."""
    with pytest.raises(InvalidMessageError):
        wire.connection.send(Pong(2**63))
    assert wire.read() == []


def test_a_refusal_says_what_can_be_done(wire: Wire) -> None:
    """An error carries the id that it answers, and whether to try again."""
    wire.connection.refuse(ErrorCode.QUEUE_FULL, "later", message_id="chat 1")
    wire.connection.refuse(ErrorCode.UNKNOWN_COMMAND, "never")
    assert wire.read() == [
        {"type": "error", "code": "QUEUE_FULL", "message": "later", "id": "chat 1", "retryable": True},
        {"type": "error", "code": "UNKNOWN_COMMAND", "message": "never"},
    ]


def test_a_greeting_waits_for_what_follows_it(wire: Wire) -> None:
    """`greet` changes the protocol and pushes; it is flushed together with the replay behind it."""
    wire.connection.greet(Connected("s", protocol=2), is_exact=False)
    assert wire.read() == []
    assert wire.connection.session_id == "s"
    wire.connection.refuse(ErrorCode.QUEUE_FULL, "later")
    greeting, error = wire.read()
    assert greeting == {"type": "connected", "session_id": "s", "resumed": False, "protocol": 2}
    assert error["session_id"] == "s"
    wire.connection.send(Shutdown("now it is known"))
    assert wire.read() == [{"type": "shutdown", "reason": "now it is known"}]


def reason_of(connection: Connection) -> Closing | None:
    """Why it ends."""
    return connection.closing


async def test_the_first_reason_to_close_is_told(wire: Wire) -> None:
    """However many reasons are given, the first one stands, whoever waits for it."""
    connection = wire.connection
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.wait_closing)
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        assert connection.closing is None
        connection.close(TOO_BIG)
        connection.close(Closing(CloseCode.NORMAL, "too late"))
    assert reason_of(connection) is TOO_BIG
    with trio.fail_after(HANG):
        await connection.wait_closing()


def test_a_failure_is_delivered_before_the_end(wire: Wire) -> None:
    """What ends a connection is said as an error, too, for clients that do not see close codes."""
    wire.connection.fail(ErrorCode.MESSAGE_TOO_BIG, TOO_BIG)
    assert wire.read() == [{"type": "error", "code": "MESSAGE_TOO_BIG", "message": "too big"}]
    assert wire.connection.closing is TOO_BIG
