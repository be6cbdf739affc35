from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import structlog
import trio
from hypothesis import given, settings, strategies as st

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.handshake import is_allowed
from tests.connection.raw_client import PONG, UPGRADE, RawClient, frame, head, text
from tests.connection.stage import Stage, stage

HOST = "127.0.0.1:18790"

REFUSED = {
    "POST": (head(request_line=b"POST / HTTP/1.1"), 400),
    "HTTP/1.0": (head(request_line=b"GET / HTTP/1.0"), 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "garbage": (b"\x16\x03\x01\x02\x00\xff\r\n\r\n", 400),
    "nothing but an end": (b"\r\n\r\n", 400),
    "no key": (head({b"Sec-WebSocket-Key": None}), 400),
    "no version": (head({b"Sec-WebSocket-Version": None}), 400),
    "old version": (head({b"Sec-WebSocket-Version": b"8"}), 426),
    "no host": (head({b"Host": None}), 400),
    "no upgrade": (head({b"Upgrade": None}, request_line=b"GET /x HTTP/1.1"), 404),
    "other upgrade": (head({b"Upgrade": b"h2c"}, request_line=b"GET /x HTTP/1.1"), 404),
    "too many fields": (head({b"X-%d" % number: b"" for number in range(100)}), 431),
    "host in no alphabet": (head({b"Host": b"\xff\xfe"}), 400),
    "extension in no alphabet": (head({b"Sec-WebSocket-Extensions": b"\xff"}), 400),
    "foreign origin": (head({b"Origin": b"https://evil.example"}), 403),
    "malformed origin": (head({b"Origin": b"http://[::1"}), 403),
    "head too large": (head({b"Cookie": b"x" * 16_384}), 431),
    "head without an end": (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 4_096, 431),
}


async def until_refused(stage: Stage, client: RawClient) -> bytes:
    """Wait until the gateway hangs up, hang up too, and see that nothing is left of it."""
    answer = await client.end()
    await client.leave()
    await stage.until_empty()
    return answer


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_upgrade_is_answered_over_http(name: str) -> None:
    """Whoever asks for something else is told so in HTTP, at once, and it is no fault of the gateway's."""
    request, status = REFUSED[name]
    with structlog.testing.capture_logs() as logs:
        async with stage() as parts:
            client = parts.socket()
            await client.send(request)
            answer = await until_refused(parts, client)
            assert answer.startswith(b"HTTP/1.1 %d " % status), answer
            assert not parts.connections
            assert parts.host.pool.statistics().closed == {}
            refused = parts.host.pool.statistics().refused
            assert sum(refused.values()) == 1
    assert [log["event"] for log in logs] == ["client refused"] * (status != 404)


async def test_a_refusal_leaves_no_task() -> None:
    """After a refused handshake as many tasks live as before it."""
    async with stage() as parts:
        before = trio.lowlevel.current_statistics().tasks_living
        for request, _ in REFUSED.values():
            client = parts.memory()
            await client.send(request)
            await until_refused(parts, client)
        await trio.testing.wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == before


async def test_an_origin_that_is_refused_is_told_the_remedy() -> None:
    """The answer to a foreign page names the setting that would let it in."""
    async with stage() as parts:
        client = parts.memory()
        await client.send(head({b"Origin": b"https://evil.example"}))
        assert b"allowed_origins" in await until_refused(parts, client)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (b"http://127.0.0.1:18790", ()),  # the gateway's own page: where the request went
        (b"https://chat.example", ("https://chat.example",)),
    ],
)
async def test_pages_that_may_connect(origin: bytes, allowed: tuple[str, ...]) -> None:
    """A listed page is let in, and so is one that comes from the gateway's own address."""
    async with stage(GatewayConfig(allowed_origins=allowed)) as parts:
        client = parts.memory()
        await client.send(head({b"Origin": origin}))
        assert (await client.answer()).startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "expected"),
    [
        (None, HOST, (), True),
        ("http://127.0.0.1:18790", HOST, (), True),
        ("http://localhost:1", "localhost:1", (), True),
        ("https://[::1]:1", "[::1]:1", (), True),
        ("http://127.0.0.1:18791", HOST, (), False),
        ("http://127.0.0.1", HOST, (), False),
        ("ftp://127.0.0.1:18790", HOST, (), False),
        ("null", HOST, (), False),
        ("", "", (), False),
        ("http://", "", (), False),
        ("http://rebound.example:1", "rebound.example:1", (), False),
        ("http://rebound.example:1", "rebound.example:1", ("http://rebound.example:1",), True),
        ("https://chat.example", HOST, ("https://chat.example",), True),
        ("https://chat.example.evil", HOST, ("https://chat.example",), False),
        ("https://CHAT.example", HOST, ("https://chat.example",), False),
        ("http://127.0.0.1:18790, https://evil.example", HOST, (), False),
        ("http://[::1", "[::1", (), False),
    ],
)
def test_which_origins_may_connect(
    origin: str | None, host: str, allowed: tuple[str, ...], *, expected: bool
) -> None:
    """No browser: yes. A browser: what is listed to the letter, or the address that it was sent to."""
    assert is_allowed(origin, host, allowed) is expected


async def test_two_origins_are_none() -> None:
    """Of two origins one is listed: refused, for no reader may pick the one that suits."""
    async with stage(GatewayConfig(allowed_origins=("https://chat.example",))) as parts:
        client = parts.memory()
        await client.send(head({b"Origin": b"https://chat.example", b"origin": b"https://evil.example"}))
        assert (await until_refused(parts, client)).startswith(b"HTTP/1.1 403 ")


async def test_no_extension_is_negotiated() -> None:
    """Compression is offered and not taken: frames are made once, and must read the same to all."""
    async with stage() as parts:
        client = parts.memory()
        offer = b"permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"
        await client.send(head({b"Sec-WebSocket-Extensions": offer, b"Sec-WebSocket-Protocol": b"a, b"}))
        answer = (await client.answer()).lower()
        assert answer.startswith(b"http/1.1 101 ")
        assert b"s3pplmbitxaq9kygzzhzrbk+xoo=" in answer  # RFC 6455 §1.3
        assert b"sec-websocket-extensions" not in answer
        assert b"sec-websocket-protocol" not in answer
        await client.send(frame(0x1, b'{"type":"ping","timestamp":1}'))
        assert (await client.event())["code"] == "NOT_CONNECTED"


async def test_frames_in_the_packet_of_the_upgrade_are_not_lost() -> None:
    """A client that does not wait for the answer is heard: whole frames, and one in two packets."""
    async with stage() as parts:
        for cut in range(1, 20):
            client = parts.socket()
            connect, ping = text("connect"), text("ping", timestamp=cut)
            await client.send(head() + connect + ping[:cut])
            await client.answer()
            await client.event("connected")
            await client.send(ping[cut:])
            assert await client.event() == {"type": "pong", "timestamp": cut}
            await client.leave()


async def test_a_head_may_come_byte_by_byte() -> None:
    """However a request is cut into packets, it is understood, and what follows it too."""
    async with stage() as parts:
        client = parts.memory()
        for byte in head() + text("connect"):
            await client.send(bytes([byte]))
            await trio.testing.wait_all_tasks_blocked()
        await client.answer()
        await client.event("connected")


async def test_a_head_may_be_as_large_as_the_limit() -> None:
    """16 KiB of head are taken, to the byte; a packet that holds frames as well is no larger head."""
    async with stage() as parts:
        room = 16_384 - len(head({b"Cookie": b""}))
        client = parts.memory()
        await client.send(head({b"Cookie": b"x" * room}) + text("connect"))
        assert (await client.answer()).startswith(b"HTTP/1.1 101 ")
        await client.event("connected")
        for cut in (0, 100):
            client = parts.memory()
            request = head({b"Cookie": b"x" * (room + 1)}) + text("connect")
            await client.send(request[:cut])
            await trio.testing.wait_all_tasks_blocked()
            await client.send(request[cut:])
            assert (await client.answer()).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127"])
async def test_a_client_that_ends_within_its_request_is_let_go(said: bytes) -> None:
    """A stream that ends before the head does is closed, and that is all."""
    async with stage() as parts:
        client = parts.socket()
        if said:
            await client.send(said)
        await client.stream.send_eof()
        await until_refused(parts, client)
        assert parts.host.pool.statistics().refused == ({"gone": 1} if said else {})


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127"])
async def test_a_silent_client_meets_the_handshake_deadline(
    said: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    """Who does not finish the request in time is let go, and no sooner; who has begun one is told."""
    async with stage(GatewayConfig(head_timeout=10, close_timeout=1)) as parts:
        began = trio.current_time()
        client = parts.memory()
        if said:
            await client.send(said)
        answer = await client.end()
        assert answer.startswith(b"HTTP/1.1 408 ") if said else answer == b""
        assert trio.current_time() - began == pytest.approx(10)
        await client.leave()
        await parts.until_empty()


async def test_a_client_that_is_gone_when_its_answer_comes() -> None:
    """A socket that breaks in mid-handshake is the client's doing: counted, and no error in the log."""
    with structlog.testing.capture_logs() as logs:
        async with stage() as parts:
            client = parts.socket()
            await client.send(head())
            await client.leave()
            await parts.until_empty()
            assert parts.host.pool.statistics().closed == {"1006": 1}
    assert [log["log_level"] for log in logs] == ["info"]


ODD_LINES = """\
Content-Length: 5
Transfer-Encoding: chunked
Expect: 100-continue
Connection: close
 folded
Host:
Upgrade: websocket, x
GET http://x/ HTTP/1.1
OPTIONS * HTTP/1.1
Origin: http://127.0.0.1:18790
"""
pieces = st.sampled_from(
    [*(name + b": " + value for name, value in UPGRADE.items()), *ODD_LINES.encode().splitlines(), b""]
)
requests = st.lists(pieces | st.binary(max_size=40), max_size=12).map(
    lambda lines: b"\r\n".join([b"GET / HTTP/1.1", *lines]) + b"\r\n\r\n"
)


@settings(max_examples=60)
@given(request=requests | st.binary(max_size=200).map(lambda junk: junk + b"\r\n\r\n"))
async def test_whatever_is_asked_is_answered_in_http(request: bytes) -> None:
    """No request, however odd, is a fault of the gateway's: it is answered, and then served or closed."""
    with structlog.testing.capture_logs() as logs:
        async with stage() as parts:
            client = parts.memory()
            await client.send(request, frame(PONG, b""))
            assert (await client.answer()).startswith(b"HTTP/1.1 ")
            await client.stream.send_eof()
            await until_refused(parts, client)
    assert "connection failed" not in [log["event"] for log in logs]


async def test_refusals_leave_no_descriptor() -> None:
    """After many refused handshakes over real sockets as many descriptors are open as before."""
    async with stage() as parts:
        before = len(list(Path("/proc/self/fd").iterdir()))
        async with trio.open_nursery() as nursery:
            for request, _ in REFUSED.values():
                client = parts.socket()
                nursery.start_soon(client.send, request)
                nursery.start_soon(partial(until_refused, parts, client))
        assert len(list(Path("/proc/self/fd").iterdir())) == before
