from __future__ import annotations

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import memory_stream_pair

from bamboo_gateway.http.head import HeadReader, asks_for_websocket
from bamboo_gateway.http.messages import RefusedError
from tests.connection.raw_client import head

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@given(data=st.data())
async def test_heads_are_told_apart_however_they_are_cut(data: st.DataObject) -> None:
    """Each head comes out whole, in order, and what is behind the last one is kept, to the byte."""
    fields = st.lists(st.sampled_from([b"A: 1", b"B: ", b"C: \r", b""]), max_size=4).map(
        lambda lines: b"".join(line + b"\r\n" for line in lines if line)
    )
    heads = [b"GET / HTTP/1.1\r\n" + data.draw(fields) + b"\r\n" for _ in range(data.draw(st.integers(1, 3)))]
    rest = data.draw(st.binary(max_size=8).filter(lambda rest: b"\r\n\r\n" not in rest))
    sent = b"".join(heads) + rest
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)), max_size=6)))
    client, stream = memory_stream_pair()
    reader = HeadReader(stream)
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        await client.send_all(sent[start:end])
    found: list[bytes] = []
    while len(found) < len(heads):
        read = await reader.read(0, 0)
        assert read is not None
        found.append(read)
    assert found == heads
    with trio.move_on_after(0):
        await reader.read(0, 0)
    assert reader.take_rest() == rest
    assert not reader.has_begun


@pytest.mark.parametrize("piece", [1, 7, 100_000])
async def test_a_head_may_be_as_large_as_the_limit_and_no_larger(piece: int) -> None:
    """To the byte, whether it comes at once or in pieces; 0 is no limit."""
    for limit, fits in ((len(GET), True), (len(GET) - 1, False), (0, True)):
        client, stream = memory_stream_pair()
        for start in range(0, len(GET), piece):
            await client.send_all(GET[start : start + piece])
        reader = HeadReader(stream)
        if fits:
            assert await reader.read(limit, 0) == GET
            continue
        with pytest.raises(RefusedError, match="too large") as caught:
            await reader.read(limit, 0)
        assert caught.value.reply.status == 431
        assert b"max_head_bytes" in caught.value.reply.body


async def test_a_head_may_have_so_many_fields() -> None:
    """The first line is none; 0 is no limit."""
    for limit, fits in ((1, True), (0, True), (2, True)):
        client, stream = memory_stream_pair()
        await client.send_all(GET)
        assert (await HeadReader(stream).read(0, limit) == GET) is fits
    client, stream = memory_stream_pair()
    await client.send_all(GET.replace(b"\r\n\r\n", b"\r\nA: b\r\n\r\n"))
    with pytest.raises(RefusedError) as caught:
        await HeadReader(stream).read(0, 1)
    assert b"max_head_fields" in caught.value.reply.body


async def test_a_stream_that_ends_between_requests_ends_well() -> None:
    """None where another head could have begun, an error where one had."""
    client, stream = memory_stream_pair()
    reader = HeadReader(stream)
    await client.send_all(GET)
    await client.send_eof()
    assert await reader.read(0, 0) == GET
    assert await reader.read(0, 0) is None
    client, stream = memory_stream_pair()
    await client.send_all(GET[:9])
    await client.send_eof()
    reader = HeadReader(stream)
    with pytest.raises(RefusedError, match="ended within"):
        await reader.read(0, 0)
    assert reader.has_begun


@pytest.mark.parametrize(
    ("upgrade", "asks"),
    [(b"websocket", True), (b"WebSocket", True), (b"h2c, websocket", True), (b"h2c", False), (None, False)],
)
def test_who_asks_for_a_websocket(upgrade: bytes | None, *, asks: bool) -> None:
    """By its header, whose name and value have no case; the word elsewhere means nothing."""
    assert asks_for_websocket(head({b"Upgrade": upgrade, b"Connection": b"x"})) is asks
    assert not asks_for_websocket(b"GET /upgrade:websocket HTTP/1.1\r\nX-Upgrade: websocket\r\n\r\n")


@pytest.mark.parametrize(
    "bare",
    [
        b"GET / HTTP/1.1\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\n\nGET /version HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\n" * 500 + b"\r\n\r\n",
    ],
)
async def test_lines_end_in_one_way(bare: bytes) -> None:
    """Two readers that part requests at different places can be played against each other (smuggling)."""
    client, stream = memory_stream_pair()
    await client.send_all(bare)
    with pytest.raises(RefusedError) as caught:
        await HeadReader(stream).read(0, 100)
    assert caught.value.reply.status == 400
