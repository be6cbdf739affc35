"""What no client should send, as Hypothesis strategies of bytes: broken frames, broken upgrades, slips."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from tests import plain_wire
from tests.fuzz.raw_frame import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawFrame

UPGRADE = (
    b"GET / HTTP/1.1\r\n"
    b"Host: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
    b"\r\n"
)

# ── frames ───────────────────────────────────────────────────────────────────


def _message(kind: str, **fields: object) -> bytes:
    return plain_wire.write("tagged", kind, **fields).encode()


CONNECT = _message("connect", protocol=2)

_MESSAGES = [
    CONNECT,
    _message("connect", session_id="nobody", last_seq=7, exclusive=True),
    _message("chat", content="one two", session_id="nobody"),
    _message("command", name="gateway.stats", args={}),
    _message("ping", timestamp=1),
    plain_wire.write("serde", "connect").encode(),
]

payloads = st.sampled_from(_MESSAGES) | st.binary(max_size=200)
masks = st.none() | st.binary(min_size=4, max_size=4)

valid_frames = st.builds(RawFrame, payload=st.sampled_from(_MESSAGES), mask=st.binary(min_size=4, max_size=4))

close_payloads = st.sampled_from(
    [b"", b"\x03", b"\x03\xe8", b"\x03\xed", b"\x00\x00", b"\xff\xff", b"\x0f\xa1", b"\x03\xe8\xff\xfe"]
) | st.binary(max_size=130)

abused_controls = st.builds(
    RawFrame,
    opcode=st.sampled_from([CLOSE, PING, PONG]),
    payload=close_payloads,
    fin=st.booleans(),
    mask=masks,
)

fragments = st.builds(
    RawFrame,
    opcode=st.sampled_from([CONTINUATION, TEXT, BINARY, PING]),
    payload=st.sampled_from([CONNECT[:9], CONNECT[9:], b"\xe2\x82", b"\xac", b""]),
    fin=st.booleans(),
)

invalid_text = st.builds(
    RawFrame,
    payload=st.sampled_from([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b'{"\xe2\x82']),
)

oversized = st.builds(
    RawFrame,
    opcode=st.sampled_from([TEXT, BINARY, CONTINUATION, PING]),
    payload=st.binary(max_size=20),
    length_bits=st.sampled_from([16, 64]),
    announced=st.sampled_from([0, 125, 126, 2**16 - 1, 2**20 + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1]),
)

any_frames = st.builds(
    RawFrame,
    opcode=st.integers(0, 15),
    payload=payloads,
    fin=st.booleans(),
    reserved=st.integers(0, 7),
    mask=masks,
    length_bits=st.sampled_from([None, None, 7, 16, 64]),
)

frames = valid_frames | abused_controls | fragments | invalid_text | oversized | any_frames

# ── bytes ────────────────────────────────────────────────────────────────────


def _flip(data: bytes, at: int) -> bytes:
    at %= len(data) * 8
    flipped = data[at // 8] ^ (1 << at % 8)
    return data[: at // 8] + bytes([flipped]) + data[at // 8 + 1 :]


def _cut(data: bytes, at: int) -> bytes:
    return data[: at % len(data)] or data


def _lose(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + data[at + 1 :] or data


def _stutter(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[: at + 1] + data[at:]


def _stray(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([at % 256]) + data[at:]


_MUTATIONS = [_flip, _cut, _lose, _stutter, _stray]


@st.composite
def mutated(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """*whole* with up to four slips of the pen."""
    data = draw(whole)
    for mutation in draw(st.lists(st.sampled_from(_MUTATIONS), max_size=4)):
        data = mutation(data, draw(st.integers(0, 2**16))) if data else data
    return data


def _join(several: Sequence[RawFrame]) -> bytes:
    return b"".join(frame.encode() for frame in several)


_HEADERS = [line + b"\r\n" for line in UPGRADE.split(b"\r\n")[1:-2]]
_STRANGE_HEADERS = [
    b"Sec-WebSocket-Version: 8\r\n",
    b"Sec-WebSocket-Key: short\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate\r\n",
    b"Sec-WebSocket-Protocol: chat, superchat\r\n",
    b"Origin: https://evil.example\r\n",
    b"Origin: http://[::1\r\n",
    b"Host: elsewhere\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"X-Long: " + b"x" * 20_000 + b"\r\n",
    b"X-High: \xff\xfe\r\n",
    b"X-Null: \x00\r\n",
    b" folded\r\n",
    b"no colon\r\n",
    b"\n",
]
_REQUEST_LINES = [
    b"GET / HTTP/1.1\r\n",
    b"GET /any/path?query=1 HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET / HTTP/2.0\r\n",
    b"POST / HTTP/1.1\r\n",
    b"CONNECT 127.0.0.1:1 HTTP/1.1\r\n",
    b"GET \xff HTTP/1.1\r\n",
    b"GET /\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n",
]

strange_upgrades = st.builds(
    lambda line, headers: line + b"".join(headers) + b"\r\n",
    st.sampled_from(_REQUEST_LINES),
    st.lists(st.sampled_from(_HEADERS + _STRANGE_HEADERS), max_size=8),
)
"""Requests that are upgrades by luck alone."""

upgrades = st.just(UPGRADE) | strange_upgrades | mutated(st.just(UPGRADE))

frame_bytes = mutated(st.lists(frames, min_size=1, max_size=6).map(_join))
"""Frames, most of them wrong, and slips in the rest."""
