"""Protocol 1 is the seed's seven events and no others: a strict enum can parse whatever comes."""

from __future__ import annotations

import pytest

from tests.cli.process import serving
from tests.integration.python_client import PythonClient, dial
from tests.integration.strict_enum import VARIANTS, parse
from tests.plain_wire import DialectName, Event

pytestmark = pytest.mark.integration

COMMANDS = ["help", "status", "ping", "session.list", "session.get", "session.create", "session.rename"]
COMMANDS += ["session.history", "session.abort", "channel.list", "presence.list", "gateway.info"]
COMMANDS += ["gateway.stats", "echo", "dance"]


class StrictClient:
    """A client of protocol 1 whose enum has seven variants; it keeps all that it hears."""

    def __init__(self, client: PythonClient) -> None:
        self._client = client
        self._mark = 0
        self.session_id = ""
        self.heard: list[Event] = []

    def until(self, kind: str, **fields: object) -> None:
        """Hear everything up to an event of this *kind* with these *fields*."""
        while True:
            event = self._client.next()
            parse(event)
            self.heard.append(event)
            if event["type"] == kind and fields.items() <= event.items():
                return

    def say(self, kind: str, **fields: object) -> None:
        """Say something."""
        self._client.say(kind, **fields)

    def connect(self, **fields: object) -> None:
        """Connect, as the seed has it."""
        self.say("connect", **fields)
        self.until("connected")
        self.session_id = self.heard[-1]["session_id"]

    def chat(self, content: str, **fields: object) -> None:
        """Say something to the agent or to a channel."""
        self.say("chat", **{"content": content, "session_id": self.session_id, **fields})

    def command(self, name: str, args: object = None) -> None:
        """Give a command."""
        self.say("command", name=name, args=args)

    def catch_up(self) -> None:
        """Hear everything that was said by now."""
        self._mark -= 1
        self.say("ping", timestamp=self._mark)
        self.until("pong", timestamp=self._mark)

    def wait_closed(self) -> tuple[int, str]:
        """The end."""
        return self._client.wait_closed()


@pytest.mark.parametrize("dialect", ["tagged", "serde"])
def test_a_strict_enum_parses_all_that_protocol_one_says(dialect: DialectName) -> None:
    """Chats, tools, failures, aborts, full queues, commands, gaps, channels, others, and the end of all."""
    with serving("--log-max-events", "20", "--max-queued-chats", "1") as served:
        with dial(served.url, dialect) as first, dial(served.url) as other:
            client = StrictClient(first)
            client.say("ping", timestamp=0)
            client.until("error", code="NOT_CONNECTED")
            client.connect()
            _turns(client)
            _commands(client)
            _company(client, other)
            _returns(client)
            _end_of_a_session(client, other)
            assert served.stop()[0] == 0
            assert client.wait_closed() == (1012, "the gateway restarts")
        assert {event["type"] for event in client.heard} == set(VARIANTS)


def _turns(client: StrictClient) -> None:
    for content in ("to be or not to be", "", "/tool search bamboo", "/tokens 50", "/history"):
        client.chat(content)
        client.until("agent_complete")
    for content in ("/fail", "/fail out of bamboo", "/tokens none"):
        client.chat(content)
        client.until("error", code="AGENT_ERROR")
    for content in ("/sleep 60", "waits", "is too much"):
        client.chat(content)
    client.until("error", code="QUEUE_FULL")
    client.command("session.abort")
    client.until("error", code="AGENT_ABORTED")
    client.until("error", code="AGENT_ABORTED")


def _commands(client: StrictClient) -> None:
    for name in COMMANDS:
        client.command(name, {})
        client.command(name, "no object")
    client.catch_up()


def _company(client: StrictClient, other: PythonClient) -> None:
    """Somebody else, who speaks protocol 2, does in the same session what protocol 1 has no words for."""
    other.connect(session_id=client.session_id, protocol=2, client={"name": "other", "version": "1"})
    for name in ("channel.create", "channel.join"):
        other.say("command", name=name, args={"name": "garden"})
    other.say("command", name="channel.send", args={"name": "garden", "content": "hear, hear"})
    other.next("channel_message")
    client.chat("to all", metadata={"channel": "garden"})
    other.next("channel_message")
    client.chat("nowhere", metadata={"channel": "nowhere"})
    client.until("error", code="CHANNEL_NOT_FOUND")
    client.chat("elsewhere", session_id="elsewhere")
    client.until("error", code="SESSION_MISMATCH")
    other.say("chat", content="and now you", session_id=client.session_id, id="1", metadata={"k": []})
    client.until("agent_complete")


def _returns(client: StrictClient) -> None:
    """The same session again, from a cursor that the log no longer reaches, and from one of another epoch."""
    client.connect(session_id=client.session_id, last_seq=1)
    client.until("error", code="GAP")
    client.connect(session_id=client.session_id, last_seq=1, epoch="another", channels={"garden": 0})
    client.until("error", code="GAP")
    client.catch_up()


def _end_of_a_session(client: StrictClient, other: PythonClient) -> None:
    other.say("command", name="session.delete", args={"session_id": client.session_id})
    client.until("error", code="SESSION_ENDED")
    client.chat("is anybody there?")
    client.until("error", code="NOT_CONNECTED")
    client.connect()
    client.catch_up()


@pytest.mark.parametrize("dialect", ["tagged", "serde"])
def test_a_strict_enum_parses_a_takeover(dialect: DialectName) -> None:
    """Whoever loses the session to a newer connection is told so in the seed's words."""
    with serving() as served, dial(served.url, dialect) as first, dial(served.url) as other:
        client = StrictClient(first)
        client.connect()
        other.connect(session_id=client.session_id, exclusive=True)
        client.until("error", code="SUPERSEDED")
        assert client.wait_closed()[0] == 4003
