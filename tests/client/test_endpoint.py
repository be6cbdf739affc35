from __future__ import annotations

import ssl

import pytest
import trio
import trustme

from bamboo_gateway.client import ConnectError
from bamboo_gateway.client.endpoint import Endpoint
from tests.client.peer import Peer, peer, until_gone


@pytest.mark.parametrize(
    ("url", "secure", "host", "port", "host_header", "resource"),
    [
        ("ws://127.0.0.1:18790", False, "127.0.0.1", 18790, "127.0.0.1:18790", "/"),
        ("ws://[::1]:7/", False, "::1", 7, "[::1]:7", "/"),
        ("wss://chat.example/a/b?c=d", True, "chat.example", 443, "chat.example", "/a/b?c=d"),
        ("ws://me:secret@chat.example", False, "chat.example", 80, "chat.example", "/"),
        ("ws://h/ü x", False, "h", 80, "h", "/%C3%BC%20x"),
        ("ws://h:0", False, "h", 0, "h:0", "/"),
    ],
)
def test_parse_takes_a_url_apart(
    url: str, secure: bool, host: str, port: int, host_header: str, resource: str
) -> None:
    """Each part goes where HTTP wants it; user and password go nowhere."""
    endpoint = Endpoint.parse(url)
    assert endpoint == Endpoint(url, secure, host, port, host_header, resource)


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:18790", "http://h", "ws://", "ws:h", "ws://h:99999", "ws://h:x", "ws://[::1"]
)
def test_parse_refuses_what_is_no_websocket_url(url: str) -> None:
    """The error quotes what was given."""
    with pytest.raises(ConnectError, match=r"no .*URL") as error:
        Endpoint.parse(url)
    assert repr(url) in str(error.value)


async def test_open_stream_reaches_who_listens() -> None:
    """The stream leads to the other end."""

    async def say_hello(the_peer: Peer) -> None:
        await the_peer.stream.send_all(b"hello")

    async with peer(say_hello) as url, await Endpoint.parse(url).open_stream() as stream:
        assert await stream.receive_some() == b"hello"


async def test_open_stream_says_that_nobody_listens() -> None:
    """The text has the URL and what the system said, for a person to act on."""
    with trio.socket.socket() as silent:
        await silent.bind(("127.0.0.1", 0))  # without listening: the port is taken, and refuses
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectError) as error:
            await Endpoint.parse(url).open_stream()
    assert str(error.value) == f"cannot reach {url}: Connection refused"


@pytest.mark.parametrize("host", ["nobody.invalid", "x" * 70, "a b"])
async def test_open_stream_says_that_there_is_no_such_host(host: str) -> None:
    """Whether the look-up fails or cannot even be made, it is one typed error."""
    with pytest.raises(ConnectError, match="cannot reach"):
        await Endpoint.parse(f"ws://{host}:1").open_stream()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority of the test's own; certificates take a while to make."""
    return trustme.CA()


async def test_open_stream_speaks_tls_with_who_is_trusted(authority: trustme.CA) -> None:
    """With `wss:`, bytes go encrypted to a peer whose certificate holds."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)

    async def say_hello(the_peer: Peer) -> None:
        stream = trio.SSLStream(the_peer.stream, server_context, server_side=True, https_compatible=True)
        await stream.send_all(b"hello")
        await until_gone(the_peer)

    async with peer(say_hello) as url:
        secure = url.replace("ws://127.0.0.1", "wss://localhost")
        async with await Endpoint.parse(secure).open_stream(client_context) as stream:
            assert await stream.receive_some() == b"hello"


async def test_open_stream_refuses_who_is_not_trusted(authority: trustme.CA) -> None:
    """By default the system's authorities decide, and they know nothing of this one."""
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_context)

    async def shake_hands(the_peer: Peer) -> None:
        stream = trio.SSLStream(the_peer.stream, server_context, server_side=True)
        with pytest.raises(trio.BrokenResourceError):
            await stream.do_handshake()

    async with peer(shake_hands) as url:
        secure = Endpoint.parse(url.replace("ws://127.0.0.1", "wss://localhost"))
        with pytest.raises(ConnectError, match=r"no TLS with wss://localhost:.*certificate verify failed"):
            await secure.open_stream()


async def test_open_stream_says_that_the_peer_speaks_no_tls() -> None:
    """`wss:` where there is only `ws:` is a clear error."""

    async def answer_in_plain(the_peer: Peer) -> None:
        await the_peer.stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await until_gone(the_peer)

    async with peer(answer_in_plain) as url:
        with pytest.raises(
            ConnectError, match=r"no TLS with wss://.*; a gateway without TLS is dialled ws://127.0.0.1:\d+$"
        ):
            await Endpoint.parse(url.replace("ws:", "wss:")).open_stream()


def test_a_socket_in_the_file_system_has_no_other_scheme() -> None:
    """What to look at is the socket."""
    assert Endpoint.parse("unix:/x").hint == "see whether it is a gateway's socket"


async def test_open_stream_closes_the_socket_of_a_cancelled_handshake() -> None:
    """Who gives up waiting leaves nothing open."""
    gone = trio.Event()

    async def say_nothing(the_peer: Peer) -> None:
        await the_peer.stream.receive_some()
        giving_up.cancel()
        await until_gone(the_peer)
        gone.set()

    giving_up = trio.CancelScope()
    async with peer(say_nothing) as url:
        with giving_up:
            await Endpoint.parse(url.replace("ws:", "wss:")).open_stream()
        await gone.wait()
