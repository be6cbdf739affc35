from __future__ import annotations

from typing import get_args

import pytest
import trio
from hypothesis import given, settings, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.outbox import FULL_BYTES
from bamboo_gateway.principal import Credentials, Principal, Scope
from bamboo_gateway.protocol.messages import AgentToken, Json
from bamboo_gateway.session.requests import BroadcastEvent
from bamboo_gateway.turn import Turn
from tests.connection.raw_client import BINARY, HANG, PING, PONG, TEXT, RawClient, close, frame, head, text
from tests.connection.stage import Stage, stage
from tests.plain_wire import DialectName, Event

UNAUTHORIZED = (4001, "the token is missing or wrong")
TOO_BIG = (1009, "the message is larger than this gateway takes")


async def error(client: RawClient) -> str:
    """Wait for an error; its code."""
    event = await client.event()
    assert event["type"] == "error", event
    code = event["code"]
    assert isinstance(code, str)
    return code


async def is_alive(client: RawClient) -> None:
    """Make sure that the next thing that the gateway says is the answer to this."""
    await client.say("ping", timestamp=42)
    event = await client.event()
    assert event == {"type": "pong", "timestamp": 42} or event["code"] == "NOT_CONNECTED", event


# ── dialects ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("dialect", get_args(DialectName))
async def test_the_first_frame_decides_the_dialect(dialect: DialectName) -> None:
    """A client is answered in the dialect of its first frame, whatever that was, and held to it."""
    other: DialectName = "serde" if dialect == "tagged" else "tagged"
    async with stage() as parts:
        client = parts.memory()
        client.dialect = dialect
        await client.upgrade()
        await client.say("ping", timestamp=1)
        assert await error(client) == "NOT_CONNECTED"
        await client.send(text("connect", other))
        assert await error(client) == "INVALID_MESSAGE"
        await client.say("connect")
        assert (await client.event())["type"] == "connected"


@pytest.mark.parametrize("dialect", get_args(DialectName))
async def test_garbage_leaves_the_dialect_open(dialect: DialectName) -> None:
    """What speaks neither dialect decides nothing: until one is known, errors are tagged."""
    async with stage() as parts:
        client = parts.memory()
        await client.upgrade()
        for junk in (b"", b"[]", b"null", b'{"Nonsense":{}}', b"{", b'{"a":1,"b":2}'):
            await client.send(frame(TEXT, junk))
            assert await error(client) == "INVALID_MESSAGE"
        client.dialect = dialect
        await client.say("connect")
        assert (await client.event())["type"] == "connected"


# ── before `connect` ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "message",
    [
        text("chat", content="hi", session_id="s"),
        text("command", name="ping", args=None),
        text("command", name="session.list", args={}),
        text("ping", timestamp=1),
    ],
)
async def test_connect_must_come_first(message: bytes) -> None:
    """Whatever is said before `connect` is refused, and the socket stays open."""
    async with stage(GatewayConfig(auth_token="secret")) as parts:
        client = parts.memory()
        await client.upgrade()
        for _ in range(3):
            await client.send(message)
            assert await error(client) == "NOT_CONNECTED"
        await client.say("connect", auth="secret")
        assert (await client.event())["type"] == "connected"
        assert parts.table.statistics().sessions == 1


async def test_what_is_no_message_is_refused_and_the_socket_stays_open() -> None:
    """Bad JSON, unknown kinds, missing fields, binary frames: an error each, before and after `connect`."""
    wrong = [b"{", b'{"type":"nonsense"}', b'{"type":"chat"}', b'{"type":"ping","timestamp":"5"}']
    wrong += [b'{"type":"ping","timestamp":NaN}', b'{"type":"ping","timestamp":1,"timestamp":1}']
    wrong += [b'"\\ud800"', b'{"type":"\\ud800"}', b"[" * 70 + b"]" * 70]
    async with stage() as parts:
        client = parts.memory()
        await client.upgrade()
        for _ in range(2):
            for junk in wrong:
                await client.send(frame(TEXT, junk))
                assert await error(client) == "INVALID_MESSAGE"
            await client.send(frame(BINARY, b'{"type":"connect"}'))
            assert await error(client) == "INVALID_MESSAGE"
            await client.say("connect")
            await client.event("connected")


async def test_no_connect_in_time(autojump_clock: MockClock) -> None:
    """Who is not connected in time is told so, in an error and a close frame; mere talk does not help."""
    async with stage(GatewayConfig(connect_timeout=10, heartbeat_interval=100)) as parts:
        client = parts.memory()
        await client.upgrade()
        began = trio.current_time()
        for _ in range(9):
            await trio.sleep(1)
            await client.say("ping", timestamp=1)
            assert await error(client) == "NOT_CONNECTED"
        assert await error(client) == "CONNECT_TIMEOUT"
        assert await client.close_frame() == (4002, "no connect was accepted within 10 seconds")
        assert trio.current_time() - began == pytest.approx(10)


async def test_a_connect_in_time_lifts_the_deadline(autojump_clock: MockClock) -> None:
    """Once `connected` was said, a client may be silent for as long as it answers pings."""
    async with stage(GatewayConfig(connect_timeout=10, heartbeat_interval=1_000)) as parts:
        client = parts.memory()
        await client.connect()
        await trio.sleep(900)
        await is_alive(client)


async def test_a_connect_that_is_refused_lifts_nothing(autojump_clock: MockClock) -> None:
    """Who has the token and gets no session is not connected: it may try again, until the deadline."""
    async with stage(GatewayConfig(connect_timeout=10, max_sessions=1)) as parts:
        await parts.sessions.create("somebody")
        client = parts.memory()
        await client.upgrade()
        for _ in range(3):
            await client.say("connect")
            assert await error(client) == "LIMIT_EXCEEDED"
        await client.say("chat", content="hi", session_id="s")
        assert await error(client) == "NOT_CONNECTED"
        assert await error(client) == "CONNECT_TIMEOUT"


# ── the token ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "auth", [{}, {"auth": ""}, {"auth": "wrong"}, {"auth": "пароль"}, {"auth": "secret "}]
)
async def test_a_wrong_token_is_told_before_the_end(auth: dict[str, str]) -> None:
    """`UNAUTHORIZED` is delivered, then the close frame; no session was made."""
    async with stage(GatewayConfig(auth_token="secret")) as parts:
        client = parts.socket()
        await client.upgrade()
        await client.say("connect", **auth)
        assert await error(client) == "UNAUTHORIZED"
        assert await client.close_frame() == UNAUTHORIZED
        assert await client.end() == b""
        assert parts.table.statistics().sessions == 0


async def test_a_second_guess_in_the_same_packet_is_not_read() -> None:
    """After a wrong token nothing more is heard of that client, not even the right one."""
    async with stage(GatewayConfig(auth_token="secret", max_failed_tokens=0)) as parts:
        for number in range(20):  # trio runs what is ready in a random order
            client = parts.socket()
            await client.upgrade()
            if number % 2:
                await client.send(text("connect", auth="wrong"), text("ping", timestamp=1))
                assert await error(client) == "UNAUTHORIZED"
                assert await client.close_frame() == UNAUTHORIZED
                continue
            await client.send(
                text("connect", auth="wrong"), text("connect", auth="secret"), text("ping", timestamp=1)
            )
            assert await error(client) == "UNAUTHORIZED"
            assert await client.close_frame() == UNAUTHORIZED
        assert parts.table.statistics().sessions == 0


async def test_a_token_in_any_alphabet() -> None:
    """A token is text, compared to the letter."""
    async with stage(GatewayConfig(auth_token="пароль ☃")) as parts:
        client = parts.memory()
        await client.connect(auth="пароль ☃")
        [connection] = parts.connections
        assert connection.principal is not None


# ── sizes ────────────────────────────────────────────────────────────────────


def ping_of(size: int, filler: str = "x") -> bytes:
    """A ping whose JSON has *size* bytes."""
    start, end = b'{"type":"ping","timestamp":1,"filler":"', b'"}'
    room, width = size - len(start) - len(end), len(filler.encode())
    payload = start + filler.encode() * (room // width) + b"x" * (room % width) + end
    assert len(payload) == size
    return frame(TEXT, payload)


@pytest.mark.parametrize("filler", ["x", "я", "☃", "𝄞"])
async def test_the_size_of_a_stranger_s_message(filler: str) -> None:
    """Before `connect` 64 KiB are taken, and not a byte more, however many characters they are."""
    async with stage() as parts:
        client = parts.memory()
        await client.upgrade()
        await client.send(ping_of(65_536, filler))
        assert await error(client) == "NOT_CONNECTED"
        await client.send(ping_of(65_537, filler))
        assert await error(client) == "MESSAGE_TOO_BIG"
        assert await client.close_frame() == TOO_BIG


@pytest.mark.parametrize("filler", ["x", "☃"])
async def test_the_size_of_a_message(filler: str) -> None:
    """After `connect` the same holds with `max_message_bytes`; the error comes before the close frame."""
    async with stage(GatewayConfig(max_message_bytes=100_000)) as parts:
        client = parts.memory()
        await client.connect()
        await client.send(ping_of(100_000, filler))
        assert await client.event() == {"type": "pong", "timestamp": 1}
        await client.send(ping_of(100_001, filler))
        assert await error(client) == "MESSAGE_TOO_BIG"
        assert (await client.close_frame())[0] == 1009


async def test_a_message_that_never_ends() -> None:
    """Fragments are counted together; what came before is answered; what comes with them is not handled."""
    async with stage(GatewayConfig(max_message_bytes=10_000)) as parts:
        client = parts.memory()
        await client.connect()
        fragments = [frame(0, b"x" * 1_000, fin=False) for _ in range(20)]
        await client.send(
            text("ping", timestamp=7), frame(TEXT, b'"', fin=False), *fragments, frame(PING, b"?"), *fragments
        )
        assert await client.event() == {"type": "pong", "timestamp": 7}
        assert await error(client) == "MESSAGE_TOO_BIG"
        assert (await client.close_frame())[0] == 1009
        assert await client.end() == b""
        await client.leave()
        await parts.until_empty()
        assert parts.host.pool.statistics().closed == {"1009": 1}


async def test_a_stranger_who_never_stops() -> None:
    """Before `connect` a client is not read without bounds, even if no message of its comes to an end."""
    async with stage(GatewayConfig(max_unauthenticated_message_bytes=1_000)) as parts:
        client = parts.memory()
        await client.upgrade()
        await client.send(frame(TEXT, b'"', fin=False), *[frame(0, b"", fin=False)] * 1_000)
        assert await error(client) == "MESSAGE_TOO_BIG"
        assert await client.close_frame() == (1009, "too much was sent before connect")


# ── the session ──────────────────────────────────────────────────────────────


async def test_ids_come_back() -> None:
    """What a client has numbered is answered under that number, be it done or refused."""
    async with stage() as parts:
        client = parts.memory()
        connected = await client.connect(protocol=2)
        await client.say("chat", content="hi", session_id="another", id="chat 1")
        refusal = await client.event()
        assert (refusal["code"], refusal["id"]) == ("SESSION_MISMATCH", "chat 1")
        await client.say("command", name="nonsense", args=None, id="command 1")
        result = await client.event("command_result")
        assert (result["id"], result["ok"], result["error"]["code"]) == (
            "command 1",
            False,
            "UNKNOWN_COMMAND",
        )
        await client.say("chat", content="hi", session_id=connected["session_id"], id="chat 2")
        accepted = await client.event("chat_accepted")
        assert accepted["id"] == "chat 2"
        message = await client.event("user_message")
        assert (message["id"], message["run_id"]) == ("chat 2", accepted["run_id"])


async def test_a_chat_in_protocol_1() -> None:
    """A client that asks for nothing hears the seed's events and no more."""
    async with stage() as parts:
        client = parts.memory()
        connected = await client.connect()
        await client.say("chat", content="hi", session_id=connected["session_id"])
        assert [(await client.event())["type"] for _ in range(2)] == ["agent_token", "agent_complete"]
        await client.say("command", name="ping", args={"timestamp": 5})
        assert await client.event() == {"type": "pong", "timestamp": 5}
        await client.say("command", name="gateway.info", args=None)
        started = await client.event()
        assert (started["type"], started["session_id"]) == ("agent_tool_start", connected["session_id"])
        assert (await client.event())["type"] == "agent_tool_complete"
        await client.say("command", name="status", args=None)
        assert connected["session_id"] in (await client.event())["token"]


async def test_a_chat_to_a_channel() -> None:
    """`metadata.channel` sends a chat there: the sender is told so, and hears it as all members do."""
    async with stage() as parts:
        client = parts.memory()
        connected = await client.connect(protocol=2)
        for name in ("channel.create", "channel.join"):
            await client.say("command", name=name, args={"name": "news"})
            assert (await client.event("command_result"))["ok"]
        await client.say(
            "chat", content="hi", session_id=connected["session_id"], id="1", metadata={"channel": "news"}
        )
        heard = [await client.event() for _ in range(2)]
        assert {event["type"] for event in heard} == {"chat_accepted", "channel_message"}
        accepted = next(event for event in heard if event["type"] == "chat_accepted")
        assert (accepted["channel"], accepted["id"]) == ("news", "1")
        assert "run_id" not in accepted


async def test_an_error_of_a_channel_is_the_senders_alone() -> None:
    """A chat that cannot be sent is refused under its own id."""
    async with stage() as parts:
        client = parts.memory()
        connected = await client.connect(protocol=2)
        await client.say(
            "chat", content="hi", session_id=connected["session_id"], id="1", metadata={"channel": "none"}
        )
        refusal = await client.event()
        assert (refusal["code"], refusal["id"]) == ("CHANNEL_NOT_FOUND", "1")


async def test_connect_comes_back_to_a_session() -> None:
    """A known session id resumes, with what was missed; an unknown one is a new session."""
    async with stage() as parts:
        first = parts.memory()
        connected = await first.connect(protocol=2)
        session_id, epoch = connected["session_id"], connected["epoch"]
        await first.say("chat", content="hi", session_id=session_id)
        await first.event("agent_complete")
        await first.leave()
        second = parts.memory()
        again = await second.connect(protocol=2, session_id=session_id, last_seq=1, epoch=epoch)
        assert (again["session_id"], again["resumed"], again["last_seq"]) == (session_id, True, 4)
        assert [(await second.event())["seq"] for _ in range(3)] == [2, 3, 4]
        third = parts.memory()
        new = await third.connect(session_id="unknown")
        assert (new["session_id"] != "unknown", new["resumed"]) == (True, False)


async def until_streaming(parts: Stage, client: RawClient, session_id: str) -> None:
    """Let the session's agent say a first word."""
    await client.say("chat", content="go", session_id=session_id)
    await client.event("agent_token")


async def chatter(turn: Turn) -> None:
    """Speak without end."""
    while True:
        await turn.token("more")
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("kind", ["memory", "socket"])
async def test_a_second_connect_moves_cleanly(kind: str) -> None:
    """After the new `connected` no event of the old session comes, although its agent goes on."""
    async with stage(agent=chatter) as parts:
        client: RawClient = getattr(parts, kind)()
        old = (await client.connect())["session_id"]
        await until_streaming(parts, client, old)
        watcher: RawClient = getattr(parts, kind)()
        await watcher.connect(session_id=old)
        for _ in range(5):
            await client.say("connect")
            new = (await client.event("connected"))["session_id"]
            assert new != old
            for _ in range(3):
                await watcher.event("agent_token")
            await is_alive(client)
            await client.say("connect", session_id=old)
            assert (await client.event("connected"))["session_id"] == old
            await client.event("agent_token")


async def test_a_second_connect_need_not_prove_itself_again() -> None:
    """Who has shown the token may move without it; who shows a wrong one is sent away."""
    async with stage(GatewayConfig(auth_token="secret")) as parts:
        client = parts.memory()
        first = await client.connect(auth="secret")
        await client.say("connect")
        second = await client.event("connected")
        assert second["session_id"] != first["session_id"]
        await client.say("connect", auth="wrong")
        assert await error(client) == "UNAUTHORIZED"
        assert await client.close_frame() == UNAUTHORIZED


async def test_an_exclusive_connect_supersedes_the_others() -> None:
    """The others are told, by error and close frame; the newcomer has the session alone."""
    async with stage() as parts:
        others = [parts.memory() for _ in range(3)]
        session_id = (await others[0].connect(protocol=2))["session_id"]
        for other in others[1:]:
            await other.connect(session_id=session_id, protocol=1)
        newcomer = parts.memory()
        await newcomer.connect(session_id=session_id, exclusive=True)
        await newcomer.say("chat", content="hi", session_id=session_id)
        await newcomer.event("agent_complete")
        for other in others:
            superseded = await other.event("error")
            assert (superseded["code"], superseded["session_id"]) == ("SUPERSEDED", session_id)
            assert await other.close_frame() == (4003, "a newer connection took the session for itself")
            await other.leave()
        await parts.until_left(1)
        session = await parts.sessions.get(session_id)
        assert session is not None
        assert len(session.connections) == 1


async def test_reconnecting_while_the_old_socket_still_lives() -> None:
    """The newcomer is welcome; the end of the old socket, whenever it is noticed, takes nothing from it."""
    async with stage() as parts:
        old = parts.socket()
        session_id = (await old.connect())["session_id"]
        new = parts.socket()
        assert (await new.connect(session_id=session_id))["resumed"]
        await old.leave()
        await parts.until_left(1)
        session = await parts.sessions.get(session_id)
        assert session is not None
        assert len(session.connections) == 1
        await new.say("chat", content="still here", session_id=session_id)
        assert (await new.event("agent_token"))["token"] == "still here"


async def test_a_moved_connections_end_detaches_it_from_where_it_is() -> None:
    """A connection that has moved and ends leaves both sessions unwatched."""
    async with stage() as parts:
        client = parts.memory()
        ids = [(await client.connect())["session_id"]]
        await client.say("connect")
        ids.append((await client.event("connected"))["session_id"])
        await client.leave()
        await parts.until_empty()
        for session_id in ids:
            session = await parts.sessions.get(session_id)
            assert session is not None
            assert session.connections == ()


# ── pace ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "opcode"), [(text("command", name="help", args=None), TEXT), (frame(PING, b"x" * 125), PONG)]
)
async def test_who_does_not_read_is_not_read(question: bytes, opcode: int) -> None:
    """Who asks on and on without taking the answers is stopped by its own socket; memory is bounded."""
    async with stage(GatewayConfig(write_timeout=1_000)) as parts:
        client = parts.socket(4_096)
        await client.connect()
        [connection] = parts.connections
        asked = 0

        async def ask() -> None:
            nonlocal asked
            while True:
                await client.send(question * 10)
                asked += 10

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            with trio.fail_after(HANG):
                while not connection.outbox.is_full:
                    await trio.lowlevel.checkpoint()
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert FULL_BYTES < connection.outbox.waiting_bytes < FULL_BYTES + 65_536
        neighbour = parts.memory()
        await neighbour.connect()
        await is_alive(neighbour)
        for _ in range(asked):
            assert (await client.frame()).opcode == opcode


# ── the end ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("goodbye", "answer", "counted"),
    [
        (close(1000, "bye"), b"\x03\xe8bye", "1000"),
        (close(1001), b"\x03\xe9", "1001"),
        (close(3000, "mine"), b"\x0b\xb8mine", "1000"),
        (close(4999), b"\x13\x87", "1000"),
        (frame(0x8, b""), b"", "1005"),
    ],
)
async def test_a_clients_goodbye_is_answered(goodbye: bytes, answer: bytes, counted: str) -> None:
    """A close frame comes back as it came; nothing follows it."""
    async with stage() as parts:
        client = parts.socket()
        await client.connect()
        await client.send(text("ping", timestamp=1), goodbye)
        assert await client.event() == {"type": "pong", "timestamp": 1}
        assert (await client.frame()).payload == answer
        assert await client.end() == b""
        await client.leave()
        await parts.until_empty()
        assert parts.host.pool.statistics().closed == {counted: 1}


async def test_no_event_follows_the_goodbye() -> None:
    """While a client says goodbye, its session goes on; nothing follows a close frame (RFC 6455 §5.5.1)."""
    async with stage(agent=chatter) as parts:
        watcher = parts.socket()
        session_id = (await watcher.connect())["session_id"]
        await until_streaming(parts, watcher, session_id)
        for _ in range(10):
            client = parts.socket()
            await client.connect(session_id=session_id)
            await client.event("agent_token")
            await client.send(close(1000))
            while (found := await client.frame()).opcode == TEXT:
                pass
            assert found.opcode == 0x8
            assert await client.end() == b""
            await client.leave()


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (frame(TEXT, b"{}", mask=None), 1002),
        (frame(0x3, b""), 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (frame(0, b"x"), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(0x8, b"\0"), 1002),
        (close(1005), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(0x8, b"\x03\xe8\xff"), 1007),
    ],
)
async def test_what_breaks_the_websocket_protocol_is_told_so(broken: bytes, code: int) -> None:
    """A frame that is against RFC 6455 ends the connection with the code that the RFC has for it."""
    async with stage() as parts:
        client = parts.socket()
        await client.connect()
        await client.send(text("ping", timestamp=1) + broken)
        await client.event("pong")
        assert (await client.close_frame())[0] == code


async def test_when_the_registry_has_stopped_the_client_is_told() -> None:
    """A gateway that has lost its registry is stopping: whoever still asks is told that, not cut off."""
    async with stage() as parts:
        client = parts.memory()
        await client.connect(protocol=2)
        parts.backstage.cancel()
        await wait_all_tasks_blocked()
        await client.say("command", name="session.list", args=None)
        assert (await client.event())["type"] == "shutdown"
        assert await client.close_frame() == (1001, "the gateway stops")


junk_messages = st.sampled_from(
    [b"{}", b'{"type":"connect"}', b'{"Connect":{}}', b'{"type":"ping","timestamp":1}']
)


@settings(max_examples=40)
@given(
    frames=st.lists(
        st.builds(
            frame,
            st.sampled_from([TEXT, BINARY, PING, PONG, 0]),
            st.binary(max_size=125) | junk_messages,
            fin=st.booleans(),
        ),
        max_size=8,
    )
)
async def test_no_frame_is_a_fault_of_the_gateways(frames: list[bytes]) -> None:
    """Whatever frames come, the connection ends with a code of the protocol's, never with 1011."""
    async with stage() as parts:
        client = parts.memory()
        await client.upgrade()
        await client.send(*frames, close(1000))
        while (found := await client.frame()).opcode != 0x8:
            pass
        assert int.from_bytes(found.payload[:2], "big") in (1000, 1002, 1007)
        await client.leave()
        await parts.until_empty()


async def test_a_result_that_is_no_json_ends_nothing() -> None:
    """A tool that answers with what cannot be sent is a failure of the tool: the connection lives on."""

    class Odd:
        async def __call__(self, turn: Turn) -> None:
            return None

        async def call_tool(self, name: str, args: Json) -> Json:
            return {1: 2}

    async with stage(agent=Odd()) as parts:
        client = parts.memory()
        await client.connect(protocol=2)
        await client.say("command", name="odd", args=None)
        answer = await client.event("command_result")
        assert (answer["ok"], answer["error"]["code"]) == (False, "COMMAND_FAILED")


async def test_every_command_of_the_gateway_can_be_answered() -> None:
    """`gateway.stats`, too, after connections have ended: its counts are JSON."""
    async with stage() as parts:
        gone = parts.memory()
        await gone.connect()
        await gone.leave()
        await parts.until_empty()
        client = parts.memory()
        await client.connect(protocol=2)
        await client.say("command", name="gateway.stats", args=None)
        assert (await client.event("command_result"))["ok"]


async def test_broadcasts_reach_who_has_connected() -> None:
    """Before `connect` a socket hears nothing, whatever it has sent."""
    async with stage() as parts:
        stranger, member = parts.memory(), parts.memory()
        await stranger.upgrade()
        await member.connect(protocol=2)
        await parts.registry.ask(BroadcastEvent(AgentToken("", "news")))
        event: Event = await member.event()
        assert (event["token"], event["channel"], event["seq"]) == ("news", "*", 1)
        await is_alive(stranger)


# ── who it is ────────────────────────────────────────────────────────────────


async def test_a_blocked_address_is_told_when_to_come_back() -> None:
    """After too many wrong tokens the right one will not do either, for a while; nor is there a WebSocket."""
    config = GatewayConfig(auth_token="secret", max_failed_tokens=2, failed_tokens_block=30)
    async with stage(config) as parts:
        waiting = parts.memory()
        await waiting.upgrade()
        for _ in range(2):
            client = parts.memory()
            await client.upgrade()
            await client.say("connect", auth="wrong")
            assert await error(client) == "UNAUTHORIZED"
            assert await client.close_frame() == UNAUTHORIZED
        late = parts.memory()
        await late.send(head())
        assert (await late.answer()).startswith(b"HTTP/1.1 429 ")
        await waiting.say("connect", auth="secret")
        told = await waiting.event("error")
        assert (told["code"], told["retryable"]) == ("RATE_LIMITED", True)
        assert 29 <= told["retry_after"] <= 30
        assert (await waiting.close_frame())[0] == 1013
        assert parts.table.statistics().sessions == 0


async def somebody(credentials: Credentials) -> Principal | None:
    """A token is its user's name."""
    return Principal(credentials.token, frozenset({Scope.CHAT})) if credentials.token else None


async def test_a_second_connect_may_be_somebody_elses() -> None:
    """They get what is theirs, and leave what is not."""
    async with stage(authenticate=somebody) as parts:
        client = parts.memory()
        first = await client.connect(auth="ann")
        await client.say("connect", auth="bob", session_id=first["session_id"])
        second = await client.event("connected")
        assert second["session_id"] != first["session_id"]
        [connection] = parts.connections
        assert connection.principal is not None
        assert connection.principal.user_id == "bob"


async def test_a_second_connect_that_is_refused_leaves_who_it_was() -> None:
    """It still watches the first one's session, and so it is still the first one."""
    async with stage(GatewayConfig(max_sessions=1), authenticate=somebody) as parts:
        client = parts.memory()
        await client.connect(auth="ann")
        await client.say("connect", auth="bob")
        assert await error(client) == "LIMIT_EXCEEDED"
        [connection] = parts.connections
        assert connection.principal is not None
        assert connection.principal.user_id == "ann"


# ── how much ─────────────────────────────────────────────────────────────────


async def test_more_messages_than_its_rate_are_refused(autojump_clock: MockClock) -> None:
    """Ten seconds' worth come at once; the others are told when to come again, and nothing is done."""
    async with stage(GatewayConfig(message_rate=1)) as parts:
        client = parts.memory()
        connected = await client.connect(protocol=2)
        for number in range(9):
            await client.say("ping", timestamp=number)
            await client.event("pong")
        chat = {"content": "hi", "session_id": connected["session_id"], "id": "m1"}
        for kind, fields in (
            ("chat", chat),
            ("command", {"name": "session.create", "args": {}, "id": "m2"}),
            ("ping", {"timestamp": 1}),
        ):
            await client.say(kind, **fields)
            told = await client.event("error")
            assert (told["code"], told["retryable"], told["retry_after"]) == ("RATE_LIMITED", True, 1.0)
            assert told.get("id") == fields.get("id")
        for junk in (frame(BINARY, b"x"), frame(TEXT, b"{")):
            await client.send(junk)
            assert await error(client) == "RATE_LIMITED"
        assert parts.table.statistics().sessions == 1
        await trio.sleep(1)
        await client.say("chat", **chat)
        assert (await client.event("chat_accepted"))["id"] == "m1"


async def test_a_new_rate_holds_for_live_connections(autojump_clock: MockClock) -> None:
    """Settings that are read anew are looked up at each message; 0 is no limit."""
    async with stage(GatewayConfig(message_rate=0)) as parts:
        client = parts.memory()
        await client.connect()
        for _ in range(50):
            await is_alive(client)
        parts.host.config = GatewayConfig(message_rate=0.1)
        await is_alive(client)
        await client.say("ping", timestamp=1)
        assert await error(client) == "RATE_LIMITED"
        parts.host.config = GatewayConfig(message_rate=0)
        await is_alive(client)


async def test_a_users_connections_share_a_rate(autojump_clock: MockClock) -> None:
    """Another's are none of theirs, and a new connection brings nothing new."""
    config = GatewayConfig(principal_message_rate=1)
    async with stage(config, authenticate=somebody) as parts:
        one, two, bob = (parts.memory() for _ in range(3))
        await one.connect(auth="ann")
        await two.connect(auth="ann")
        await bob.connect(auth="bob")
        for client in [one, two] * 5:
            await is_alive(client)
        for client in (one, two):
            await client.say("ping", timestamp=1)
            assert await error(client) == "RATE_LIMITED"
        await one.leave()
        again = parts.memory()
        await again.connect(auth="ann")
        await again.say("ping", timestamp=1)
        assert await error(again) == "RATE_LIMITED"
        await is_alive(bob)
