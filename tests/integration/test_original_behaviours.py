"""What the original gateway does and clients rely on, and where this one differs on purpose."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator

import pytest
import trio

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.protocol import AgentToken
from tests.cli.process import Serving, run, serving, start
from tests.integration.python_client import PythonClient, dial
from tests.plain_wire import DialectName
from tests.stream_client import StreamClient, dial as dial_async

pytestmark = pytest.mark.integration

BOTH = pytest.mark.parametrize("dialect", ["tagged", "serde"])


# ── fixed by the original ────────────────────────────────────────────────────


def test_the_defaults_are_the_originals() -> None:
    """127.0.0.1:18790, no token, 1000 connections, a heartbeat every 30 seconds."""
    config = GatewayConfig()
    assert (config.bind, config.auth_token) == ("127.0.0.1:18790", None)
    assert (config.max_connections, config.heartbeat_interval) == (1000, 30.0)


def test_the_command_line_has_the_same_defaults() -> None:
    """`serve --help` shows them."""
    shown = " ".join(run("serve", "--help").stdout.split())
    assert "BAMBOO_BIND; default: 127.0.0.1:18790]" in shown
    assert "BAMBOO_AUTH_TOKEN]" in shown
    assert "BAMBOO_MAX_CONNECTIONS; default: 1000]" in shown
    assert re.search(r"BAMBOO_HEARTBEAT_INTERVAL; default: \(?30s\)?]", shown)


def test_serve_without_an_address_takes_the_default_one() -> None:
    """It listens on 127.0.0.1:18790, or says that this very address is taken."""
    process = start("serve")
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline() or process.stderr.readline()
        process.terminate()
    assert "127.0.0.1:18790" in line


@BOTH
def test_without_a_token_none_is_asked(gateway: Serving, dialect: DialectName) -> None:
    """A `connect` without `auth` is welcome, and one with some is, too."""
    with dial(gateway.url, dialect) as client:
        assert client.connect()["limits"]["heartbeat_interval"] == 30.0
        client.connect(auth="whatever")


@BOTH
@pytest.mark.parametrize("fields", [{}, {"session_id": None}, {"session_id": "nobody"}, {"session_id": ""}])
def test_connect_without_a_known_session_makes_one(
    gateway: Serving, dialect: DialectName, fields: dict[str, object]
) -> None:
    """No id or an unknown one: a new session, whose id is a UUID."""
    with dial(gateway.url, dialect) as client:
        connected = client.connect(**fields)
        assert connected["resumed"] is False
        assert str(uuid.UUID(connected["session_id"])) == connected["session_id"] != fields.get("session_id")


@BOTH
def test_connect_with_a_known_session_comes_back_to_it(gateway: Serving, dialect: DialectName) -> None:
    """A known id: the same session."""
    with dial(gateway.url, dialect) as client:
        session_id = client.connect()["session_id"]
    with dial(gateway.url, dialect) as client:
        connected = client.connect(session_id=session_id)
        assert (connected["session_id"], connected["resumed"]) == (session_id, True)


@BOTH
@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("chat", {"content": "hello", "session_id": "x"}),
        ("command", {"name": "status", "args": {}}),
        ("ping", {"timestamp": 1}),
    ],
)
def test_connect_comes_first(
    gateway: Serving, dialect: DialectName, kind: str, fields: dict[str, object]
) -> None:
    """Anything before `connect` is `NOT_CONNECTED`, and the socket stays open."""
    with dial(gateway.url, dialect) as client:
        error = client.ask(kind, **fields)
        assert (error["type"], error["code"]) == ("error", "NOT_CONNECTED")
        client.connect()


@pytest.mark.parametrize("text", ["{", "bamboo", "[]", "{}", '{"type":"dance"}', '{"type":"ping"}', b"\x00"])
def test_what_is_no_message_is_refused(gateway: Serving, text: str | bytes) -> None:
    """Bad JSON, an unknown kind, a missing field, a binary frame: `INVALID_MESSAGE`, and it stays open."""
    with dial(gateway.url) as client:
        client.say_text(text)
        assert client.next()["code"] == "INVALID_MESSAGE"
        client.connect()
        client.say_text(text)
        assert client.next()["code"] == "INVALID_MESSAGE"
        assert client.ask("ping", timestamp=1)["type"] == "pong"


@BOTH
@pytest.mark.parametrize("auth", [{}, {"auth": "guess"}, {"auth": ""}, {"auth": "sesame "}])
def test_a_wrong_token_is_refused(dialect: DialectName, auth: dict[str, object], locked: Serving) -> None:
    """`UNAUTHORIZED` is delivered, and then a close frame says why (diverges: the original only closed)."""
    with dial(locked.url, dialect) as client:
        error = client.ask("connect", **auth)
        assert (error["type"], error["code"]) == ("error", "UNAUTHORIZED")
        assert client.wait_closed() == (4001, "the token is missing or wrong")


def test_the_right_token_is_welcome(locked: Serving) -> None:
    """The token of `--auth-token` opens a session, and is not asked for again on the same socket."""
    with dial(locked.url) as client:
        client.connect(auth="sesame")
        client.connect()


def test_a_full_gateway_says_so() -> None:
    """`CAPACITY_EXCEEDED` is delivered, and then a close frame says why; who leaves makes room."""
    with serving("--max-connections", "2") as served, dial(served.url) as guest:
        guest.connect(protocol=2)
        with dial(served.url) as leaving:
            leaving.connect()
            with dial(served.url) as refused:
                error = refused.next()
                assert (error["code"], error["retryable"]) == ("CAPACITY_EXCEEDED", True)
                assert refused.wait_closed() == (1013, "the gateway is full")
            assert leaving.ask("ping", timestamp=1)["type"] == "pong"
        while _open_connections(guest) > 1:
            pass
        with dial(served.url) as welcome:
            welcome.connect()


def _open_connections(client: PythonClient) -> int:
    result = client.ask("command", name="gateway.stats", args={})["result"]
    count: int = result["statistics"]["connections"]["open"]
    return count


# ── diverges, on purpose ─────────────────────────────────────────────────────


@BOTH
@pytest.mark.parametrize("timestamp", [0, -1, 1_700_000_000_123, 2**63 - 1])
def test_pong_echoes_the_clients_timestamp(gateway: Serving, dialect: DialectName, timestamp: int) -> None:
    """`pong` carries what `ping` brought, so that a client can tell the time of the trip."""
    with dial(gateway.url, dialect) as client:
        client.connect()
        assert client.ask("ping", timestamp=timestamp) == {"type": "pong", "timestamp": timestamp}


@BOTH
def test_a_second_connect_moves_the_connection(gateway: Serving, dialect: DialectName) -> None:
    """After it, the connection watches the new session alone: nothing more of the old one comes."""
    with dial(gateway.url, dialect) as client, dial(gateway.url, dialect) as other:
        first = client.connect(protocol=2)["session_id"]
        other.connect(session_id=first, protocol=2)
        assert client.next()["event"] == "joined"
        second = client.connect(protocol=2)["session_id"]
        assert second != first
        assert other.next("presence")["event"] == "left"
        other.say("chat", content="behind your back", session_id=first)
        other.until("agent_complete")
        answer = _answer(client, second)
        assert {event["session_id"] for event in answer} == {second}
        assert client.ask("chat", content="too late", session_id=first)["code"] == "SESSION_MISMATCH"


def _answer(client: PythonClient, session_id: str) -> list[dict[str, object]]:
    client.say("chat", content="hello", session_id=session_id)
    return client.until("agent_complete")


@BOTH
def test_a_chat_for_another_session_is_refused(gateway: Serving, dialect: DialectName) -> None:
    """A `chat` whose `session_id` is not this connection's is `SESSION_MISMATCH`, even if there is one."""
    with dial(gateway.url, dialect) as client, dial(gateway.url, dialect) as other:
        client.connect()
        session_id = other.connect()["session_id"]
        assert client.ask("chat", content="hello", session_id=session_id)["code"] == "SESSION_MISMATCH"
        assert client.ask("chat", content="hello", session_id="nobody")["code"] == "SESSION_MISMATCH"


async def test_broadcast_reaches_those_who_have_connected() -> None:
    """Neither a socket that said nothing nor one whose token was refused hears a broadcast."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0", auth_token="sesame"))
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        async with (
            dial_async(address.host, address.port) as member,
            dial_async(address.host, address.port, "serde") as serde,
            dial_async(address.host, address.port) as stranger,
            dial_async(address.host, address.port) as impostor,
        ):
            await member.connect(auth="sesame")
            await serde.connect(auth="sesame", protocol=2)
            await stranger.open()
            await impostor.open()
            await impostor.say("connect", auth="guess")
            assert await gateway.broadcast(AgentToken("news", "hear, hear")) == 1
            for client in (member, serde):
                event = await client.next()
                assert (event["type"], event["token"], event["channel"]) == ("agent_token", "hear, hear", "*")
            assert [event["type"] for event in await _heard(impostor)] == ["error"]
            await gateway.stop()
            assert [event["type"] for event in await _heard(stranger)] == []


async def _heard(client: StreamClient) -> list[dict[str, object]]:
    return await client.until_closed()


# ── commands in protocol 1 ───────────────────────────────────────────────────


@pytest.fixture
def client(gateway: Serving, dialect: DialectName) -> Iterator[PythonClient]:
    """A client of protocol 1."""
    with dial(gateway.url, dialect) as opened:
        yield opened


@BOTH
def test_command_ping_is_answered_by_a_pong(client: PythonClient) -> None:
    """`ping` → `pong`, with the timestamp of the arguments if there is one."""
    client.connect()
    assert client.ask("command", name="ping", args={"timestamp": 5}) == {"type": "pong", "timestamp": 5}
    assert client.ask("command", name="ping", args=None)["type"] == "pong"


@BOTH
def test_command_status_is_answered_by_a_token(client: PythonClient) -> None:
    """`status` → one `agent_token`, whose text has the session's id."""
    session_id = client.connect()["session_id"]
    answer = client.ask("command", name="status", args={})
    assert (answer["type"], answer["session_id"]) == ("agent_token", session_id)
    assert session_id in answer["token"]
    assert client.ask("ping", timestamp=1)["type"] == "pong"


@BOTH
@pytest.mark.parametrize("name", ["help", "session.list", "gateway.info", "echo"])
def test_any_other_command_is_answered_as_a_tool(client: PythonClient, name: str) -> None:
    """`agent_tool_start`, then `agent_tool_complete` whose result is JSON; so is a tool of the agent."""
    session_id = client.connect()["session_id"]
    started = client.ask("command", name=name, args={}, id="7")
    assert (started["type"], started["tool"], started["session_id"]) == ("agent_tool_start", name, session_id)
    complete = client.next()
    assert (complete["type"], complete["tool"], complete["ok"]) == ("agent_tool_complete", name, True)
    assert started["tool_call_id"] == complete["tool_call_id"] == "7"
    assert isinstance(json.loads(complete["result"]), dict)
    assert client.ask("ping", timestamp=1)["type"] == "pong"


@BOTH
def test_an_unknown_command_fails_as_a_tool(client: PythonClient) -> None:
    """A name that nobody knows, not even the agent: `ok: false`, and `UNKNOWN_COMMAND` in the result."""
    client.connect()
    assert client.ask("command", name="dance", args={"style": "tango"})["type"] == "agent_tool_start"
    complete = client.next()
    assert (complete["type"], complete["ok"]) == ("agent_tool_complete", False)
    assert complete["result"].startswith("UNKNOWN_COMMAND: ")
