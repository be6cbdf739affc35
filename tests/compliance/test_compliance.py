"""RFC 6455 on the gateway's own stack, and beside it on trio-websocket alone: what that passes, we do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import pytest
import trio
from hypothesis import given, settings, strategies as st

from tests.compliance import bare_server, echo_server
from tests.compliance.cases import CASES, NORMAL, Case, Said, frame, goodbye, message
from tests.connection.raw_client import RawClient
from tests.fuzz.raw_frame import BINARY, CLOSE, PING, PONG, TEXT

Serve: TypeAlias = Callable[..., Awaitable[None]]
SERVERS: dict[str, Serve] = {"gateway": echo_server.serve, "bare": bare_server.serve}

UNSAID = 0
"""trio-websocket alone ends a connection with a fault, as it must, but does not say why."""

both = pytest.mark.parametrize("server", SERVERS)


@asynccontextmanager
async def client_of(server: str) -> AsyncIterator[RawClient]:
    """A client whose WebSocket is open."""
    async with trio.open_nursery() as nursery:
        port = await nursery.start(SERVERS[server], "127.0.0.1", 0)
        client = RawClient(await trio.open_tcp_stream("127.0.0.1", port))
        await client.upgrade()
        yield client
        await client.leave()
        nursery.cancel_scope.cancel()


async def hear(client: RawClient, count: int) -> list[Said]:
    """So many frames, or all up to the end of the stream, or to a close frame."""
    heard: list[Said] = []
    with suppress(AssertionError, trio.BrokenResourceError):  # it has hung up
        while len(heard) < count and (not heard or heard[-1][0] != CLOSE):
            found = await client.frame()
            heard.append((found.opcode, found.payload))
    return heard


async def converse(server: str, pieces: Iterable[bytes], count: int = 0) -> tuple[list[Said], int]:
    """Say *pieces*, hear *count* frames, say goodbye; all that was said, and the code of the close frame."""
    async with client_of(server) as client:
        with suppress(trio.BrokenResourceError):
            for piece in pieces:
                await client.send(piece)
        said = await hear(client, count)
        if not said or said[-1][0] != CLOSE:
            with suppress(trio.BrokenResourceError):
                await client.send(goodbye(NORMAL))
            said += await hear(client, 1000)
        with suppress(trio.BrokenResourceError):
            assert await client.end() == b""
    if server == "bare" and (not said or said[-1][0] != CLOSE):
        return said, UNSAID
    *said, (opcode, payload) = said
    assert opcode == CLOSE
    return said, int.from_bytes(payload[:2], "big") if payload else 1005


def check(server: str, case: Case, said: Sequence[Said], code: int) -> None:
    """The answer is the one that is asked for."""
    assert code in (case.code, UNSAID)
    if case.is_strict or server == "gateway":
        assert said == list(case.said)


@both
@pytest.mark.parametrize("case", CASES, ids=lambda each: each.name)
async def test_a_case(server: str, case: Case) -> None:
    """In one packet, as the RFC has it."""
    check(server, case, *await converse(server, [case.sent], len(case.said)))


@pytest.mark.parametrize("case", [each for each in CASES if len(each.sent) < 200], ids=lambda each: each.name)
async def test_a_case_byte_by_byte(case: Case) -> None:
    """The same in as many packets as there are bytes."""
    pieces = [case.sent[at : at + 1] for at in range(len(case.sent))]
    check("gateway", case, *await converse("gateway", pieces, len(case.said)))


# ── 6: UTF-8 ─────────────────────────────────────────────────────────────────

# The sequences that decoders get wrong: first and last of each length, overlong, surrogates, beyond, cut.
SEQUENCES = [
    *["", "κόσμε", "\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\ufffe"],
    *["\U00010000", "\U0010ffff", "\U0001fffe", "\ufdd0", "€", "𝄞"],
]
BAD_SEQUENCES = [
    *[
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xc2",
        b"\xc2\x00",
        b"\xdf",
        b"\xe0\x80\x80",
    ],
    *[
        b"\xe0\x9f\xbf",
        b"\xe0\xa0",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xef\xbf",
    ],
    *[b"\xf0\x80\x80\x80", b"\xf0\x8f\xbf\xbf", b"\xf0\x90\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80"],
    *[b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xff", b"\xff\xff\xff"],
]

sequences = st.sampled_from([each.encode() for each in SEQUENCES] + BAD_SEQUENCES) | st.binary(max_size=4)


@st.composite
def fragmented(draw: st.DrawFn) -> list[bytes]:
    """Some of them behind each other, cut wherever."""
    data = b"".join(draw(st.lists(sequences, max_size=6)))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=5)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@both
@settings(max_examples=min(settings().max_examples, 60))
@given(fragmented(), st.booleans())
async def test_text_is_utf_8(server: str, fragments: list[bytes], is_chopped: bool) -> None:
    """6: a text is echoed where all of it together is UTF-8; else it is 1007. Wherever it is cut."""
    data = message(TEXT, *fragments)
    pieces = [data[at : at + 1] for at in range(len(data))] if is_chopped else [data]
    try:
        b"".join(fragments).decode()
    except UnicodeDecodeError:
        assert await converse(server, pieces) in (([], 1007), ([], UNSAID))
    else:
        assert await converse(server, pieces, 1) == ([(TEXT, b"".join(fragments))], NORMAL)


@both
@pytest.mark.parametrize("bad", BAD_SEQUENCES, ids=lambda each: each.hex())
async def test_every_bad_sequence(server: str, bad: bytes) -> None:
    """6.6 to 6.22: each of them, between good words."""
    bad_text = frame(TEXT, b"before " + bad + b" behind")
    assert await converse(server, [bad_text]) in (([], 1007), ([], UNSAID))


@both
@pytest.mark.parametrize("text", SEQUENCES)
async def test_every_good_sequence(server: str, text: str) -> None:
    """The same, for what is allowed."""
    assert await converse(server, [frame(TEXT, text.encode())], 1) == ([(TEXT, text.encode())], NORMAL)


@pytest.mark.parametrize("bad", [b"\xf4\x90", b"\xff", b"good \xc0"], ids=bytes.hex)
async def test_bad_text_fails_fast(bad: bytes) -> None:
    """6.4: the connection ends at the first byte that nothing can mend, though the message goes on."""
    async with client_of("gateway") as client:
        await client.send(frame(TEXT, bad, fin=False))
        [(opcode, payload)] = await hear(client, 2)
    assert (opcode, payload[:2]) == (CLOSE, (1007).to_bytes(2, "big"))


# ── 9 and 10: sizes ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", [64 * 1024, 1024 * 1024])
async def test_large_messages(opcode: int, size: int) -> None:
    """9.1 and 9.2: whole."""
    await _check_large([frame(opcode, b"*" * size)], [(opcode, b"*" * size)])


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fragment", [64, 1024, 65_536])
async def test_large_messages_in_fragments(opcode: int, fragment: int) -> None:
    """9.3 and 9.4: some hundred KB, in frames as small as 64 bytes, with a ping between."""
    payload = bytes(32 + number % 90 for number in range(256 * 1024))
    fragments = [payload[at : at + fragment] for at in range(0, len(payload), fragment)]
    first, *rest = fragments
    data = message(opcode, first, *rest)
    await _check_large([data + frame(PING, b"done?")], [(opcode, payload), (PONG, b"done?")])


@pytest.mark.parametrize("chop", [64, 1024])
async def test_large_messages_in_small_packets(chop: int) -> None:
    """9.5 and 9.6: one frame in thousands of packets."""
    data = frame(TEXT, b"*" * 256 * 1024)
    pieces = [data[at : at + chop] for at in range(0, len(data), chop)]
    await _check_large(pieces, [(TEXT, b"*" * 256 * 1024)])


async def test_many_messages() -> None:
    """9.7: a thousand behind each other come back in order."""
    texts = [b"%d" % number for number in range(1000)]
    await _check_large([b"".join(frame(TEXT, each) for each in texts)], [(TEXT, each) for each in texts])


async def _check_large(pieces: Sequence[bytes], said: Sequence[Said]) -> None:
    """Echoed by a server whose client reads while it writes: neither takes so much without."""
    heard: list[Said] = []

    async def listen(client: RawClient) -> None:
        heard.extend(await hear(client, len(said) + 1))

    async with client_of("gateway") as client, trio.open_nursery() as nursery:
        nursery.start_soon(listen, client)
        for piece in pieces:
            await client.send(piece)
        await client.send(goodbye(NORMAL))
    assert heard == [*said, (CLOSE, NORMAL.to_bytes(2, "big"))]
