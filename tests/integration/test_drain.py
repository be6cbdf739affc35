"""A gateway that is asked to stop while it has work to do, and the one that comes after it."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from tests.cli.process import HANG, Serving, serving
from tests.integration.python_client import PythonClient, dial
from tests.plain_wire import Event

pytestmark = pytest.mark.integration

RESTARTS = (1012, "the gateway restarts")

AGENT = ("--agent", "python:tests.integration.numbered_agent:forgetful")

ENDLESS = "1000000"
"""A chat that the agent answers for over an hour."""


def _begin(client: PythonClient, content: str, **fields: object) -> str:
    """Chat in a new session, and wait until the agent speaks; return the session."""
    session_id = str(client.connect(protocol=2)["session_id"])
    client.say("chat", content=content, session_id=session_id, **fields)
    client.next("agent_token")
    return session_id


def _kinds(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


def test_a_turn_that_runs_comes_to_its_end() -> None:
    """Its watcher is told of the end at once, hears the turn to its last word, and is let go with 1012."""
    with serving(*AGENT) as server, dial(server.url) as client:
        _begin(client, "99", id="c")
        server.process.send_signal(signal.SIGTERM)
        notice = client.next("shutdown")
        assert notice["reason"] == "the gateway restarts"
        assert (notice["retry_after"], notice["jitter"]) == (1.0, 0.001)
        rest = client.until("agent_complete")
        assert rest[-2]["token"] == "c.98 "
        assert client.wait_closed() == RESTARTS
        assert server.process.wait(HANG) == 0


def test_what_is_new_is_refused_and_the_rest_goes_on() -> None:
    """Chats and changes are `STOPPING`; reads, pings and an abort work, and then the gateway is through."""
    with serving(*AGENT) as server, dial(server.url) as client:
        session_id = _begin(client, ENDLESS)
        server.process.send_signal(signal.SIGTERM)
        client.next("shutdown")

        client.say("chat", content="1", session_id=session_id, id="late")
        error = client.next("error")
        assert (error["code"], error["id"]) == ("STOPPING", "late")
        assert (error["retryable"], error["retry_after"]) == (True, 1.0)

        for message_id in ("r", None):
            client.say("command", name="session.rename", args={"name": "new"}, id=message_id)
            result = client.next("command_result")
            assert (result["ok"], result.get("id")) == (False, message_id)
            assert (result["error"]["code"], result["error"]["retry_after"]) == ("STOPPING", 1.0)

        client.say("connect", protocol=2)
        assert client.next("error")["code"] == "STOPPING"

        client.say("command", name="session.get", args={})
        assert client.next("command_result")["result"]["state"] == "running"
        client.say("ping", timestamp=5)
        assert client.next("pong")["timestamp"] == 5

        client.say("command", name="session.abort", args={}, id="a")
        assert client.next("command_result")["ok"] is True
        assert client.wait_closed() == RESTARTS
        assert server.process.wait(HANG) == 0


def test_a_turn_that_does_not_end_is_interrupted(tmp_path: Path) -> None:
    """After `drain_timeout` the gateway goes; what was said is kept, and the next one closes the turn."""
    args = (*AGENT, "--storage", f"sqlite:{tmp_path / 'db'}")
    with serving(*args, "--drain-timeout", "1s") as server, dial(server.url) as client:
        session_id = _begin(client, ENDLESS)
        server.process.send_signal(signal.SIGTERM)
        said = client.until("shutdown")
        last = _until_closed(client, said)
        _, log = server.process.communicate(timeout=HANG)
        assert server.process.returncode == 0
        assert "turns interrupted" in log
    with serving(*args) as server, dial(server.url) as client:
        connected = client.connect(protocol=2, session_id=session_id, last_seq=last["seq"])
        assert connected["resumed"] is True
        end = client.next()
        assert (end["type"], end["code"], end["seq"]) == ("error", "AGENT_INTERRUPTED", last["seq"] + 1)


def _until_closed(client: PythonClient, events: list[Event]) -> Event:
    """Hear all that comes; return the last event of the session's log."""
    heard = list(events)
    with suppress(ConnectionClosed):
        while True:
            heard.append(client.next())
    assert client.wait_closed() == RESTARTS
    return [event for event in heard if "seq" in event][-1]


@pytest.mark.parametrize("content", ["50", ENDLESS])
def test_chats_that_wait_are_left_to_the_next_gateway(tmp_path: Path, content: str) -> None:
    """They do not begin, whether the turn ahead of them ends or is cut; the next gateway answers them."""
    args = (*AGENT, "--storage", f"sqlite:{tmp_path / 'db'}")
    drain_timeout = "1h" if content == "50" else "0.1"
    with serving(*args, "--drain-timeout", drain_timeout) as server, dial(server.url) as client:
        session_id = _begin(client, content)
        for name in ("one", "two"):
            client.say("chat", content="2", session_id=session_id, id=name)
            assert client.next("chat_accepted")["id"] == name
        last = _until_closed(client, _stopping(server, client))
        assert server.process.wait(HANG) == 0
    with serving(*args) as server, dial(server.url) as client:
        client.connect(protocol=2, session_id=session_id, last_seq=last["seq"])
        events = [event for name in ("one", "two") for event in client.until("agent_complete")]
        if content == ENDLESS:
            assert events.pop(0)["code"] == "AGENT_INTERRUPTED"
        answer = ["agent_start", "agent_token", "agent_token", "agent_complete"]
        assert _kinds(events) == answer * 2
        assert [event["token"] for event in events if "token" in event] == [
            "one.0 ",
            "one.1 ",
            "two.0 ",
            "two.1 ",
        ]


def _stopping(server: Serving, client: PythonClient) -> list[Event]:
    server.process.send_signal(signal.SIGTERM)
    return client.until("shutdown")


def test_a_second_signal_waits_for_no_turn() -> None:
    """Whoever stops it once more means it."""
    with serving(*AGENT) as server, dial(server.url) as client:
        _begin(client, ENDLESS)
        _stopping(server, client)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(HANG) == -signal.SIGTERM


def test_sighup_does_not_disturb_the_end() -> None:
    """There is nothing left to reload for, and by itself the signal would kill."""
    with serving(*AGENT) as server, dial(server.url) as client:
        _begin(client, "100")
        _stopping(server, client)
        server.process.send_signal(signal.SIGHUP)
        client.until("agent_complete")
        assert client.wait_closed() == RESTARTS
        assert server.process.wait(HANG) == 0
