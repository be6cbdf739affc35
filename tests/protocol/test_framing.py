from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from bamboo_gateway.protocol import framing
from bamboo_gateway.protocol.closing import CloseCode

NEVER_SENT = {CloseCode.NO_STATUS, CloseCode.ABNORMAL}

close_codes = st.sampled_from([code for code in CloseCode if code not in NEVER_SENT])


def sent_by_wsproto(event: Event) -> bytes:
    """What wsproto writes on a fresh connection of a server."""
    return bytes(Connection(ConnectionType.SERVER).send(event))


def received_by_wsproto(data: bytes) -> list[Event]:
    """What a client of wsproto reads."""
    connection = Connection(ConnectionType.CLIENT)
    connection.receive_data(data)
    return list(connection.events())


class TestTextFrame:
    @given(st.integers(0, 70_000), st.sampled_from("aé你😀"))
    @example(124, "a")
    @example(125, "a")
    @example(126, "a")
    @example(127, "a")
    @example(65_534, "a")
    @example(65_535, "a")
    @example(65_536, "a")
    def test_is_as_wsproto_writes_it(self, size: int, character: str) -> None:
        """The frame is byte for byte the one that the connection's own library would make."""
        text = (character * size)[:size]
        assert framing.text_frame(text.encode()) == sent_by_wsproto(TextMessage(data=text))

    @given(st.lists(st.text(max_size=200), max_size=5))
    def test_can_stand_behind_another(self, texts: list[str]) -> None:
        """Frames joined into one write are read as the messages they are."""
        data = b"".join(framing.text_frame(text.encode()) for text in texts)
        assert received_by_wsproto(data) == [TextMessage(data=text) for text in texts]


@given(st.binary(max_size=125))
def test_ping_frame_is_as_wsproto_writes_it(payload: bytes) -> None:
    """The frame is byte for byte the one that the connection's own library would make."""
    assert framing.ping_frame(payload) == sent_by_wsproto(Ping(payload))


class TestCloseFrame:
    @given(close_codes, st.text(max_size=150))
    @example(CloseCode.NORMAL, "x" * framing.MAX_REASON_BYTES)
    @example(CloseCode.NORMAL, "x" * (framing.MAX_REASON_BYTES + 1))
    @example(CloseCode.NORMAL, "x" * (framing.MAX_REASON_BYTES - 1) + "é")
    @example(CloseCode.NORMAL, "x" * (framing.MAX_REASON_BYTES - 3) + "😀")
    def test_is_as_wsproto_writes_it(self, code: CloseCode, reason: str) -> None:
        """The frame is byte for byte wsproto's; a long reason is cut between two characters."""
        assert framing.close_frame(code, reason) == sent_by_wsproto(CloseConnection(code, reason))

    @given(close_codes, st.text(max_size=150))
    def test_reaches_a_client(self, code: CloseCode, reason: str) -> None:
        """A client reads the code, and as much of the reason as a close frame has room for."""
        [event] = received_by_wsproto(framing.close_frame(code, reason))
        assert isinstance(event, CloseConnection)
        assert event.code == code
        assert reason.startswith(event.reason or "")


@given(st.text(max_size=200), close_codes)
def test_is_close_tells_the_two_apart(text: str, code: CloseCode) -> None:
    """Of the gateway's own frames, exactly the close frames close."""
    assert framing.is_close(framing.close_frame(code, text))
    assert not framing.is_close(framing.text_frame(text.encode()))
    assert not framing.is_close(framing.ping_frame())


@pytest.mark.parametrize("data", [b"", b"\x8a\x00"], ids=["nothing", "pong"])
def test_is_close_takes_other_frames(data: bytes) -> None:
    """Neither nothing nor a pong closes anything."""
    assert not framing.is_close(data)
