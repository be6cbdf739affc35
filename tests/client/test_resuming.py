"""A client and a real gateway, and between them a network that breaks."""

from __future__ import annotations

from functools import partial
from typing import Literal

import pytest
import trio
from hypothesis import given, settings, strategies as st

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.agents.echo import EchoAgent
from bamboo_gateway.client import (
    Client,
    ClientEvent,
    ClosedError,
    Disconnected,
    Reconnect,
    connect,
)
from bamboo_gateway.protocol import (
    AgentComplete,
    AgentStart,
    AgentToken,
    ChannelMessage,
    Connected,
    Gap,
    UserMessage,
)
from bamboo_gateway.protocol.messages import SessionEvent
from bamboo_gateway.storage.memory import MemoryStorage
from tests.client.peer import HANG
from tests.client.proxy import Cut, proxy
from tests.client.served import served

SOON = Reconnect(first_interval=0.001, max_interval=0.01, give_up_timeout=HANG)


async def read_until(client: Client, kind: type[ClientEvent], count: int = 1) -> list[ClientEvent]:
    """The events up to the *count*th of a *kind*."""
    events: list[ClientEvent] = []
    with trio.fail_after(HANG):
        while sum(isinstance(event, kind) for event in events) < count:
            events.append(await anext(client))
    return events


def said(events: list[ClientEvent]) -> str:
    """The text of the answer."""
    return "".join(event.token for event in events if isinstance(event, AgentToken))


def numbers(events: list[ClientEvent]) -> list[int]:
    """The places in the session's log, as they came."""
    return [
        event.seq
        for event in events
        if isinstance(event, SessionEvent) and event.seq is not None and event.channel is None
    ]


def answered(events: list[ClientEvent]) -> list[str | None]:
    """The ids of the chats whose turn is over."""
    asked = {event.run_id: event.id for event in events if isinstance(event, UserMessage)}
    return [asked[event.run_id] for event in events if isinstance(event, AgentComplete)]


# Enough bytes for the handshake and the greeting, at least now and then: else nobody gets anywhere.
cuts = st.builds(
    Cut,
    down_bytes=st.none() | st.integers(1, 4000),
    up_bytes=st.none() | st.integers(1, 800),
    is_reset=st.booleans(),
)


REPLAYS: list[Literal["exact", "merged"]] = ["exact", "merged"]


def check_numbers(events: list[ClientEvent], last: int, replay: str) -> None:
    """All up to *last* have come once and in order; joined tokens have the number of the last."""
    if replay == "exact":
        assert numbers(events) == list(range(1, last + 1))
    else:
        assert numbers(events) == sorted(set(numbers(events)))
        assert numbers(events)[-1] == last


@settings(max_examples=30)
@given(st.lists(cuts, max_size=30), st.sampled_from(REPLAYS))
async def test_an_answer_survives_every_cut(breaks: list[Cut], replay: Literal["exact", "merged"]) -> None:
    """Wherever connections break, the view is what the agent said: each event once, and in order."""
    async with (
        served() as (_, url),
        connect(url) as person,
        proxy(url, [Cut(), *breaks]) as network,
        connect(network.url, session_id=person.session_id, replay=replay, reconnect=SOON) as watcher,
    ):
        network.break_off()
        network.mend()
        await person.chat("/tokens 200")
        events = await read_until(watcher, AgentComplete)
    assert said(events) == "".join(f"{number} " for number in range(1, 201))
    check_numbers(events, 203, replay)  # the question, the start, the tokens and the end
    assert not any(isinstance(event, Gap) for event in events)


@pytest.mark.parametrize("replay", REPLAYS)
@pytest.mark.parametrize("down_bytes", [700, 900, 1500])
async def test_an_answer_survives_a_network_that_always_breaks(
    down_bytes: int, replay: Literal["exact", "merged"]
) -> None:
    """Each connection gets a little further, if it is only long enough for the greeting and an event."""
    async with (
        served() as (_, url),
        connect(url) as person,
        proxy(url, [Cut(), *[Cut(down_bytes)] * 1000]) as network,
        connect(network.url, session_id=person.session_id, replay=replay, reconnect=SOON) as watcher,
    ):
        network.break_off()
        network.mend()
        await person.chat("/tokens 60")
        events = await read_until(watcher, AgentComplete)
        assert watcher.statistics().reconnects > 0
    assert said(events) == "".join(f"{number} " for number in range(1, 61))
    check_numbers(events, 63, replay)


async def test_chats_sent_while_there_is_no_connection_are_answered_once_each() -> None:
    """In the order in which they were sent."""
    async with (
        served() as (_, url),
        proxy(url) as network,
        connect(network.url, reconnect=SOON) as client,
        trio.open_nursery() as nursery,
    ):
        network.break_off()
        await read_until(client, Disconnected)
        for text in ("one", "two", "three"):
            nursery.start_soon(partial(client.chat, text, chat_id=text))
            await trio.testing.wait_all_tasks_blocked()
        network.mend()
        events = await read_until(client, AgentComplete, 3)
    asked = [event for event in events if isinstance(event, UserMessage)]
    assert [(event.id, event.content) for event in asked] == [
        (text, text) for text in ("one", "two", "three")
    ]
    assert said(events) == "onetwothree"
    assert len([event for event in events if isinstance(event, AgentStart)]) == 3


@settings(max_examples=30)
@given(st.lists(cuts, max_size=20))
async def test_what_is_said_over_a_network_that_breaks_is_answered(breaks: list[Cut]) -> None:
    """Every chat is taken, in whichever direction and wherever its connection broke: it is sent again."""
    texts = [str(number) for number in range(8)]
    async with (
        served() as (_, url),
        proxy(url, [Cut(), *breaks]) as network,
        connect(network.url, reconnect=SOON) as client,
    ):
        network.break_off()
        network.mend()
        for text in texts:
            await client.chat(text, chat_id=text)
        events: list[ClientEvent] = []
        while not set(texts) <= set(answered(events)):
            events += await read_until(client, AgentComplete)
    assert [event.id for event in events if isinstance(event, UserMessage)] == texts
    assert answered(events) == texts
    assert numbers(events) == sorted(set(numbers(events)))


async def test_a_command_waits_for_the_connection_to_come_back() -> None:
    """And is answered as ever."""
    async with (
        served() as (_, url),
        proxy(url) as network,
        connect(network.url, reconnect=SOON) as client,
        trio.open_nursery() as nursery,
    ):
        network.break_off()
        await read_until(client, Disconnected)
        nursery.start_soon(read_until, client, Connected)
        nursery.start_soon(trio.lowlevel.checkpoint)
        network.mend()
        assert (await client.command("status"))["session_id"] == client.session_id


async def test_broadcasts_and_channels_are_resumed_as_the_session_is() -> None:
    """Each log has its cursor; what was said meanwhile comes once."""
    async with (
        served() as (gateway, url),
        proxy(url) as network,
        connect(network.url, reconnect=SOON) as client,
    ):
        await client.command("channel.create", {"name": "news"})
        await client.command("channel.join", {"name": "news"})
        await gateway.channels.publish("news", "n1")
        await gateway.broadcast(AgentToken("*", "b1"))
        await read_until(client, AgentToken)
        network.break_off()
        await gateway.channels.publish("news", "n2")
        await gateway.broadcast(AgentToken("*", "b2"))
        await gateway.channels.publish("news", "n3")
        network.mend()
        await read_until(client, Connected)
        await gateway.broadcast(AgentToken("*", "b3"))
        await gateway.channels.publish("news", "n4")
        events: list[ClientEvent] = []
        while len(events) < 5:
            events += [event for event in [await anext(client)] if isinstance(event, SessionEvent)]
    assert [event.content for event in events if isinstance(event, ChannelMessage)] == ["n2", "n3", "n4"]
    assert [event.token for event in events if isinstance(event, AgentToken)] == ["b2", "b3"]


async def test_a_log_that_no_longer_reaches_back_is_told_as_a_gap() -> None:
    """What is missing is named, and what is left follows it without a seam."""
    async with (
        served(log_max_events=20) as (_, url),
        connect(url) as person,
        proxy(url) as network,
        connect(network.url, session_id=person.session_id, replay="exact", reconnect=SOON) as watcher,
    ):
        await person.chat("hello")
        before = await read_until(watcher, AgentComplete)
        network.break_off()
        await person.chat("/tokens 100")
        await read_until(person, AgentComplete, 2)
        network.mend()
        events = await read_until(watcher, AgentComplete)
        assert watcher.statistics().gaps == 1
    [gap] = [event for event in events if isinstance(event, Gap)]
    assert gap.requested == numbers(before)[-1] + 1
    assert numbers(events) == list(range(gap.earliest, gap.latest + 1))
    assert len(numbers(events)) == 20


async def test_it_comes_back_to_a_gateway_that_was_restarted() -> None:
    """To its session, if the storage has kept it; the talk goes on there."""
    storage = MemoryStorage()
    async with trio.open_nursery() as nursery:
        first = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=EchoAgent(word_interval=0), storage=storage)
        [address] = await nursery.start(first.serve)
        async with connect(f"ws://{address}", reconnect=SOON) as client:
            session_id = client.session_id
            await client.chat("before")
            await read_until(client, AgentComplete)
            await first.stop()
            lost = (await read_until(client, Disconnected))[-1]
            assert lost == Disconnected(1001, "the gateway stops")
            second = Gateway(
                GatewayConfig(bind=str(address)), agent=EchoAgent(word_interval=0), storage=storage
            )
            await nursery.start(second.serve)
            await read_until(client, Connected)
            assert client.connected.resumed
            assert client.session_id == session_id
            await client.chat("after")
            assert said(await read_until(client, AgentComplete)) == "after"
            await second.stop()


async def test_it_comes_back_to_a_gateway_that_has_lost_everything() -> None:
    """In a new session, and says so."""
    async with trio.open_nursery() as nursery:
        first = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=EchoAgent(word_interval=0))
        [address] = await nursery.start(first.serve)
        async with connect(f"ws://{address}", reconnect=SOON) as client:
            session_id = client.session_id
            await client.chat("before")
            await read_until(client, AgentComplete)
            await first.stop()
            second = Gateway(GatewayConfig(bind=str(address)), agent=EchoAgent(word_interval=0))
            await nursery.start(second.serve)
            back = (await read_until(client, Connected))[-1]
            assert isinstance(back, Connected)
            assert not back.resumed
            assert client.session_id == back.session_id != session_id
            await client.chat("after")
            assert said(await read_until(client, AgentComplete)) == "after"
            await second.stop()


async def test_a_taken_session_is_not_taken_back() -> None:
    """4003: whoever was sent away stays away."""
    async with (
        served() as (_, url),
        connect(url, reconnect=SOON) as first,
        connect(url, session_id=first.session_id, exclusive=True) as second,
    ):
        with pytest.raises(ClosedError) as error:
            await read_until(first, Connected)
        assert error.value.code == 4003
        assert (await second.command("status"))["watchers"] == 1


async def test_a_client_that_was_exclusive_does_not_send_others_away_when_it_comes_back() -> None:
    """They came since then, and it was its own connection that broke."""
    async with (
        served() as (_, url),
        proxy(url) as network,
        connect(network.url, exclusive=True, reconnect=SOON) as first,
        connect(url, session_id=first.session_id, reconnect=None) as second,
    ):
        network.break_off()
        network.mend()
        await read_until(first, Connected)
        assert (await second.command("status"))["watchers"] == 2
