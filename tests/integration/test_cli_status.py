from __future__ import annotations

import json
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bamboo_gateway import __version__
from bamboo_gateway.cli import main
from tests.cli.process import HANG, Serving, run, serving
from tests.integration.ports import free_port

pytestmark = pytest.mark.integration

TOKEN = "sesame"


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    """A gateway for all tests that leave it as it is."""
    with serving("--auth-token", TOKEN) as server:
        yield server


def status(url: str, *args: str) -> Result:
    """Run `status` in this process."""
    return CliRunner().invoke(main, ["status", "--url", url, *args], env={"BAMBOO_TOKEN": ""})


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """Something that answers everybody the same; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(HANG)

        def answer() -> None:
            while True:
                try:
                    stream, _ = server.accept()
                except OSError:
                    return
                with stream:
                    stream.recv(4096)
                    stream.sendall(reply)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(HANG)


def test_status_of_a_gateway_that_is_well(served: Serving) -> None:
    """One screen, exit code 0."""
    result = status(served.url, "--token", TOKEN)
    assert (result.exit_code, result.stderr) == (0, "")
    shown = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if line[0] != " ")
    assert shown["gateway"] == served.url
    assert shown["version"] == f"{__version__}, speaks protocol 1 and 2"
    assert shown["ready"] == "yes"
    assert shown["connections"].startswith("1 open, ")
    assert shown["storage"].startswith("well, ")
    assert "\x1b" not in result.stdout


def test_status_as_json_is_all_that_is_known(served: Serving) -> None:
    """One object, for a script."""
    result = status(served.url, "--token", TOKEN, "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert (told["is_reachable"], told["is_ready"], told["version"]) == (True, True, __version__)
    assert told["stats"]["statistics"]["connections"]["open"] == 1


def test_status_needs_no_token_to_be_a_health_check(served: Serving) -> None:
    """It says that it is ready, and how one would be told more."""
    result = status(served.url)
    assert result.exit_code == 0
    assert "ready        yes\n" in result.stdout
    assert "let in       no: UNAUTHORIZED: " in result.stdout
    assert "give a token: --token, or the variable BAMBOO_TOKEN" in result.stdout


def test_status_says_which_scope_its_token_lacks(tmp_path: Path) -> None:
    """The rest is shown."""
    tokens = str(tmp_path / "tokens.json")
    token = run("token", "create", "--user", "ann", "--tokens", tokens).stdout.strip()
    with serving("--tokens", tokens) as server:
        result = status(server.url, "--token", token)
    assert result.exit_code == 0
    assert "up           " in result.stdout
    assert "statistics   not told: " in result.stdout
    assert "takes the scope metrics" in result.stdout


def test_status_where_there_is_no_gateway() -> None:
    """Exit code 1, and the command that starts one there."""
    port = free_port(random.Random())
    result = status(f"ws://127.0.0.1:{port}")
    assert result.exit_code == 1
    assert result.stdout == (
        f"gateway      ws://127.0.0.1:{port}\n"
        "reachable    no: Connection refused\n"
        f"             start one: bamboo-gateway serve --bind 127.0.0.1:{port}\n"
    )


def test_status_by_a_socket_in_the_file_system(tmp_path: Path) -> None:
    """The same words for `unix:PATH`."""
    path = tmp_path / "gateway.sock"
    result = status(f"unix:{path}")
    assert result.exit_code == 1
    assert f"start one there: bamboo-gateway serve --bind unix:{path}\n" in result.stdout
    with serving("--bind", f"unix:{path}"):
        assert status(f"unix:{path}").exit_code == 0


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ws://nobody.invalid:1", "see whether it runs there, what its --bind is, and whether a firewall"),
        ("wss://{address}", "without a certificate it is at ws://…"),
    ],
)
def test_status_tells_what_may_be_wrong(served: Serving, url: str, says: str) -> None:
    """By how far it came."""
    result = status(url.format(address=served.url.removeprefix("ws://")), "--timeout", "0.5")
    assert result.exit_code == 1
    assert says in result.stdout


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"220 mail.example ESMTP\r\n", "see which port the gateway has"),
        (b"", "see which port the gateway has"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", "seems to be no bamboo-gateway"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000,
            "seems to be no bamboo-gateway",
        ),
    ],
)
def test_status_of_something_else(reply: bytes, says: str) -> None:
    """Whatever it is that listens there: it is not taken for a gateway."""
    with answering(reply) as url:
        result = status(url)
    assert result.exit_code == 1, result.stdout
    assert says in result.stdout


def test_status_does_not_wait_for_ever() -> None:
    """Somebody who listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"ws://127.0.0.1:{silent.getsockname()[1]}"
        result = status(url, "--timeout", "0.1")
    assert result.exit_code == 1
    assert f"reachable    no: no answer from {url} within 0.1 seconds\n" in result.stdout
    assert "something listens there and says nothing" in result.stdout


def test_status_of_a_gateway_that_takes_nobody_in() -> None:
    """It is reached, it is not ready, and it says why."""
    not_ready = b'{"status": "not ready", "reason": "draining"}'
    head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(not_ready)}\r\n\r\n"
    with answering(head.encode() + not_ready) as url:
        result = status(url)
    assert result.exit_code == 1
    assert "ready        no: draining\n" in result.stdout


def test_status_of_no_url_is_one_line() -> None:
    """As every command tells it."""
    result = status("http://127.0.0.1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'http://127.0.0.1' is no WebSocket URL" in result.stderr
