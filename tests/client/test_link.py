"""A client and a peer that a test plays: what is said over each connection, word for word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio

from bamboo_gateway.client import (
    Client,
    ClientEvent,
    ClientLimits,
    ClosedError,
    Disconnected,
    NoReplyError,
    Reconnect,
    RefusedError,
    connect,
)
from bamboo_gateway.client.endpoint import Endpoint
from bamboo_gateway.client.link import Link
from bamboo_gateway.client.nursery import open_background_nursery
from bamboo_gateway.client.wire import Door
from bamboo_gateway.protocol import AgentToken, Connect, Connected, Gap, Shutdown
from tests.client.peer import Message, Peer, Script, in_turn, peer, until_gone

SOON = Reconnect(first_interval=0.001, max_interval=0.01, give_up_timeout=None)

GREETING = {"epoch": "e1", "last_seq": 0}


async def read(client: Client, count: int) -> list[ClientEvent]:
    """The next events."""
    return [await anext(client) for _ in range(count)]


def saying(*events: tuple[str, dict[str, Any]], heard: list[Message], **greeting: object) -> Script:
    """Greet, say these events, and break off without a word."""

    async def play(the_peer: Peer) -> None:
        heard.append(await the_peer.greet(**GREETING | greeting))
        for kind, fields in events:
            await the_peer.say(kind, session_id="s", **fields)

    return play


async def stay(the_peer: Peer, *, heard: list[Message], **greeting: object) -> None:
    """Greet, and listen until the client leaves."""
    heard.append(await the_peer.greet(**GREETING | {"resumed": True} | greeting))
    await the_peer.hear_close()


def token(seq: int, text: str = "x") -> tuple[str, dict[str, Any]]:
    """A token to say."""
    return "agent_token", {"token": text, "seq": seq}


async def refuse(the_peer: Peer, code: str, **fields: object) -> None:
    """Answer `connect` with an error."""
    await the_peer.accept()
    await the_peer.hear()
    await the_peer.say("error", code=code, message="no", **fields)
    await the_peer.hear_close()


# ── what comes back ──────────────────────────────────────────────────────────


async def test_it_comes_back_and_says_how_far_it_had_read() -> None:
    """Session, epoch and cursors; the stream has the loss, the return, and each event once."""
    heard: list[Message] = []
    first = saying(token(1), token(2), ("agent_token", {"token": "b", "seq": 7, "channel": "*"}), heard=heard)
    second = saying(token(2), token(3), heard=heard, resumed=True, last_seq=4)
    third = partial(stay, heard=heard)
    async with peer(in_turn(first, second, third)) as url, connect(url, reconnect=SOON) as client:
        events = await read(client, 8)
        assert client.statistics().reconnects == 2
        assert client.connected.resumed
    lost = Disconnected(1006, "it broke off without a close frame")
    back = Connected("s", resumed=True, epoch="e1", last_seq=4, protocol=2)
    assert events == [
        *(AgentToken("s", "x", seq=seq) for seq in (1, 2)),
        AgentToken("s", "b", seq=7, channel="*"),
        lost,
        back,
        AgentToken("s", "x", seq=3),
        lost,
        Connected("s", resumed=True, epoch="e1", last_seq=0, protocol=2),
    ]
    back_with = {"type": "connect", "session_id": "s", "protocol": 2, "epoch": "e1", "channels": {"*": 7}}
    assert heard == [
        {"type": "connect", "protocol": 2},
        back_with | {"last_seq": 2},
        back_with | {"last_seq": 3},
    ]


async def test_who_has_read_nothing_comes_back_to_where_it_came_in() -> None:
    """`connected.last_seq` stands for what was before."""
    heard: list[Message] = []
    first = saying(heard=heard, last_seq=12)
    async with (
        peer(in_turn(first, partial(stay, heard=heard))) as url,
        connect(url, reconnect=SOON, token="t", exclusive=True, replay="exact") as client,
    ):
        await read(client, 2)
    assert heard[0] == {"type": "connect", "auth": "t", "protocol": 2, "exclusive": True, "replay": "exact"}
    assert heard[1] == {
        "type": "connect",
        "session_id": "s",
        "auth": "t",
        "protocol": 2,
        "last_seq": 12,
        "epoch": "e1",
        "replay": "exact",
    }


async def test_a_gap_is_told_and_moves_the_cursor() -> None:
    """And with it the epoch in which the client counts from there on."""
    heard: list[Message] = []
    gap = {"requested": 3, "earliest": 5, "latest": 6, "epoch": "e2"}
    first = saying(token(1), token(2), heard=heard)
    second = saying(("gap", gap), token(5), heard=heard, resumed=True, epoch="e2")
    async with (
        peer(in_turn(first, second, partial(stay, heard=heard))) as url,
        connect(url, reconnect=SOON) as client,
    ):
        events = await read(client, 6)
        assert client.statistics().gaps == 1
        await read(client, 2)
    assert events[4:] == [
        Gap(requested=3, earliest=5, latest=6, epoch="e2", session_id="s"),
        AgentToken("s", "x", seq=5),
    ]
    assert [(hello.get("last_seq"), hello.get("epoch")) for hello in heard] == [
        (None, None),
        (2, "e1"),
        (5, "e2"),
    ]


async def test_a_session_that_is_lost_is_told_and_another_one_begins() -> None:
    """The client speaks in the new one, and counts anew there."""
    heard: list[Message] = []
    first = saying(token(8), heard=heard)
    second = saying(heard=heard, session_id="t", resumed=False)
    async with (
        peer(in_turn(first, second, partial(stay, heard=heard, session_id="t"))) as url,
        connect(url, reconnect=SOON) as client,
    ):
        events = await read(client, 5)
        assert client.session_id == "t"
    assert events[2] == Connected("t", resumed=False, epoch="e1", last_seq=0, protocol=2)
    assert [(hello.get("session_id"), hello.get("last_seq")) for hello in heard] == [
        (None, None),
        ("s", 8),
        ("t", 0),
    ]


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013, 4002, 4004, 4005, 3999])
async def test_a_close_that_may_pass_brings_it_back(code: int) -> None:
    """As the table of close codes says; an unknown code is no reason to stay away."""
    heard: list[Message] = []

    async def close(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.close(code, "bye")

    async with (
        peer(in_turn(close, partial(stay, heard=heard))) as url,
        connect(url, reconnect=SOON) as client,
    ):
        assert (await read(client, 2))[0] == Disconnected(code, "bye")


@pytest.mark.parametrize("code", [1000, 1008, 1009, 4001, 4003, 4006])
async def test_a_close_that_would_only_come_again_ends_it(code: int) -> None:
    """Requests and iteration are told, and nobody connects again."""
    greeted = 0

    async def close(the_peer: Peer) -> None:
        nonlocal greeted
        await the_peer.greet()
        greeted += 1
        await the_peer.hear()
        await the_peer.close(code, "bye")

    async with peer(close) as url, connect(url, reconnect=SOON) as client:
        for use in (client.command("status"), anext(client), client.chat("more")):
            with pytest.raises(ClosedError, match=f"{code}, bye"):
                await use
    assert greeted == 1


# ── trying again ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "refusal",
    [
        partial(refuse, code="CAPACITY_EXCEEDED", retryable=True),
        partial(refuse, code="STORAGE_UNAVAILABLE", retryable=True),
        until_gone,
    ],
    ids=["full", "no storage", "no handshake"],
)
async def test_a_return_that_fails_for_now_is_tried_again(refusal: Script) -> None:
    """Nobody is told of attempts: it is lost once, and back once."""
    heard: list[Message] = []
    scripts = in_turn(saying(heard=heard), refusal, refusal, partial(stay, heard=heard))
    limits = ClientLimits(connect_timeout=0.5)
    async with peer(scripts) as url, connect(url, reconnect=SOON, limits=limits) as client:
        assert [type(event) for event in await read(client, 2)] == [Disconnected, Connected]
    assert len(heard) == 2


@pytest.mark.parametrize(("code", "closing"), [("UNAUTHORIZED", 4001), ("LIMIT_EXCEEDED", 1008)])
async def test_a_return_that_is_refused_for_good_ends_it(code: str, closing: int) -> None:
    """A token that was withdrawn meanwhile, say; the error has the gateway's word for it."""
    scripts = in_turn(saying(heard=[]), partial(refuse, code=code))
    async with peer(scripts) as url, connect(url, reconnect=SOON) as client:
        assert isinstance(await anext(client), Disconnected)
        with pytest.raises(ClosedError, match=f"{closing}, {code}: no") as error:
            await anext(client)
        assert not error.value.reconnect
        with pytest.raises(ClosedError, match=code):
            await client.command("status")


async def test_the_first_connection_is_tried_once() -> None:
    """Whoever starts a program wants to know at once that the gateway is full."""
    scripts = in_turn(partial(refuse, code="CAPACITY_EXCEEDED", retryable=True), until_gone)
    async with peer(scripts) as url:
        with pytest.raises(RefusedError, match="CAPACITY_EXCEEDED"):
            async with connect(url, reconnect=SOON):
                pass


@asynccontextmanager
async def linked(url: str, policy: Reconnect, *chances: float) -> AsyncIterator[Client]:
    """As `connect`, with these numbers in place of random ones."""
    limits = ClientLimits()
    link = Link(
        Door(Endpoint.parse(url), None, limits), Connect(protocol=2), policy, chance=iter(chances).__next__
    )
    async with open_background_nursery() as nursery:
        await nursery.start(link.run)
        yield Client(link, limits)


async def test_it_gives_up_in_the_end() -> None:
    """Whoever waits is told what was in the way the last time."""
    policy = Reconnect(first_interval=60.0, give_up_timeout=0.2)
    scripts = in_turn(saying(heard=[]), partial(refuse, code="CAPACITY_EXCEEDED", retryable=True))
    async with peer(scripts) as url, linked(url, policy, 0.0, 1.0) as client:
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                with pytest.raises(ClosedError, match="gave up"):
                    await client.chat("hello")

            nursery.start_soon(ask)
            assert isinstance(await anext(client), Disconnected)
            with pytest.raises(ClosedError, match=r"1013, CAPACITY_EXCEEDED: no; gave up after 0\.2 seconds"):
                await anext(client)
        with pytest.raises(ClosedError, match="gave up"):
            await client.command("status")


async def test_it_gives_up_in_the_midst_of_an_attempt() -> None:
    """A gateway that never answers does not lengthen the time."""
    policy = Reconnect(give_up_timeout=0.2)
    async with peer(in_turn(saying(heard=[]), until_gone)) as url, linked(url, policy, 0.0) as client:
        await anext(client)
        with pytest.raises(ClosedError, match=r"1006, it broke off .*; gave up after 0\.2 seconds"):
            await anext(client)


async def test_it_waits_before_the_first_attempt_too() -> None:
    """Else all clients of a gateway that restarts would come at the same moment."""
    scripts = in_turn(saying(heard=[]), partial(stay, heard=[]))
    async with peer(scripts) as url, linked(url, Reconnect(first_interval=0.2), 1.0) as client:
        began = trio.current_time()
        assert [type(event) for event in await read(client, 2)] == [Disconnected, Connected]
        assert trio.current_time() - began > 0.19


async def test_it_stays_away_for_as_long_as_the_gateway_asks() -> None:
    """A gateway that stops knows best when it is back."""
    heard: list[Message] = []

    async def stop(the_peer: Peer) -> None:
        await the_peer.greet()
        await the_peer.say("shutdown", reason="restart", retry_after=0.2)
        await the_peer.close(1001, "bye")

    async with (
        peer(in_turn(stop, partial(stay, heard=heard))) as url,
        connect(url, reconnect=SOON) as client,
    ):
        began = trio.current_time()
        assert [type(event) for event in await read(client, 3)] == [Shutdown, Disconnected, Connected]
        assert trio.current_time() - began > 0.19


async def test_a_return_that_is_cancelled_ends_the_client() -> None:
    """Whoever leaves the block does not wait for a pause to be over."""
    policy = Reconnect(first_interval=3600.0, max_interval=3600.0)
    async with peer(saying(heard=[])) as url, connect(url, reconnect=policy) as client:
        assert isinstance(await anext(client), Disconnected)


# ── requests ─────────────────────────────────────────────────────────────────


async def accept(the_peer: Peer, message: Message, session_id: str = "s") -> None:
    """Take a chat, or carry out a command."""
    if message["type"] == "chat":
        await the_peer.say("chat_accepted", session_id=session_id, run_id="r", id=message["id"])
    else:
        await the_peer.say("command_result", name=message["name"], ok=True, id=message["id"], result=1)


async def test_what_was_not_answered_is_sent_again() -> None:
    """With the same ids, in the same order, ahead of what is asked for meanwhile; each is answered once."""
    first: list[Message] = []
    second: list[Message] = []
    broken, may_answer = trio.Event(), trio.Event()

    async def say_nothing(the_peer: Peer) -> None:
        await the_peer.greet()
        first.extend([await the_peer.hear() for _ in range(3)])
        await accept(the_peer, first[1])

    async def answer(the_peer: Peer) -> None:
        broken.set()
        await may_answer.wait()
        await the_peer.greet(resumed=True)
        for _ in range(4):
            second.append(await the_peer.hear())
            await accept(the_peer, second[-1])
        await the_peer.hear_close()

    async with (
        peer(in_turn(say_nothing, answer)) as url,
        connect(url, reconnect=SOON) as client,
        trio.open_nursery() as nursery,
    ):
        for ask in (
            partial(client.chat, "one", chat_id="1"),
            partial(client.chat, "two", chat_id="2"),
            partial(client.command, "three"),
        ):
            nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
        await broken.wait()
        for text in ("4", "5"):
            nursery.start_soon(partial(client.chat, text, chat_id=text))
            await trio.testing.wait_all_tasks_blocked()
        assert client.statistics().unacked == 4
        may_answer.set()
    assert [message["id"] for message in first] == ["1", "2", first[2]["id"]]
    assert second == [first[0], first[2], *second[2:]]
    assert [message["id"] for message in second[2:]] == ["4", "5"]


async def test_in_a_new_session_chats_are_sent_to_that() -> None:
    """What was said is not lost with the session that it was said in."""
    heard: list[Message] = []

    async def say_nothing(the_peer: Peer) -> None:
        await the_peer.greet()
        heard.append(await the_peer.hear())

    async def answer(the_peer: Peer) -> None:
        await the_peer.greet(session_id="t")
        heard.append(await the_peer.hear())
        await accept(the_peer, heard[1], "t")
        await the_peer.hear_close()

    async with peer(in_turn(say_nothing, answer)) as url, connect(url, reconnect=SOON) as client:
        assert (await client.chat("hello")).session_id == "t"
    assert heard[1] == heard[0] | {"session_id": "t"}


async def test_whoever_waits_no_longer_has_nothing_sent_again() -> None:
    """A caller who was cancelled, and one whose time was over: one deadline for all connections."""
    heard: list[Message] = []
    broken, may_answer = trio.Event(), trio.Event()

    async def say_nothing(the_peer: Peer) -> None:
        await the_peer.greet()
        for _ in range(2):
            await the_peer.hear()

    async def answer(the_peer: Peer) -> None:
        broken.set()
        await may_answer.wait()
        await the_peer.greet(resumed=True)
        heard.append(await the_peer.hear())
        await accept(the_peer, heard[0])
        await the_peer.hear_close()

    limits = ClientLimits(reply_timeout=0.5)
    async with (
        peer(in_turn(say_nothing, answer)) as url,
        connect(url, reconnect=SOON, limits=limits) as client,
    ):
        with pytest.raises(NoReplyError, match=r"within 0\.5 seconds"):
            await client.command("late")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.chat, "cancelled")
            await broken.wait()
            nursery.cancel_scope.cancel()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.chat, "new")
            await trio.testing.wait_all_tasks_blocked()
            may_answer.set()
    assert [message["content"] for message in heard] == ["new"]


async def test_a_refused_request_is_not_sent_again() -> None:
    """No is an answer; the caller knows whether and when to try again."""

    async def refuse_it(the_peer: Peer) -> None:
        await the_peer.greet()
        chat = await the_peer.hear()
        fields = {"retryable": True, "retry_after": 1.5}
        await the_peer.say("error", code="STORAGE_UNAVAILABLE", message="no", id=chat["id"], **fields)

    async with (
        peer(in_turn(refuse_it, partial(stay, heard=[]))) as url,
        connect(url, reconnect=SOON) as client,
    ):
        with pytest.raises(RefusedError, match="STORAGE_UNAVAILABLE") as error:
            await client.chat("hello")
        assert (error.value.retryable, error.value.retry_after) == (True, 1.5)
        await read(client, 2)


async def test_unread_events_hold_up_the_return_and_not_the_memory() -> None:
    """A client that nobody reads does not go on to collect; who begins to read gets everything."""
    heard: list[Message] = []
    scripts = [saying(token(seq, "x" * 1000), heard=heard, resumed=True) for seq in range(1, 21)]
    limits = ClientLimits(max_buffered_bytes=3000)
    async with (
        peer(in_turn(*scripts, partial(stay, heard=heard))) as url,
        connect(url, reconnect=SOON, limits=limits) as client,
    ):
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert client.statistics().buffered_bytes <= 3000
        assert len(heard) < 5
        events = await read(client, 60)
    assert [event.seq for event in events if isinstance(event, AgentToken)] == list(range(1, 21))
