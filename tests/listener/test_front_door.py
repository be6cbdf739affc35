from __future__ import annotations

import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import structlog
import trio
import trustme
from trio.testing import MockClock, wait_all_tasks_blocked

import bamboo_gateway
from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.config import Address, UnixAddress
from bamboo_gateway.errors import ConfigError
from bamboo_gateway.http.pages import Pages
from bamboo_gateway.principal import Credentials, Principal, Scope
from tests.connection.raw_client import HANG, RawClient, head, text
from tests.connection.stage import stage

GET = b"GET /%s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def ask(client: RawClient, path: bytes = b"healthz", *fields: bytes) -> bytes:
    """Ask for a page, and read the whole of the answer; returns its head."""
    extra = b"".join(b"\r\n" + field for field in fields)
    await client.send(GET.replace(b"\r\n\r\n", extra + b"\r\n\r\n") % path)
    answer, received, missing = b"", b"", 1
    with trio.fail_after(HANG):
        while missing > 0:
            data = await client.stream.receive_some()
            assert data, f"the gateway hung up after {received!r}"
            received += data
            answer, _, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            missing = int(length[1]) - len(body) if length else 1
    return answer


def status(answer: bytes) -> int:
    """Of the answer."""
    return int(answer.split(b" ", 2)[1])


# ── HTTP and WebSocket on one port ───────────────────────────────────────────


async def test_one_socket_may_ask_for_one_page_after_the_other_and_then_for_a_websocket() -> None:
    """Kept alive, pipelined, and upgraded in the end."""
    async with stage() as parts:
        client = parts.memory()
        await client.send(GET % b"healthz" + GET % b"version" + GET % b"nothing" + head() + text("connect"))
        received = b""
        with trio.fail_after(HANG):
            while b'"connected"' not in received:
                received += await client.stream.receive_some()
        first, second, third, upgraded = received.split(b"HTTP/1.1 ")[1:]
        assert [part[:3] for part in (first, second, third, upgraded)] == [b"200", b"200", b"404", b"101"]


async def test_a_request_with_a_body_is_the_last() -> None:
    """Nobody reads bodies, so nothing behind one is taken for a request."""
    async with stage() as parts:
        client = parts.memory()
        await client.send(
            b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n" + GET % b"healthz"
        )
        answer = await client.answer()
        assert status(answer) == 405
        assert b"connection: close" in answer.lower()
        assert b"HTTP/1.1" not in await client.end()


async def test_a_client_that_is_silent_between_requests_is_let_go(autojump_clock: MockClock) -> None:
    """`head_timeout`, or `connect_timeout`, after its last answer; without a word, and it is no failure."""
    for config in (
        GatewayConfig(head_timeout=5, connect_timeout=12),
        GatewayConfig(head_timeout=0, connect_timeout=5),
    ):
        async with stage(config) as parts:
            with structlog.testing.capture_logs() as logs:
                client = parts.memory()
                for _ in range(3):
                    assert status(await ask(client)) == 200
                    await trio.sleep(4)
                assert status(await ask(client)) == 200
                began = trio.current_time()
                assert await client.end() == b""
                assert trio.current_time() - began == pytest.approx(5)
                await parts.until_empty()
            assert logs == []
            assert parts.host.pool.statistics().refused == {}


async def test_each_answer_gives_new_time(autojump_clock: MockClock) -> None:
    """A browser, or a proxy, may open its WebSocket on a socket that has served for long."""
    async with stage(GatewayConfig(head_timeout=5, connect_timeout=8)) as parts:
        client = parts.memory()
        for _ in range(5):
            assert status(await ask(client)) == 200
            await trio.sleep(4)
        await client.connect()


async def test_a_request_that_stops_in_the_midst_is_told_so(autojump_clock: MockClock) -> None:
    """Also behind others: 408, and counted."""
    async with stage(GatewayConfig(head_timeout=0, connect_timeout=5)) as parts:
        client = parts.memory()
        assert status(await ask(client)) == 200
        await client.send(b"GET /hea")
        assert status(await client.answer()) == 408
        await parts.until_empty()
        assert parts.host.pool.statistics().refused == {"timeout": 1}


LARGE = 8 * 1024 * 1024
"""More than a socket takes at once."""


@pytest.fixture
def large(tmp_path: Path) -> Pages:
    """A console whose page is large."""
    (tmp_path / "index.html").write_text("x" * LARGE)
    return Pages(tmp_path)


@pytest.mark.parametrize("fields", [[], [b"Connection: close"]])
async def test_a_large_page_comes_whole(large: Pages, fields: list[bytes]) -> None:
    """Whether or not it is the last that is asked for."""
    async with stage(pages=large) as parts:
        assert status(await ask(await parts.tcp(), b"", *fields)) == 200


async def begin_to_read(client: RawClient) -> None:
    """Ask for the large page and for one more, and read no more than its beginning."""
    await client.send(GET % b"" + GET % b"healthz" + b"GET /hea")
    with trio.fail_after(HANG):
        assert await client.stream.receive_some(12) == b"HTTP/1.1 200"
    await wait_all_tasks_blocked()


async def test_who_does_not_read_is_let_go(large: Pages, mock_clock: MockClock) -> None:
    """`connect_timeout` after it asked; what it has is cut off, and nothing is written behind it."""
    async with stage(GatewayConfig(connect_timeout=10, head_timeout=0), pages=large) as parts:
        client = parts.socket()
        await begin_to_read(client)
        mock_clock.jump(10)
        assert b"HTTP" not in await client.end()
        await parts.until_empty()
        assert parts.host.pool.statistics().refused == {"timeout": 1}


async def test_who_does_not_read_gives_way(large: Pages) -> None:
    """It keeps nobody out; nothing is written behind what it has."""
    async with stage(GatewayConfig(max_unauthenticated_connections=1), pages=large) as parts:
        client = parts.socket()
        await begin_to_read(client)
        assert status(await ask(parts.memory())) == 200
        assert b"HTTP" not in await client.end()
        assert parts.host.pool.statistics().refused == {"capacity": 1}


async def test_what_is_only_kept_gives_way_without_a_word() -> None:
    """A browser would take a refusal for the answer to its next request; without one it asks anew."""
    async with stage(GatewayConfig(max_unauthenticated_connections=1)) as parts:
        client = parts.memory()
        assert status(await ask(client)) == 200
        assert status(await ask(parts.memory())) == 200
        assert await client.end() == b""
        assert parts.host.pool.statistics().refused == {}


async def test_who_was_answered_need_say_no_goodbye() -> None:
    """A browser that resets what it had kept open has failed at nothing."""
    async with stage() as parts:
        for last in (b"", b"Connection: close"):
            client = await parts.tcp()
            assert status(await ask(client, b"healthz", *[last] * bool(last))) == 200
            assert isinstance(client.stream, trio.SocketStream)
            client.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await client.leave()
            await parts.until_empty()
        assert parts.host.pool.statistics().refused == {}


async def test_deadlines_add_up(autojump_clock: MockClock) -> None:
    """Who takes its time with the head has less left to say who it is."""
    async with stage(GatewayConfig(head_timeout=5, connect_timeout=10, close_timeout=1)) as parts:
        client = parts.memory()
        await trio.sleep(4)
        await client.upgrade()
        assert (await client.event())["code"] == "CONNECT_TIMEOUT"
        assert trio.current_time() == pytest.approx(10)


async def test_limits_can_be_off(autojump_clock: MockClock) -> None:
    """0: a client may be silent for ever, and its head as large as it likes."""
    config = GatewayConfig(
        head_timeout=0, connect_timeout=0, max_head_bytes=0, max_head_fields=0, max_message_bytes=0
    )
    async with stage(config) as parts:
        client = parts.memory()
        await trio.sleep(10_000)
        fields = {b"X-%d" % number: b"x" * 1_000 for number in range(200)}
        await client.send(head(dict(fields)))
        assert status(await client.answer()) == 101
        await client.say("connect")
        await client.event("connected")


# ── crowds ───────────────────────────────────────────────────────────────────


async def test_who_is_silent_gives_way() -> None:
    """With all places taken, the oldest that has said nothing is told so (503), and a newcomer is served."""
    async with stage(GatewayConfig(max_unauthenticated_per_address=3)) as parts:
        silent = [await parts.tcp() for _ in range(3)]
        await silent[0].send(b"GET / HT")
        await wait_all_tasks_blocked()
        await (await parts.tcp()).connect()
        assert status(await silent[0].answer()) == 503
        await wait_all_tasks_blocked()
        assert len(parts.host.pool.admission) == 2


async def test_who_has_asked_keeps_its_place_until_its_deadline() -> None:
    """Then a newcomer is told (503, `Retry-After`); who has said who it is takes no place here."""
    async with stage(GatewayConfig(max_unauthenticated_per_address=2)) as parts:
        member = await parts.tcp()
        await member.connect()
        waiting = [await parts.tcp() for _ in range(2)]
        for client in waiting:
            await client.upgrade()
        answer = await ask(await parts.tcp())
        assert status(answer) == 503
        assert b"retry-after: 1" in answer.lower()
        await waiting[0].say("connect")
        await waiting[0].event("connected")
        assert status(await ask(await parts.tcp())) == 200


async def test_a_proxys_clients_are_told_apart() -> None:
    """By `X-Forwarded-For`, which only a trusted proxy is believed."""
    proxies = ("127.0.0.1",)
    config = GatewayConfig(max_unauthenticated_per_address=2, trusted_proxies=proxies, insecure_no_auth=True)
    async with stage(config) as parts:
        for name in (b"192.0.2.1", b"192.0.2.2"):
            for expected in (101, 101, 503):
                client = await parts.tcp()
                await client.send(head({b"X-Forwarded-For": name}))
                assert status(await client.answer()) == expected
        assert {connection.address for connection in parts.connections} == {"192.0.2.1", "192.0.2.2"}
    async with stage(GatewayConfig()) as parts:
        client = await parts.tcp()
        await client.send(head({b"X-Forwarded-For": b"192.0.2.1"}))
        await client.answer()
        await wait_all_tasks_blocked()
        assert [connection.address for connection in parts.connections] == ["127.0.0.1"]


async def test_a_proxys_socket_is_many_clients() -> None:
    """Proxies use one socket for one after the other: each request is its own client's."""
    config = GatewayConfig(auth_token="secret", trusted_proxies=("127.0.0.1",), max_failed_tokens=1)
    async with stage(config) as parts:
        client = await parts.tcp()
        assert status(await ask(client, b"healthz", b"X-Forwarded-For: 192.0.2.1")) == 200
        wrong = (b"X-Forwarded-For: 192.0.2.6", b"Authorization: Bearer wrong")
        assert status(await ask(client, b"metrics", *wrong)) == 401
        innocent, guesser = await parts.tcp(), await parts.tcp()
        right = b"Authorization: Bearer secret"
        assert status(await ask(innocent, b"metrics", b"X-Forwarded-For: 192.0.2.1", right)) == 200
        assert status(await ask(guesser, b"metrics", b"X-Forwarded-For: 192.0.2.6", right)) == 429


@pytest.mark.parametrize("field", [b"Via: 1.1 proxy", b"X-Forwarded-Host: x", b"X-Real-IP: 192.0.2.1"])
async def test_what_a_proxy_passes_on_is_not_local(field: bytes) -> None:
    """Metrics are for programs on this machine, and for who shows a token."""
    async with stage(GatewayConfig(auth_token="secret")) as parts:
        assert status(await ask(await parts.tcp(), b"metrics")) == 200
        assert status(await ask(await parts.tcp(), b"metrics", field)) == 401
    async with stage(GatewayConfig(auth_token="secret", trusted_proxies=("127.0.0.1",))) as parts:
        assert status(await ask(await parts.tcp(), b"metrics")) == 401


async def test_who_gives_way_as_its_request_comes_is_not_served() -> None:
    """A cancel is felt at the next checkpoint: until then it is still there, and counted no more."""
    async with stage(GatewayConfig(max_unauthenticated_per_address=1)) as parts:
        for _ in range(20):  # trio runs what is ready in a random order
            client = parts.socket()
            await wait_all_tasks_blocked()
            client.send_now(head())
            parts.host.pool.admission.enter("unix", 0, 1)
            assert status(await client.answer()) == 503
            await client.leave()


async def test_a_flood_is_not_in_the_log() -> None:
    """Who is refused for want of room is counted, and logged for who debugs alone."""
    async with stage(GatewayConfig(max_unauthenticated_connections=1)) as parts:
        await parts.memory().upgrade()
        with structlog.testing.capture_logs() as logs:
            for _ in range(5):
                client = parts.memory()
                await client.answer()
                await client.leave()
            await wait_all_tasks_blocked()
        assert {log["log_level"] for log in logs} == {"debug"}
        assert parts.host.pool.statistics().refused == {"capacity": 5}


# ── who asks ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "field",
    [
        {b"Authorization": b"Bearer secret"},
        {b"Sec-WebSocket-Protocol": b"bamboo, bamboo.bearer.secret"},
        {b"Sec-WebSocket-Protocol": b"bamboo.bearer.secret"},
    ],
)
async def test_a_token_in_the_request(field: dict[bytes, bytes | None]) -> None:
    """It need not be said again, and it is never sent back."""
    async with stage(GatewayConfig(auth_token="secret")) as parts:
        client = parts.memory()
        await client.send(head(field))
        answer = await client.answer()
        assert status(answer) == 101
        assert b"secret" not in answer
        assert (b"sec-websocket-protocol: bamboo\r" in answer.lower() + b"\r") == (
            b"bamboo, " in b"".join(value or b"" for value in field.values())
        )
        await client.say("connect")
        await client.event("connected")


async def test_a_wrong_token_in_the_request() -> None:
    """401, before there is a WebSocket."""
    async with stage(GatewayConfig(auth_token="secret")) as parts:
        client = parts.memory()
        with structlog.testing.capture_logs() as logs:
            await client.send(head({b"Authorization": b"Bearer s3cret"}))
            answer = await client.answer()
            await client.leave()
            await parts.until_empty()
        assert status(answer) == 401
        assert b"www-authenticate: bearer" in answer.lower()
        assert "s3cret" not in repr(logs)
        assert parts.host.pool.statistics().refused == {"unauthorized": 1}


async def test_who_has_shown_a_token_takes_a_seat_at_once() -> None:
    """It is no stranger, and is counted as none."""
    async with stage(GatewayConfig(auth_token="secret", max_connections=1)) as parts:
        client = parts.memory()
        await client.send(head({b"Authorization": b"Bearer secret"}))
        await client.answer()
        await wait_all_tasks_blocked()
        assert len(parts.host.pool.admission) == 0
        late = parts.memory()
        await late.send(head({b"Authorization": b"Bearer secret"}))
        await late.answer()
        assert (await late.event())["code"] == "CAPACITY_EXCEEDED"


async def test_an_authenticator_that_raises_lets_nobody_in() -> None:
    """Its error is logged; the client is told to come back, and nothing of it."""

    async def broken(credentials: Credentials) -> Principal | None:
        raise LookupError("a database is away")

    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), authenticate=broken)
    with structlog.testing.capture_logs() as logs:
        async with serving(gateway) as client:
            await client.send(head({b"Authorization": b"Bearer x"}))
            answer = await client.answer()
    assert status(answer) == 503
    assert b"retry-after: 1" in answer.lower()
    assert b"database" not in answer
    assert "authenticator raised" in [log["event"] for log in logs]


async def test_a_program_decides_who_may_come_in() -> None:
    """It is given the token, the address and the headers, and says who that is."""
    seen: list[Credentials] = []

    async def look(credentials: Credentials) -> Principal | None:
        seen.append(credentials)
        return Principal("ann", frozenset({Scope.CHAT}))

    async with serving(Gateway(GatewayConfig(bind="127.0.0.1:0"), authenticate=look)) as client:
        await client.send(head({b"Authorization": b"Bearer x", b"X-Team": b"blue"}))
        assert status(await client.answer()) == 101
    [credentials] = seen
    assert (credentials.token, credentials.address, credentials.headers["x-team"]) == (
        "x",
        "127.0.0.1",
        "blue",
    )
    assert "Bearer" not in repr(credentials)


async def test_nobody_new_is_let_in_while_it_drains() -> None:
    """503 for a WebSocket; pages are still answered."""
    async with stage() as parts:
        parts.host.is_draining = True
        client = parts.memory()
        assert status(await ask(client)) == 200
        refused = parts.memory()
        await refused.send(head())
        assert status(await refused.answer()) == 503


# ── pages ────────────────────────────────────────────────────────────────────


async def test_the_console_is_served_as_it_lies_in_the_package() -> None:
    """By the gateway's own listener, to who has no token; and no longer, where it is switched off."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", auth_token="secret"))
    web = Path(bamboo_gateway.__file__).parent / "web"
    expected = {
        b"": 200 if (web / "index.html").is_file() else 404,
        b"vendor/htm/htm.js": 200,
        b"package.json": 404,
    }
    async with serving(gateway) as client:
        assert {path: status(await ask(client, path)) for path in expected} == expected
        await gateway.reload(attrs.evolve(gateway.config, console=False))
        assert {status(await ask(client, path)) for path in expected} == {404}


# ── TLS and Unix sockets ─────────────────────────────────────────────────────


@asynccontextmanager
async def serving(gateway: Gateway) -> AsyncIterator[RawClient]:
    """A gateway on its own listener, and a client of it over a plain socket."""
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        if isinstance(address, UnixAddress):
            stream = await trio.open_unix_socket(address.path)
        else:
            stream = await trio.open_tcp_stream(address.host, address.port)
        async with stream:
            yield RawClient(stream)
        nursery.cancel_scope.cancel()


class Authority:
    """Who signs certificates."""

    def __init__(self, folder: Path) -> None:
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.settings = {"tls_cert": str(self.cert), "tls_key": str(self.key)}
        self.issue()

    def issue(self) -> ssl.SSLContext:
        """Write a new certificate by a new authority; a client's context that trusts it."""
        authority = trustme.CA()
        made = authority.issue_cert("127.0.0.1")
        made.cert_chain_pems[0].write_to_path(self.cert)
        made.private_key_pem.write_to_path(self.key)
        self.trust = ssl.create_default_context()
        authority.configure_trust(self.trust)
        self.trust.set_alpn_protocols(["h2", "http/1.1"])
        return self.trust


async def dial_tls(address: Address, context: ssl.SSLContext) -> trio.SSLStream[trio.SocketStream]:
    """A client over TLS, its handshake done."""
    stream = await trio.open_ssl_over_tcp_stream(
        address.host, address.port, ssl_context=context, https_compatible=True
    )
    try:
        with trio.fail_after(HANG):
            await stream.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream.transport_stream)
        raise
    return stream


async def get_tls(stream: trio.SSLStream[trio.SocketStream]) -> bytes:
    """Ask for a page, and read what comes."""
    await stream.send_all(GET % b"healthz")
    with trio.fail_after(HANG):
        return bytes(await stream.receive_some())


async def test_tls_on_the_same_port_for_both(tmp_path: Path) -> None:
    """Both, by HTTP/1.1 also for who would rather have HTTP/2; newcomers are shown a new certificate."""
    authority = Authority(tmp_path)
    config = GatewayConfig(bind="127.0.0.1:0", **authority.settings)  # type: ignore[arg-type] # two texts
    gateway = Gateway(config)
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        old = authority.trust
        async with await dial_tls(address, old) as stream:
            assert stream.selected_alpn_protocol() == "http/1.1"
            assert b" 200 " in await get_tls(stream)
            await stream.send_all(head() + text("connect"))
            with trio.fail_after(HANG):
                received = b""
                while b'"connected"' not in received:
                    received += await stream.receive_some()
            new = authority.issue()
            await gateway.reload(config)
            async with await dial_tls(address, new) as newcomer:
                assert b" 200 " in await get_tls(newcomer)
            with pytest.raises(trio.BrokenResourceError):
                await dial_tls(address, old)
            authority.key.write_text("broken")
            with pytest.raises(ConfigError):
                await gateway.reload(config)
            async with await dial_tls(address, new) as still:
                assert b" 200 " in await get_tls(still)
        nursery.cancel_scope.cancel()


async def test_who_speaks_no_tls_is_let_go(tmp_path: Path) -> None:
    """Counted as such, and no error of the gateway's."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", **Authority(tmp_path).settings))  # type: ignore[arg-type] # as above
    with structlog.testing.capture_logs() as logs:
        async with serving(gateway) as client:
            await client.send(GET % b"healthz")
            await client.end()
    assert gateway.statistics().connections.refused == {"tls": 1}
    assert [log["log_level"] for log in logs] == ["info"]


async def test_tls_has_the_same_deadline(tmp_path: Path, mock_clock: MockClock) -> None:
    """Who never begins, or stops in the midst of TLS's handshake, is let go in time."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", connect_timeout=10, **Authority(tmp_path).settings))  # type: ignore[arg-type] # as above
    async with serving(gateway) as client:
        await wait_all_tasks_blocked()
        mock_clock.jump(10)
        assert await client.end() == b""
        assert gateway.statistics().connections.refused == {"timeout": 1}


async def test_a_unix_socket(tmp_path: Path) -> None:
    """The same over a socket in the file system; metrics are open to who may open it."""
    gateway = Gateway(GatewayConfig(bind=f"unix:{tmp_path}/gateway.sock"))
    async with serving(gateway) as client:
        assert status(await ask(client, b"metrics")) == 200
