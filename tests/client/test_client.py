from __future__ import annotations

import pytest
import trio
from wsproto.events import TextMessage

from bamboo_gateway.client import (
    Client,
    ClientEvent,
    ClientLimits,
    ClosedError,
    ConnectError,
    NoReplyError,
    RefusedError,
    connect,
)
from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    ClientInfo,
    Connected,
    Shutdown,
    UserMessage,
)
from tests.client.peer import Peer, Script, peer, until_gone
from tests.client.served import TOKEN, served


async def read_until(client: Client, kind: type[ClientEvent]) -> list[ClientEvent]:
    """The events up to the first *kind*."""
    events: list[ClientEvent] = []
    async for event in client:
        events.append(event)
        if isinstance(event, kind):
            break
    return events


# ── with a gateway ───────────────────────────────────────────────────────────


async def test_connect_opens_a_session() -> None:
    """A client without a session is given a new one, and is told what the gateway holds it to."""
    async with served() as (gateway, url), connect(url) as client:
        assert isinstance(client.connected, Connected)
        assert client.session_id == client.connected.session_id
        assert not client.connected.resumed
        assert client.connected.limits == gateway.limits


async def test_connect_comes_back_to_a_session() -> None:
    """The session outlives the connection."""
    async with served() as (_, url):
        async with connect(url) as first:
            pass
        async with connect(url, session_id=first.session_id) as second:
            assert second.connected.resumed
            assert second.session_id == first.session_id


async def test_connect_says_who_it_is() -> None:
    """Those who watch a session see what a client says of itself."""
    async with served() as (_, url), connect(url, client=ClientInfo("test", "1")) as client:
        listed = await client.command("presence.list")
        assert [watcher["client"] for watcher in listed["watchers"]] == [{"name": "test", "version": "1"}]


async def test_connect_can_take_a_session_for_itself() -> None:
    """The one that was there is closed with 4003, and told so."""
    async with (
        served() as (_, url),
        connect(url) as first,
        connect(url, session_id=first.session_id, exclusive=True),
    ):
        with pytest.raises(ClosedError) as error:
            await read_until(first, Shutdown)
    assert error.value.code == 4003
    assert not error.value.reconnect


async def test_connect_shows_its_token() -> None:
    """The right token opens; a wrong one or none is a refusal with the gateway's code."""
    async with served(auth_token=TOKEN) as (_, url):
        async with connect(url, token=TOKEN):
            pass
        for wrong in ("wrong", None):
            with pytest.raises(RefusedError) as error:
                async with connect(url, token=wrong):
                    pass
            assert error.value.code == "UNAUTHORIZED"


async def test_connect_says_that_the_gateway_is_full() -> None:
    """The refusal says that it may pass."""
    async with served(max_connections=1) as (_, url), connect(url):
        with pytest.raises(RefusedError) as error:
            async with connect(url):
                pass
    assert error.value.code == "CAPACITY_EXCEEDED"
    assert error.value.retryable


async def test_a_chat_is_accepted_and_answered() -> None:
    """`chat` returns with the turn's id, and the answer comes as typed events."""
    async with served() as (_, url), connect(url) as client:
        accepted = await client.chat("hello there", chat_id="mine", metadata={"k": [1]})
        assert (accepted.id, accepted.session_id) == ("mine", client.session_id)
        events = await read_until(client, AgentComplete)
    said = next(event for event in events if isinstance(event, UserMessage))
    assert (said.id, said.run_id, said.metadata) == ("mine", accepted.run_id, {"k": [1]})
    assert "".join(event.token for event in events if isinstance(event, AgentToken)) == "hello there"


async def test_a_refused_chat_raises() -> None:
    """What the gateway does not take is an error of this call, and of nothing else."""
    async with served(max_queued_chats=0) as (_, url), connect(url) as client:
        await client.chat("/sleep 60")
        with pytest.raises(RefusedError) as error:
            await client.chat("and another")
        assert error.value.code == "QUEUE_FULL"
        await client.command("session.abort")


async def test_a_command_returns_its_result() -> None:
    """Of the gateway's own commands, and of the agent's tools."""
    async with served() as (_, url), connect(url) as client:
        assert (await client.command("status"))["session_id"] == client.session_id
        assert await client.command("echo", {"q": ["bamboo", None]}) == {"q": ["bamboo", None]}


async def test_a_command_can_mean_another_session() -> None:
    """`session_id` goes before the connection's own session."""
    async with served() as (_, url), connect(url) as one, connect(url) as other:
        found = await one.command("session.get", session_id=other.session_id)
        assert found["session_id"] == other.session_id


async def test_a_failed_command_raises() -> None:
    """The error carries the gateway's code."""
    async with served() as (_, url), connect(url) as client:
        with pytest.raises(RefusedError) as error:
            await client.command("no.such.thing")
        assert error.value.code == "UNKNOWN_COMMAND"


async def test_what_is_no_json_is_refused_before_it_is_sent() -> None:
    """The connection lives on."""
    async with served() as (_, url), connect(url) as client:
        with pytest.raises(InvalidMessageError):
            await client.command("echo", {"q": float("nan")})
        assert await client.command("echo", {"q": 1}) == {"q": 1}


async def test_many_requests_at_once_each_get_their_own_answer() -> None:
    """Tasks share a client."""
    answers: dict[int, object] = {}

    async def ask(client: Client, number: int) -> None:
        answers[number] = await client.command("echo", {"n": number})

    async with served() as (_, url), connect(url) as client, trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(ask, client, number)
    assert answers == {number: {"n": number} for number in range(20)}


async def test_who_does_not_want_to_come_back_is_told_of_the_end() -> None:
    """First the notice, then the end, for who iterates and for who asks."""
    async with served() as (gateway, url), connect(url, reconnect=None) as client:
        await gateway.stop()
        with pytest.raises(ClosedError) as error:
            await read_until(client, AgentToolComplete)
        assert error.value.code == 1001
        assert error.value.reconnect
        with pytest.raises(ClosedError):
            await client.command("status")


async def test_a_client_that_was_left_asks_for_nothing_more() -> None:
    """Behind its block, requests and iteration end at once."""
    async with served() as (_, url), connect(url) as client:
        pass
    for use in (client.command("status"), anext(client)):
        with pytest.raises(ClosedError, match="this client was closed"):
            await use


async def test_the_replay_can_be_asked_for_piece_by_piece() -> None:
    """`connect.replay` goes out as it is given."""
    heard: list[dict[str, object]] = []

    async def listen(the_peer: Peer) -> None:
        heard.append(await the_peer.greet())
        await the_peer.hear_close()

    async with peer(listen) as url, connect(url, replay="exact"):
        pass
    assert heard == [{"type": "connect", "protocol": 2, "replay": "exact"}]


async def test_statistics_count_what_came_and_what_waits() -> None:
    """What was not read yet, in events and bytes, and what was not answered."""

    async def say_two_things(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.say("pong", timestamp=1)
        await the_peer.say("gap", requested=1, earliest=3, latest=2, epoch="e", session_id="s")
        await the_peer.hear()
        await the_peer.say("pong", timestamp=2)
        await the_peer.hear_close()

    async with peer(say_two_things) as url, connect(url) as client, trio.open_nursery() as nursery:
        nursery.start_soon(client.chat, "hello")
        while client.statistics().events < 3:
            await trio.lowlevel.checkpoint()
        counted = client.statistics()
        assert (counted.gaps, counted.unacked, counted.reconnects) == (1, 1, 0)
        assert counted.buffered_events == 3
        assert counted.buffered_bytes > 100
        for _ in range(3):
            await anext(client)
        assert client.statistics().buffered_bytes == 0
        nursery.cancel_scope.cancel()


async def test_what_the_block_raises_is_raised_from_it() -> None:
    """No exception group stands around the error of whoever uses the client."""
    async with served() as (_, url):
        with pytest.raises(KeyError, match="mine"):
            async with connect(url):
                raise KeyError("mine")


# ── with a peer that is none ─────────────────────────────────────────────────


async def test_connect_asks_for_the_latest_protocol() -> None:
    """What it says first, word for word."""
    heard: list[dict[str, object]] = []

    async def listen(the_peer: Peer) -> None:
        heard.append(await the_peer.greet())
        await the_peer.hear_close()

    async with peer(listen) as url, connect(url, token="t", session_id="s"):
        pass
    assert heard == [{"type": "connect", "session_id": "s", "auth": "t", "protocol": 2}]


async def test_connect_wants_a_gateway_of_its_protocol() -> None:
    """In protocol 1 requests are not answered by id; an old gateway is refused with a clear word."""

    async def speak_protocol_1(the_peer: Peer) -> None:
        await the_peer.greet(protocol=None)
        await the_peer.hear_close()

    async with peer(speak_protocol_1) as url:
        with pytest.raises(ConnectError, match="speaks protocol 1, this client 2"):
            async with connect(url):
                pass


async def test_connect_passes_over_what_comes_before_the_answer() -> None:
    """A gateway may say something to everybody at any time."""

    async def say_something_first(the_peer: Peer) -> None:
        await the_peer.accept()
        await the_peer.say("shutdown", reason="soon")
        await the_peer.say("connected", session_id="s", protocol=2)
        await the_peer.hear_close()

    async with peer(say_something_first) as url, connect(url) as client:
        assert client.session_id == "s"


async def say_nothing(the_peer: Peer) -> None:
    """Let the client wait."""
    await until_gone(the_peer)


async def accept_and_say_nothing(the_peer: Peer) -> None:
    """Let it wait a little later."""
    await the_peer.accept()
    await the_peer.hear()
    await the_peer.hear_close()


@pytest.mark.parametrize("script", [say_nothing, accept_and_say_nothing])
async def test_connect_does_not_wait_for_ever(script: Script) -> None:
    """Whether the handshake or the greeting does not come, the deadline is one."""
    async with peer(script) as url:
        with pytest.raises(ConnectError, match=r"no answer from ws://.* within 0.05 seconds"):
            async with connect(url, limits=ClientLimits(connect_timeout=0.05)):
                pass


async def test_connect_tells_of_an_end_before_the_answer() -> None:
    """The peer's own reason comes through."""

    async def send_away(the_peer: Peer) -> None:
        await the_peer.accept()
        await the_peer.hear()
        await the_peer.close(1013, "come back later")

    async with peer(send_away) as url:
        with pytest.raises(ClosedError, match="1013, come back later"):
            async with connect(url):
                pass


async def test_a_request_that_is_not_answered_fails_in_time() -> None:
    """The error says how many unread events stand before the answer, for that is the likely cause."""

    async def say_other_things(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.hear()
        await the_peer.say("pong", timestamp=1)
        await the_peer.hear_close()

    limits = ClientLimits(reply_timeout=0.05)
    async with peer(say_other_things) as url, connect(url, limits=limits) as client:
        with pytest.raises(NoReplyError, match=r"within 0.05 seconds; 1 events wait to be read"):
            await client.command("status")


async def test_unread_events_hold_up_the_peer_and_not_the_memory() -> None:
    """Who does not iterate makes the gateway wait; who begins to gets everything, in order."""
    total = 200
    sent = 0

    async def flood(the_peer: Peer) -> None:
        nonlocal sent
        await the_peer.greet()
        for number in range(total):
            await the_peer.say("agent_token", session_id="s", token=f"{number} " + "x" * 100_000)
            sent = number + 1
        await the_peer.hear_close()

    limits = ClientLimits(max_buffered_bytes=500_000)
    async with peer(flood) as url, connect(url, limits=limits) as client:
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert sent < total
        for number in range(total):
            event = await anext(client)
            assert isinstance(event, AgentToken)
            assert event.token.startswith(f"{number} ")


@pytest.mark.parametrize("text", ["hello", '{"type":"no_such_event"}', '{"type":"pong","timestamp":"x"}'])
async def test_what_is_no_event_ends_the_connection(text: str) -> None:
    """A peer that speaks another language is not listened to any longer; the error quotes the misfit."""

    async def speak(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.say_event(TextMessage(text))
        await the_peer.hear_close()

    async with peer(speak) as url, connect(url) as client:
        with pytest.raises(ClosedError, match=r"1002, the peer sent what is no event: .+"):
            await anext(client)
        with pytest.raises(ClosedError, match="1002"):
            await client.command("status")


async def test_the_end_reaches_a_request_that_waits() -> None:
    """It does not wait for its timeout."""

    async def hang_up(the_peer: Peer) -> None:
        await the_peer.greet()
        assert (await the_peer.hear())["name"] == "status"
        await the_peer.close(1012, "restart")

    async with peer(hang_up) as url, connect(url, reconnect=None) as client:
        with pytest.raises(ClosedError, match="1012, restart"):
            await client.command("status")
