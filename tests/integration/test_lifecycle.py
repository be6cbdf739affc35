"""The eight steps of a session's life (the seed), as a client written with `websockets` goes through them."""

from __future__ import annotations

import json

import pytest

from tests.cli.process import Serving
from tests.integration.python_client import PythonClient, dial
from tests.plain_wire import DialectName, Event

pytestmark = pytest.mark.integration

# By default a token is spoken every 20 ms: the connection ends before the answer does.
LONG = "one two three four five six seven eight nine ten"


class Life:
    """A client's side of one session, in either dialect and either protocol."""

    def __init__(self, client: PythonClient, protocol: int) -> None:
        self._client = client
        self._protocol = protocol

    def connect(self, **fields: object) -> Event:
        """Connect; a client of protocol 1 does not know that there are others."""
        return self._client.connect(
            **fields if self._protocol == 1 else {**fields, "protocol": self._protocol}
        )

    def chat(self, content: str, session_id: str) -> list[Event]:
        """Say something; return the answer."""
        self._client.say("chat", content=content, session_id=session_id)
        return self._client.until("agent_complete")

    def leave_amid(self, content: str, session_id: str) -> Event:
        """Say something; return the first token, and hear no more."""
        self._client.say("chat", content=content, session_id=session_id)
        return self._client.next("agent_token")

    def missed(self) -> list[Event]:
        """What comes by itself, up to the end of a turn."""
        return self._client.until("agent_complete")

    def command(self, name: str) -> str:
        """The result of a command, as either protocol tells it."""
        self._client.say("command", name=name, args={})
        event = self._client.next("command_result", "agent_token", "agent_tool_complete")
        return event.get("token") or json.dumps(event["result"])


def text_of(events: list[Event]) -> str:
    """The tokens of an answer, joined."""
    return "".join(event["token"] for event in events if event["type"] == "agent_token")


@pytest.mark.parametrize("dialect", ["tagged", "serde"])
@pytest.mark.parametrize("protocol", [1, 2])
def test_a_session_lives_through_its_eight_steps(
    gateway: Serving, dialect: DialectName, protocol: int
) -> None:
    """Connect, chat, see tokens and tools stream, leave amid an answer, come back, and miss nothing."""
    with dial(gateway.url, dialect) as client:  # 1. the WebSocket is open
        life = Life(client, protocol)
        connected = life.connect()  # 2. Connect{}; 3., 4. the gateway makes a session, and names it
        session_id = connected["session_id"]
        assert (connected["resumed"], connected["protocol"]) == (False, protocol)
        answer = life.chat("to be or not to be", session_id)  # 5. a chat; 6., 7. its answer, token by token
        assert [event["token"] for event in answer if event["type"] == "agent_token"][:2] == ["to ", "be "]
        assert text_of(answer) == "to be or not to be"
        assert {event["session_id"] for event in answer} == {session_id}
        assert answer[-1]["usage"] == {"prompt_tokens": 6, "completion_tokens": 6, "total_tokens": 12}
        assert _tools(life.chat('/tool search {"q": 1}', session_id)) == [("search", '{"q":1}')]
        assert session_id in life.command("status")  # 5. a command
        seen = life.leave_amid(LONG, session_id)  # 8. the connection ends; the session stays

    with dial(gateway.url, dialect) as client:
        life = Life(client, protocol)
        # By the time that it is back the answer may be complete, and its tokens could come joined.
        cursor = {"last_seq": seen["seq"], "epoch": connected["epoch"], "replay": "exact"}
        again = life.connect(session_id=session_id, **cursor)
        assert (again["session_id"], again["resumed"]) == (session_id, True)
        missed = life.missed()
        assert seen["token"] + text_of(missed) == LONG
        assert [event["seq"] for event in missed] == list(range(seen["seq"] + 1, missed[-1]["seq"] + 1))
        assert LONG in life.command("session.history")
        assert text_of(life.chat("/history", session_id)).startswith("6 messages came before this one")


def _tools(events: list[Event]) -> list[tuple[str, str]]:
    starts = [event["tool"] for event in events if event["type"] == "agent_tool_start"]
    results = [event["result"] for event in events if event["type"] == "agent_tool_complete"]
    return list(zip(starts, results, strict=True))
