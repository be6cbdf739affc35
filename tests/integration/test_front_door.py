"""The front door of the real process: its limits, what is told to who meets one, and who is not concerned."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect, unix_connect

from tests.cli.process import COMMAND, HANG, Serving, environment, run, serving
from tests.connection.raw_client import head

pytestmark = pytest.mark.integration

CONNECT = '{"type":"connect"}'


def place(served: Serving) -> tuple[str, int]:
    """Its host and port."""
    url = urlsplit(served.url)
    assert url.hostname is not None
    assert url.port is not None
    return url.hostname, url.port


@contextmanager
def dialled(served: Serving, data: bytes = b"", source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A socket that has said *data*."""
    with socket.create_connection(place(served), HANG, (source, 0)) as sock:
        sock.sendall(data)
        yield sock


def read_all(sock: socket.socket) -> bytes:
    """All that comes until the gateway hangs up."""
    received = b""
    while data := sock.recv(65_536):
        received += data
    return received


def read_head(sock: socket.socket) -> bytes:
    """The head of the answer, and perhaps more."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = sock.recv(65_536)
        assert data, received
        received += data
    return received


def get(served: Serving, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    """Ask over HTTP."""
    connection = HTTPConnection(*place(served), timeout=HANG)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


# ── HTTP ─────────────────────────────────────────────────────────────────────


def test_pages_of_the_port(gateway: Serving) -> None:
    """Health, readiness, version, metrics and the console; all else is a small JSON object that says why."""
    for path, status, body in (
        ("/healthz", 200, {"status": "alive"}),
        ("/readyz", 200, {"status": "ready"}),
    ):
        response, said = get(gateway, path)
        assert (response.status, json.loads(said)) == (status, body)
    response, said = get(gateway, "/version")
    assert json.loads(said)["name"] == "bamboo-gateway"
    response, said = get(gateway, "/metrics")
    assert response.getheader("content-type", "").startswith("text/plain")
    response, said = get(gateway, "/")
    assert b"<title>Bamboo Gateway</title>" in said
    for path, method, status in (
        ("/y", "GET", 404),
        ("/healthz", "POST", 405),
        ("/", "POST", 405),
        ("/x", "DELETE", 404),
    ):
        response, said = get(gateway, path, method)
        assert (response.status, response.getheader("content-type")) == (status, "application/json")
        assert json.loads(said).keys() == {"code", "message"}


def test_metrics_of_a_gateway_that_asks_are_open_to_this_machine_alone(locked: Serving) -> None:
    """By its address, and not for who comes by a proxy or another name; a token opens them."""
    assert get(locked, "/metrics")[0].status == 200
    assert get(locked, "/metrics", Host="rebound.example")[0].status == 401
    assert get(locked, "/metrics", **{"X-Forwarded-For": "192.0.2.1"})[0].status == 401
    token = {"Authorization": "Bearer sesame", "X-Forwarded-For": "192.0.2.1"}
    assert get(locked, "/metrics", **token)[0].status == 200


# ── who asks ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://127.0.0.1:1", "file://"])
def test_a_foreign_page_gets_403_before_the_upgrade(gateway: Serving, origin: str) -> None:
    """Whatever a browser shows that is not the gateway's own address."""
    with pytest.raises(InvalidStatus) as caught, connect(gateway.url, additional_headers={"Origin": origin}):
        pass
    assert caught.value.response.status_code == 403


def test_the_origin_null_cannot_even_be_listed() -> None:
    """It is every sandboxed frame's: an error that says so."""
    done = run("serve", "--allowed-origin", "null")
    assert done.returncode == 2
    assert "sandboxed" in done.stderr


def test_a_token_by_header_or_subprotocol(locked: Serving) -> None:
    """Neither is sent back; a wrong one is 401 before the upgrade."""
    bearer = {"Authorization": "Bearer sesame"}
    with connect(locked.url, additional_headers=bearer) as client:
        client.send(CONNECT)
        assert json.loads(client.recv(HANG))["type"] == "connected"
    with connect(locked.url, subprotocols=["bamboo", "bamboo.bearer.sesame"]) as client:  # type: ignore[list-item] # texts
        assert client.subprotocol == "bamboo"
        client.send(CONNECT)
        assert json.loads(client.recv(HANG))["type"] == "connected"
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(locked.url, additional_headers={"Authorization": "Bearer x"}),
    ):
        pass
    assert caught.value.response.status_code == 401


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0"])
def test_it_does_not_stand_open(bind: str) -> None:
    """Beyond this machine somebody has to be asked, or it has to be said that nobody is."""
    done = run("serve", "--bind", bind)
    assert done.returncode == 2
    assert "insecure_no_auth" in done.stderr
    with serving("--bind", bind, "--insecure-no-auth") as served:
        assert served.line.startswith("listening on ws://")
        assert served.stop()[0] == 0


# ── limits ───────────────────────────────────────────────────────────────────


def test_the_head_of_a_request_is_bounded(gateway: Serving) -> None:
    """16 KiB, and 100 fields: beyond either 431."""
    with dialled(gateway, head({b"Cookie": b"x" * 20_000})) as sock:
        assert read_all(sock).startswith(b"HTTP/1.1 431 ")
    with dialled(gateway, head({b"X-%d" % number: b"" for number in range(101)})) as sock:
        assert read_all(sock).startswith(b"HTTP/1.1 431 ")


def test_time_is_bounded() -> None:
    """A head that does not end: 408. A WebSocket that does not connect: told so, and closed with 4002."""
    with serving("--head-timeout", "0.2", "--connect-timeout", "0.5") as served:
        with dialled(served, b"GET / HTTP/1.1\r\n") as sock:
            assert read_all(sock).startswith(b"HTTP/1.1 408 ")
        with dialled(served) as sock:
            assert read_all(sock) == b""
        with connect(served.url) as client:
            assert json.loads(client.recv(HANG))["code"] == "CONNECT_TIMEOUT"


def test_strangers_are_bounded_and_members_are_not_concerned(gateway: Serving) -> None:
    """
    Of silent sockets the oldest gives way; of those that have asked, the newcomer is refused (503).

    Neither concerns another address, nor who has connected.
    """
    with ExitStack() as stack:
        member = stack.enter_context(connect(gateway.url))
        member.send(CONNECT)
        assert json.loads(member.recv(HANG))["type"] == "connected"
        silent = [stack.enter_context(dialled(gateway, b"GET ")) for _ in range(32)]
        with connect(gateway.url) as client:
            client.send(CONNECT)
            assert json.loads(client.recv(HANG))["type"] == "connected"
        assert read_all(silent[0]).startswith(b"HTTP/1.1 503 ")
        upgraded = [stack.enter_context(dialled(gateway, head())) for _ in range(32)]
        for sock in upgraded:
            assert read_head(sock).startswith(b"HTTP/1.1 101 ")
        with dialled(gateway, head()) as refused:
            answer = read_all(refused)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in answer.lower()
        with dialled(gateway, head(), "127.0.0.2") as other:
            assert read_head(other).startswith(b"HTTP/1.1 101 ")
        member.send('{"type":"ping","timestamp":1}')
        assert json.loads(member.recv(HANG)) == {"type": "pong", "timestamp": 1}


def test_each_limit_can_be_off() -> None:
    """0 switches it off: a head of a megabyte, and as many strangers as come."""
    options = ["head-timeout", "connect-timeout", "max-head-bytes", "max-head-fields", "max-connections",
               "max-unauthenticated-connections", "max-unauthenticated-per-address", "max-message-bytes",
               "max-unauthenticated-message-bytes"]  # fmt: skip
    with serving(*[part for name in options for part in (f"--{name}", "0")]) as served, ExitStack() as stack:
        for sock in [stack.enter_context(dialled(served, head())) for _ in range(300)]:
            assert read_head(sock).startswith(b"HTTP/1.1 101 ")
        with dialled(served, head({b"Cookie": b"x" * 1_000_000})) as sock:
            assert read_head(sock).startswith(b"HTTP/1.1 101 ")
        with connect(served.url) as client:
            client.send(CONNECT.replace("}", f',"client":{{"name":"{"x" * 300_000}"}}}}'))
            assert json.loads(client.recv(HANG))["code"] == "INVALID_MESSAGE"


# ── TLS and Unix sockets ─────────────────────────────────────────────────────


def test_tls(tmp_path: Path) -> None:
    """`wss://` and `https://` on the one port, for the command line's own client, too."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    cert, key, ca = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem"
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(ca)
    context = ssl.create_default_context(cafile=str(ca))
    with serving("--tls-cert", str(cert), "--tls-key", str(key)) as served:
        assert served.url.startswith("wss://")
        with connect(served.url, ssl=context) as client:
            client.send(CONNECT)
            assert json.loads(client.recv(HANG))["type"] == "connected"
        done = subprocess.run(
            [*COMMAND, "call", "status", "--url", served.url],
            capture_output=True,
            text=True,
            env=environment({"SSL_CERT_FILE": str(ca)}),
            timeout=HANG,
            check=True,
        )
        assert json.loads(done.stdout)["state"] == "idle"
        assert served.stop()[0] == 0
    done = run("serve", "--tls-cert", str(tmp_path / "none.pem"))
    assert done.returncode == 2
    assert "tls_cert" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_unix_socket(tmp_path: Path) -> None:
    """The same in the file system, for this user alone; it goes with the gateway."""
    path = tmp_path / "gateway.sock"
    with serving("--bind", f"unix:{path}") as served:
        assert served.line == f"listening on unix:{path}\n"
        with unix_connect(str(path)) as client:
            client.send(CONNECT)
            assert json.loads(client.recv(HANG))["type"] == "connected"
        called = run("call", "status", "--url", f"unix:{path}")
        assert json.loads(called.stdout)["state"] == "idle"
        assert "No such file" in run("call", "status", "--url", f"unix:{path}x").stderr
        second = run("serve", "--bind", f"unix:{path}")
        assert (second.returncode, "in use" in second.stderr) == (1, True)
        assert served.stop()[0] == 0
    assert not path.exists()
