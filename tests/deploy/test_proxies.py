"""What clients see of a gateway behind nginx and behind Caddy, as they are shipped to be set up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection

import pytest
import trio
from websockets.sync.client import connect

from bamboo_gateway.client import Disconnected, Reconnect, connect as connect_client
from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.protocol import AgentComplete, AgentToken, Connected, Gap
from tests.cli.process import HANG, ROOT
from tests.integration.python_client import PythonClient

from .proxies import NAME, Front, fronting
from .shipped import shipped

pytestmark = pytest.mark.integration

ORIGIN = f"https://{NAME}"
INDEX = ROOT / "bamboo_gateway" / "web" / "index.html"


@pytest.fixture(scope="module", params=["nginx-tcp", "nginx-unix", "caddy-tcp", "caddy-unix"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A gateway behind a proxy of each kind, which dials it over TCP or a Unix socket."""
    name, upstream = request.param.split("-")
    with fronting(name, upstream, tmp_path_factory.mktemp(request.param)) as it:
        yield it


@contextmanager
def dialled(front: Front) -> Iterator[PythonClient]:
    """A WebSocket through the proxy."""
    with connect(front.url, ssl=front.context, open_timeout=HANG, close_timeout=HANG) as connection:
        yield PythonClient(connection, "tagged")


def get(
    front: Front, path: str, headers: Mapping[str, str] | None = None, source: str = "127.0.0.1"
) -> tuple[HTTPResponse, bytes]:
    """Ask over HTTPS, for the name that the shipped files have, from the address *source*."""
    connection = HTTPSConnection(
        "localhost", front.port, timeout=HANG, context=front.context, source_address=(source, 0)
    )
    try:
        connection.request("GET", path, headers={"Host": NAME, **(headers or {})})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def upgraded(front: Front, headers: Mapping[str, str], source: str = "127.0.0.1") -> int:
    """The status that the request for a WebSocket is answered with: 101, or why not."""
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    return get(front, "/", {**upgrade, **headers}, source)[0].status


def test_an_answer_comes_word_by_word(front: Front) -> None:
    """Each word is here before the agent says the next: nothing on the way waits for more."""
    with dialled(front) as client:
        session = client.connect(auth=front.token, protocol=2)["session_id"]
        client.say("chat", session_id=session, content="count")
        for number in range(3):
            assert client.next("agent_token")["token"] == f"{number} "
            front.open(session, number)
        client.next("agent_complete")


def test_limits_are_each_clients_own(front: Front) -> None:
    """Who guesses tokens is shut out by its address, whatever it says of that, and nobody else is."""
    guess = {"Authorization": "Bearer guess", "X-Forwarded-For": "127.0.0.3"}
    assert [upgraded(front, guess, "127.0.0.2") for _ in range(12)] == [401] * 10 + [429] * 2
    right = {"Authorization": f"Bearer {front.token}"}
    assert upgraded(front, right, "127.0.0.2") == 429
    assert upgraded(front, right, "127.0.0.3") == 101


@pytest.mark.parametrize(
    ("origin", "status"),
    [(ORIGIN, 101), ("https://evil.example", 403), (f"http://{NAME}", 403), ("null", 403)],
)
def test_its_own_pages_may_connect_and_no_others(front: Front, origin: str, status: int) -> None:
    """Those under the name that is listed in the settings."""
    assert upgraded(front, {"Origin": origin}) == status


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics?x", "//metrics", "/%6detrics", "/x/../metrics", "/METRICS"]
)
def test_metrics_are_not_passed_on(front: Front, path: str) -> None:
    """However they are asked for, and whoever asks; what else there is over HTTP is passed on."""
    response, said = get(front, path, {"Authorization": f"Bearer {front.token}"})
    assert (response.status, b"bamboo_" in said) == (404, False)
    assert get(front, "/healthz")[0].status == 200


@pytest.mark.skipif(not INDEX.exists(), reason="this source has no console")
def test_the_console_comes_as_it_is(front: Front) -> None:
    """The page, and what it forbids itself."""
    response, page = get(front, "/")
    assert (response.status, page) == (200, INDEX.read_bytes())
    assert "default-src 'none'" in response.getheader("content-security-policy", "")


async def test_clients_come_back_after_the_proxy_was_restarted(front: Front) -> None:
    """To the word at which they were cut off, in the midst of an answer that goes on meanwhile."""
    with trio.fail_after(HANG):
        async with connect_client(
            front.url,
            token=front.token,
            ssl_context=front.context,
            reconnect=Reconnect(first_interval=0.05, max_interval=0.2),
        ) as client:
            await client.chat("count")
            words, seen = [], []
            async for event in client:
                if isinstance(event, AgentToken):
                    words.append(event.token)
                    if words == ["0 "]:
                        await trio.to_thread.run_sync(front.proxy.stop)
                        for number in range(3):
                            front.open(client.session_id, number)
                elif isinstance(event, Disconnected):
                    seen.append("disconnected")
                    await trio.to_thread.run_sync(front.proxy.start)
                elif isinstance(event, Connected):
                    seen.append(f"resumed: {event.resumed}")
                assert not isinstance(event, Gap)
                if isinstance(event, AgentComplete):
                    break
    assert "".join(words) == "0 1 2 "
    assert seen[-2:] == ["disconnected", "resumed: True"]


@pytest.mark.parametrize("front", ["nginx-tcp"], indirect=True)
def test_nginx_sends_who_comes_without_tls_to_where_there_is(front: Front) -> None:
    """As Caddy does by itself, on the one port that it is for."""
    connection = HTTPConnection("127.0.0.1", front.plain_port, timeout=HANG)
    connection.request("GET", "/x", headers={"Host": NAME})
    response = connection.getresponse()
    response.read()
    connection.close()
    assert (response.status, response.getheader("location")) == (301, f"{ORIGIN}/x")


def test_nginx_waits_longer_than_a_heartbeat() -> None:
    """A connection is silent until the gateway asks after it, and a little longer."""
    config = GatewayConfig()
    silence = config.heartbeat_interval + config.heartbeat_timeout
    waits = re.findall(r"proxy_(?:read|send)_timeout (\d+)s;", shipped("nginx.conf"))
    assert len(waits) == 2
    assert min(map(int, waits)) >= 2 * silence
