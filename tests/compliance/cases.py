"""What RFC 6455 asks of a server that echoes, as bytes in and frames out; numbered as Autobahn's suite is."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import attrs

from tests.fuzz.raw_frame import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawFrame

Said: TypeAlias = tuple[int, bytes]
"""The opcode and payload of a frame that the server sends."""

NORMAL = 1000


@attrs.frozen
class Case:
    """A client's bytes, and how the server has to answer them."""

    name: str
    sent: bytes
    said: Sequence[Said] = ()
    """Before the close frame."""
    code: int = NORMAL
    """Of the close frame; where it is normal, the client closes first."""
    is_strict: bool = True
    """Must what was whole before the fault be echoed, too? A server that fails fast may forget it."""


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: int = 0) -> bytes:
    """A masked frame."""
    return RawFrame(opcode, payload, fin=fin, reserved=reserved).encode()


def message(opcode: int, *fragments: bytes) -> bytes:
    """A message in these fragments."""
    kinds = [opcode] + [CONTINUATION] * (len(fragments) - 1)
    ends = [False] * (len(fragments) - 1) + [True]
    return b"".join(
        frame(kind, payload, fin=fin) for kind, payload, fin in zip(kinds, fragments, ends, strict=True)
    )


def goodbye(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def framing() -> Iterator[Case]:
    """1: messages of all the sizes at which the header changes."""
    for opcode, kind in ((TEXT, "text"), (BINARY, "binary")):
        for size in (0, 125, 126, 127, 128, 65_535, 65_536):
            yield Case(f"1 {kind} of {size}", frame(opcode, b"*" * size), [(opcode, b"*" * size)])


def pings() -> Iterator[Case]:
    """2: pings are answered in order, pongs are not."""
    for payload in (b"", b"hello", b"\x00\xff\xfe", b"\xfe" * 125):
        yield Case(f"2 ping of {len(payload)}", frame(PING, payload), [(PONG, payload)])
    yield Case("2 ping of 126", frame(PING, b"x" * 126), code=1002)
    yield Case("2 pong", frame(PONG, b"nobody asked") + frame(PING, b"?"), [(PONG, b"?")])
    several = [b"%d" % number for number in range(10)]
    yield Case("2 ten pings", b"".join(frame(PING, each) for each in several), [(PONG, p) for p in several])


def faults_of_a_frame() -> Iterator[Case]:
    """3 and 4: reserved bits and opcodes, alone and behind a good message."""
    good, echo = frame(TEXT, b"hello"), [(TEXT, b"hello")]
    for reserved in range(1, 8):
        bad = frame(TEXT, b"x", reserved=reserved)
        yield Case(f"3 reserved {reserved}", bad, code=1002)
        yield Case(f"3 reserved {reserved} behind a text", good + bad, echo, 1002, is_strict=False)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Case(f"4 opcode {opcode}", frame(opcode, b"x"), code=1002)
        yield Case(f"4 opcode {opcode} behind", good + frame(opcode) + good, echo, 1002, is_strict=False)
    yield Case("4 unmasked", RawFrame(TEXT, b"x", mask=None).encode(), code=1002)
    yield Case("4 overlong length", RawFrame(TEXT, b"x", length_bits=64).encode(), code=1002)


def fragmentation() -> Iterator[Case]:
    """5: messages in fragments, with and without control frames between; fragments of nothing."""
    whole = [(TEXT, b"fragment1fragment2")]
    yield Case("5 ping in fragments", message(PING, b"a", b"b"), code=1002)
    yield Case("5 pong in fragments", message(PONG, b"a", b"b"), code=1002)
    yield Case("5 two fragments", message(TEXT, b"fragment1", b"fragment2"), whole)
    first, last = frame(TEXT, b"fragment1", fin=False), frame(CONTINUATION, b"fragment2")
    yield Case("5 a ping between", first + frame(PING, b"!") + last, [(PONG, b"!"), *whole])
    yield Case("5 a pong between", first + frame(PONG, b"!") + last, whole)
    for fin in (True, False):
        stray = frame(CONTINUATION, b"x", fin=fin)
        yield Case(f"5 continuation of nothing, {fin}", stray + frame(TEXT, b"hello"), code=1002)
    yield Case("5 continuation behind a message", frame(TEXT, b"a") + last, [(TEXT, b"a")], 1002, False)
    yield Case("5 a text within a text", first + frame(TEXT, b"fragment2"), code=1002)
    yield Case("5 a binary within a text", first + frame(BINARY, b"fragment2"), code=1002)
    yield Case("5 empty fragments", message(TEXT, b"", b"", b"", b"a", b""), [(TEXT, b"a")])
    yield Case("5 nothing in fragments", message(BINARY, b"", b"", b""), [(BINARY, b"")])
    twice = message(TEXT, b"a", b"b") + message(BINARY, b"c", b"d")
    yield Case("5 one after the other", twice, [(TEXT, b"ab"), (BINARY, b"cd")])


def close_frames() -> Iterator[Case]:
    """7: what may and what must not stand in a close frame, and what comes after it."""
    yield Case("7 text behind the close", goodbye(NORMAL) + frame(TEXT, b"late"))
    yield Case("7 ping behind the close", goodbye(NORMAL) + frame(PING, b"late"))
    yield Case("7 close behind the close", goodbye(NORMAL) * 2)
    said = [(TEXT, b"a")]
    yield Case("7 a message, then the close", frame(TEXT, b"a") + goodbye(NORMAL), said, is_strict=False)
    yield Case("7 the rest of a message is owed nothing", frame(TEXT, b"a", fin=False) + goodbye(NORMAL))
    yield Case("7 no code", frame(CLOSE), code=1005)
    yield Case("7 half a code", frame(CLOSE, b"\x03"), code=1002)
    yield Case("7 a reason", goodbye(NORMAL, b"bye"))
    yield Case("7 the longest reason", goodbye(NORMAL, b"*" * 123))
    yield Case("7 a longer reason", goodbye(NORMAL, b"*" * 124), code=1002)
    yield Case("7 a reason that is no text", goodbye(NORMAL, b"\xce\xba\xed\xa0\x80"), code=1007)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield Case(f"7 code {code}", goodbye(code), code=code)
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999):
        yield Case(f"7 bad code {code}", goodbye(code), code=1002)


CASES = [*framing(), *pings(), *faults_of_a_frame(), *fragmentation(), *close_frames()]
