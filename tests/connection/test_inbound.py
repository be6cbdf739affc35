from __future__ import annotations

import inspect
import struct
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import example, given, strategies as st
from trio_websocket import WebSocketConnection
from wsproto import ConnectionType
from wsproto.connection import Connection as FrameConnection, ConnectionState
from wsproto.events import CloseConnection, Event, Ping, Pong, TextMessage
from wsproto.utilities import LocalProtocolError

from bamboo_gateway.connection.inbound import InboundProtocol
from tests.connection.raw_client import BINARY, CLOSE, PING, PONG, TEXT, close, frame

masks = st.binary(min_size=4, max_size=4)
payloads = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.binary(max_size=40),
    st.sampled_from([125, 126, 127, 128, 300, 65_535, 65_536]).map(lambda size: b"x" * size),
)
frames = st.one_of(
    st.builds(frame, st.just(TEXT), st.text(max_size=200).map(str.encode), mask=masks),
    st.builds(
        frame,
        st.sampled_from([0, TEXT, BINARY, CLOSE, PING, PONG, 3, 0xB]),
        payloads,
        fin=st.booleans(),
        mask=st.none() | masks,
    ),
    st.sampled_from([close(1000, "bye"), close(1005), b"\x88\x81mask\x00"]),
    # Lengths said longer than needed, or than RFC 6455 knows; a reserved bit.
    st.sampled_from(
        [b"\x81\xfe\x00\x05", b"\x81\xff" + bytes(7) + b"\x05", b"\x81\xff\x80", b"\xc1\x85"]
    ).map(lambda start: start + b"maskhello"),
    st.binary(max_size=20),
)


@attrs.define
class Said:
    """What a protocol makes of a stream: of a message in pieces, the text that it has so far."""

    events: list[Event | tuple[str, bool]] = attrs.field(factory=list)
    errors: int = 0


def say(protocol: FrameConnection | InboundProtocol, pieces: list[bytes]) -> Iterator[tuple[object, ...]]:
    """Give a protocol the *pieces*, answer a close, and tell after each what it has made of them."""
    said = Said()
    for piece in pieces:
        try:
            protocol.receive_data(piece)
        except LocalProtocolError:
            said.errors += 1
        for event in protocol.events():
            said.events.append(event)
            if isinstance(event, CloseConnection) and protocol.state is ConnectionState.REMOTE_CLOSING:
                protocol.send(event.response())
        yield list(said.events), said.errors, protocol.state


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    """The *stream* in pieces of these *sizes*, and the rest."""
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [piece for piece in [*pieces, stream] if piece]


@given(st.lists(frames, max_size=6).map(b"".join), st.lists(st.integers(1, 60), max_size=20))
def test_it_means_what_wsproto_takes_it_for(stream: bytes, sizes: list[int]) -> None:
    """Whatever bytes come, cut wherever: after each piece the events, errors and state are wsproto's own."""
    pieces = cut(stream, sizes)
    wsproto = FrameConnection(ConnectionType.SERVER)
    assert list(say(InboundProtocol(), pieces)) == list(say(wsproto, pieces))


@example(frame(PING, b"x" * 126, mask=bytes(4)))
@example(frame(PONG, b"x" * 65_536, mask=bytes(4)))
@given(st.lists(frames, max_size=4).map(b"".join))
def test_it_means_the_same_byte_by_byte(stream: bytes) -> None:
    """The finest cut of all; of long frames the ends."""
    pieces = [stream[at : at + 1] for at in range(min(len(stream), 300))] + cut(stream[300:], [])
    wsproto = FrameConnection(ConnectionType.SERVER)
    assert list(say(InboundProtocol(), pieces)) == list(say(wsproto, pieces))


@given(st.lists(frames, max_size=3).map(b"".join))
def test_a_gateway_that_closes_first_still_hears(stream: bytes) -> None:
    """After its own close frame the same is heard as wsproto hears."""
    protocols = InboundProtocol(), FrameConnection(ConnectionType.SERVER)
    sent = [protocol.send(CloseConnection(1000, "bye")) for protocol in protocols]
    assert sent[0] == sent[1]
    ours, theirs = (list(say(protocol, [stream, b"\x81"])) for protocol in protocols)
    assert ours == theirs


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 4_096, 65_535])
def test_whole_texts_do_without_wsproto(size: int) -> None:
    """Up to 64 KiB; after a ping, and after a text in two packets, they do so again."""
    protocol = InboundProtocol()
    text = frame(TEXT, b"x" * size)
    protocol.receive_data(text + text)
    assert list(protocol.events()) == [TextMessage("x" * size)] * 2
    assert protocol._wsproto is None
    protocol.receive_data(frame(PING, b"a") + text[:3])
    assert list(protocol.events()) == [Ping(b"a")]
    protocol.receive_data(text[3:] + frame(PONG, b""))
    events = list(protocol.events())
    assert events[-1] == Pong(b"")
    assert "".join(event.data for event in events[:-1] if isinstance(event, TextMessage)) == "x" * size
    assert not protocol._is_passing
    assert protocol._missing == 0


def test_the_end_of_the_stream() -> None:
    """No more bytes: wsproto's own end."""
    protocol = InboundProtocol()
    protocol.receive_data(None)
    assert list(protocol.events()) == [CloseConnection(1006)]
    assert protocol.state is ConnectionState.CLOSED
    with pytest.raises(LocalProtocolError):
        protocol.receive_data(struct.pack("!B", TEXT))


def test_trio_websocket_still_has_the_task_that_is_started() -> None:
    """Its name is private: a release that renames it shall fail here, and not at the first client."""
    assert inspect.iscoroutinefunction(WebSocketConnection._reader_task)
    source = inspect.getsource(WebSocketConnection)
    asked = {"client", "state", "events", "receive_data", "send"}
    words = {
        line.split("._wsproto.")[1].split("(")[0] for line in source.splitlines() if "._wsproto." in line
    }
    assert {word.split()[0].rstrip(":") for word in words} <= asked
