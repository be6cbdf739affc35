from __future__ import annotations

import datetime
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from trio.abc import Clock
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.connection.admission import Admission
from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.fanout import STRIDE, Fanout, FanoutStatistics
from bamboo_gateway.connection.outbox import FULL_BYTES, Outbox
from bamboo_gateway.connection.pool import ConnectionPool
from bamboo_gateway.journal import Journal
from bamboo_gateway.protocol.closing import CloseCode, Closing
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import (
    AgentToken,
    Chat,
    Connected,
    LoggedEvent,
    Pong,
    Presence,
    UserMessage,
)
from bamboo_gateway.registry import SessionRegistry
from bamboo_gateway.session.effects import (
    CancelTurn,
    Close,
    Deliver,
    Dismiss,
    DropSession,
    Effect,
    Follow,
    Send,
    StartTurn,
    Unfollow,
    Watch,
)
from bamboo_gateway.session.log import Log, LogLimits
from bamboo_gateway.session.session import Session
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn
from bamboo_gateway.turns import TurnRunner
from tests import plain_wire
from tests.connection.raw_client import HANG, FrameParser
from tests.connection.stage import stage

NOBODY = FanoutStatistics(logs=0, followers=0)


def new_log(name: str = "s", *, max_events: int = 1_000) -> Log:
    """A log with nothing in it."""
    return Log(name, "epoch", LogLimits(max_events, 10**7))


def grow(log: Log, *events: LoggedEvent | str) -> list[Effect]:
    """Append events; what the table wants done for it."""
    made = [AgentToken(log.name, event) if isinstance(event, str) else event for event in events]
    return [Deliver(log, log.append(event, ts=1)) for event in made]


@attrs.define
class Member:
    """A connection whose every write is one packet."""

    connection: Connection
    _sockets: tuple[socket.socket, socket.socket]

    @property
    def id(self) -> str:
        """Its id."""
        return self.connection.id

    def writes(self) -> list[list[plain_wire.Event]]:
        """The messages of each write that has arrived."""
        found: list[list[plain_wire.Event]] = []
        while True:
            try:
                packet = self._sockets[1].recv(10**6)
            except BlockingIOError:
                return found
            frames = FrameParser().feed(packet)
            found.append([plain_wire.read("tagged", frame.payload.decode()) for frame in frames])

    def heard(self) -> list[plain_wire.Event]:
        """All messages, however they were written."""
        return [event for write in self.writes() for event in write]

    def close(self) -> None:
        """Close both ends."""
        for each in self._sockets:
            each.close()


@attrs.define
class House:
    """A fan-out, its connections, and the turns that it begins."""

    pool: ConnectionPool
    turns: TurnRunner
    fanout: Fanout
    members: list[Member] = attrs.field(factory=list)

    def join(self, protocol: int = 2) -> Member:
        """One connection more, which follows nothing."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # A packet goes out whole or not at all, and one write may be somewhat over FULL_BYTES.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * FULL_BYTES)
        ours.setblocking(False)
        theirs.setblocking(False)
        connection = Connection(Outbox(ours.fileno()))
        connection.outbox.voice = attrs.evolve(connection.outbox.voice, protocol=protocol)
        connection.outbox.is_exact = True  # so that events can be counted
        self.pool.add(connection)
        self.members.append(Member(connection, (ours, theirs)))
        return self.members[-1]

    async def do(self, *effects: Effect) -> None:
        """Carry out."""
        await self.fanout.carry_out(effects)

    async def follow(self, log: Log, *members: Member) -> None:
        """Let *members* follow *log* from now on."""
        await self.do(*[Follow(member.id, log, log.last_seq) for member in members])


async def hang(turn: Turn) -> None:
    """An agent that never answers."""
    await trio.sleep_forever()


def new_house(agent: object = hang) -> House:
    """A fan-out without anybody."""
    journal = Journal(MemoryStorage())
    table_less = SessionRegistry(None, time.time, journal, None)  # type: ignore[arg-type]  # nobody asks it
    pool, turns = ConnectionPool(Admission()), TurnRunner(hang, table_less)
    return House(pool, turns, Fanout(pool, turns))


@pytest.fixture
def house() -> Iterator[House]:
    """A fan-out without anybody."""
    house = new_house()
    yield house
    for member in house.members:
        member.close()


def crowd(house: House, count: int) -> list[Connection]:
    """Connections without sockets: what they are given waits."""
    connections = [Connection(Outbox(None)) for _ in range(count)]
    for connection in connections:
        house.pool.add(connection)
    return connections


# ── entries of logs ──────────────────────────────────────────────────────────


async def test_a_batch_is_one_write_for_each_connection(house: House) -> None:
    """However many events, logs and words a batch holds, a connection is written to once."""
    one, other = new_log("one"), new_log("other")
    members = [house.join() for _ in range(5)]
    await house.follow(one, *members)
    await house.follow(other, *members[:3])
    await house.do(
        *grow(one, "a", "b"),
        *grow(other, "c"),
        Send(members[0].id, Pong(1)),
        *grow(one, "d"),
        *grow(other, "e"),
    )
    for member in members:
        assert len(member.writes()) == 1


async def test_everybody_gets_the_same_bytes(house: House) -> None:
    """A batch is encoded once for each way of speaking, and those who speak alike share it."""
    log = new_log()
    alike = crowd(house, 3)
    serde = crowd(house, 2)
    for connection in serde:
        connection.outbox.voice = attrs.evolve(connection.outbox.voice, dialect=Dialect.SERDE)
    await house.do(*[Follow(connection.id, log, 0) for connection in alike + serde])
    await house.do(*grow(log, "a", "b"))
    for group in (alike, serde):
        [frames] = group[0].outbox._waiting
        assert len(FrameParser().feed(frames)) == 2
        assert all(connection.outbox._waiting[0] is frames for connection in group)
    assert alike[0].outbox._waiting[0] != serde[0].outbox._waiting[0]


async def test_each_hears_it_in_its_own_way(house: House) -> None:
    """Dialect and protocol are the connection's; the event is the same."""
    log = new_log()
    old, new, serde = house.join(1), house.join(2), house.join(2)
    serde.connection.outbox.voice = attrs.evolve(serde.connection.outbox.voice, dialect=Dialect.SERDE)
    await house.follow(log, old, new, serde)
    await house.do(*grow(log, UserMessage("s", "hi"), "a"))
    assert [event["type"] for event in old.heard()] == ["agent_token"]
    assert [event["type"] for event in new.heard()] == ["user_message", "agent_token"]
    packet = serde._sockets[1].recv(10**6)
    assert [frame.payload[:16] for frame in FrameParser().feed(packet)] == [
        b'{"UserMessage":{',
        b'{"AgentToken":{"',
    ]


async def test_what_is_sent_keeps_its_place_among_the_events(house: House) -> None:
    """Words to a connection come after the events before them, and before the events after them."""
    log = new_log()
    member = house.join()
    await house.follow(log, member)
    await house.do(*grow(log, "a"), Send(member.id, Pong(1)), *grow(log, "b", "c"), Send(member.id, Pong(2)))
    [write] = member.writes()
    assert [event.get("token", event.get("timestamp")) for event in write] == ["a", 1, "b", "c", 2]


async def test_a_greeting_parts_the_old_log_from_the_new(house: House) -> None:
    """`Watch` moves a connection between two events of a batch: before it the old log, after it the new."""
    old, new = new_log("old"), new_log("new")
    member = house.join(1)
    await house.follow(old, member)
    watch = Watch(member.id, Connected("new", protocol=2), [(new, 0)])
    await house.do(
        *grow(old, "a"), *grow(new, "b"), watch, *grow(old, "c"), *grow(new, UserMessage("new", "d"))
    )
    [write] = member.writes()
    assert [(event["type"], event["session_id"]) for event in write] == [
        ("agent_token", "old"),
        ("connected", "new"),
    ]
    # What was in the new log before is read by the writer, and then what comes after it.
    assert member.connection.outbox.behind
    assert member.connection.outbox.refill()
    member.connection.outbox.write()
    assert [event["type"] for event in member.heard()] == ["agent_token", "user_message"]
    assert house.fanout.statistics() == FanoutStatistics(logs=1, followers=1)


async def test_whoever_is_behind_is_passed_over(house: House) -> None:
    """A stalled connection costs the others nothing: it is neither written to nor given events to keep."""
    log = new_log()
    stalled, live = house.join(), house.join()
    await house.follow(log, stalled, live)
    while not stalled.connection.outbox.behind:
        await house.do(*grow(log, "x" * 10_000))
        live.heard()
    waiting = stalled.connection.outbox.waiting_bytes
    for _ in range(10):
        await house.do(*grow(log, "x" * 10_000))
        assert len(live.writes()) == 1
    assert stalled.connection.outbox.waiting_bytes == waiting
    assert stalled.connection.outbox.lag >= 10


async def test_what_is_too_much_in_one_go_is_read_in_chunks(house: House) -> None:
    """A batch beyond `FULL_BYTES` is not put into anybody's memory whole."""
    log = new_log()
    member = house.join()
    await house.follow(log, member)
    await house.do(*grow(log, *["x" * 10_000] * (FULL_BYTES // 10_000 + 2)))
    assert member.connection.outbox.behind
    assert member.connection.outbox.waiting_bytes == 0
    assert member.writes() == []


async def test_a_batch_that_is_longer_than_its_log(house: House) -> None:
    """Those who are live get all of it: only what has been let out is cut, with the next event."""
    log = new_log(max_events=3)
    member = house.join()
    await house.follow(log, member)
    await house.do(*grow(log, *"abcdefgh"))
    assert [event["seq"] for event in member.heard()] == list(range(1, 9))
    await house.do(*grow(log, "i"))
    assert log.first_seq == 7


async def test_an_event_that_nobody_follows_becomes_visible(house: House) -> None:
    """Who comes later reads it from the log."""
    log = new_log()
    await house.do(*grow(log, "a"))
    assert log.visible_seq == 1
    assert house.fanout.statistics() == NOBODY


# ── coming and going ─────────────────────────────────────────────────────────


async def test_nobody_is_remembered_who_has_gone(house: House) -> None:
    """Whichever way connections stop following, in the end no log and no connection is held."""
    logs = [new_log(str(number)) for number in range(3)]
    members = [house.join() for _ in range(4)]
    for log in logs:
        await house.follow(log, *members)
    assert house.fanout.statistics() == FanoutStatistics(logs=3, followers=12)
    await house.do(*[Unfollow(members[0].id, log) for log in logs], Unfollow(members[0].id, logs[0]))
    assert house.fanout.statistics() == FanoutStatistics(logs=3, followers=9)
    await house.do(Dismiss(members[0].id), Dismiss(members[1].id), Dismiss(members[1].id))
    await house.do(Watch(members[2].id, Connected("x"), []))
    assert house.fanout.statistics() == FanoutStatistics(logs=3, followers=3)
    house.pool.remove(members[3].connection)
    await house.do(*grow(logs[0], "a"), Dismiss(members[3].id))
    assert house.fanout.statistics() == NOBODY
    assert not any(vars(house.fanout)[name] for name in ("_followers", "_follows", "_touched"))


async def test_whoever_is_gone_is_not_spoken_to(house: House) -> None:
    """Effects on a connection that has ended meanwhile are nothing, and leave nothing behind."""
    log = new_log()
    member = house.join()
    house.pool.remove(member.connection)
    await house.do(
        Watch(member.id, Connected("s"), [(log, 0)]),
        Follow(member.id, log, 0),
        Send(member.id, Pong(1)),
        Close(member.id, Closing(CloseCode.NORMAL, "")),
        *grow(log, "a"),
        Unfollow(member.id, log),
        Dismiss(member.id),
    )
    assert member.writes() == []
    assert member.connection.closing is None
    assert house.fanout.statistics() == NOBODY


async def test_a_connection_can_be_ended(house: House) -> None:
    """`Close` gives the connection its reason; what was sent with it has been written."""
    member = house.join()
    closing = Closing(CloseCode.SUPERSEDED, "")
    await house.do(Send(member.id, Pong(1)), Dismiss(member.id), Close(member.id, closing))
    assert member.heard() == [{"type": "pong", "timestamp": 1}]
    assert member.connection.closing is closing


async def test_presence_is_dropped_for_whoever_is_full(house: House) -> None:
    """Who comes and goes may be missed by a client that does not read; everything else waits for it."""
    member = house.join()
    outbox = member.connection.outbox
    outbox.behind = True
    presence = Presence(session_id="s", event="joined", connection_id="c", user_id="u", watchers=2)
    await house.do(Send(member.id, presence))
    before = outbox.waiting_bytes
    assert before > 0
    outbox.push(b"x" * FULL_BYTES)
    await house.do(Send(member.id, presence))
    assert outbox.waiting_bytes == before + FULL_BYTES
    await house.do(Send(member.id, Pong(1)))
    assert outbox.waiting_bytes > before + FULL_BYTES


async def test_a_broken_socket_harms_nobody(house: House) -> None:
    """A connection whose socket is gone raises nothing, and the others are served."""
    log = new_log()
    members = [house.join() for _ in range(3)]
    await house.follow(log, *members)
    members[1]._sockets[1].close()
    await house.do(*grow(log, "a"))
    await house.do(*grow(log, "b"))
    assert members[1].connection.outbox.broken
    for member in (members[0], members[2]):
        assert [event["token"] for event in member.heard()] == ["a", "b"]


# ── turns ────────────────────────────────────────────────────────────────────


async def test_turns_are_begun_and_cancelled(house: House) -> None:
    """`StartTurn` runs the agent in a task, `CancelTurn` ends it; other effects are not fan-out's."""
    now = datetime.datetime.now(datetime.UTC)
    start = StartTurn(Session("s", "u", now, now), "run", Chat("hi", "s"), ())
    async with trio.open_nursery() as nursery:
        await nursery.start(house.turns.run)
        await house.do(start, DropSession("s"))
        assert house.turns.statistics().running == 1
        await house.do(CancelTurn("run"), CancelTurn("unknown"))
        await wait_all_tasks_blocked()
        assert (house.turns.statistics().running, house.turns.statistics().aborted) == (0, 1)
        nursery.cancel_scope.cancel()


# ── the event loop ───────────────────────────────────────────────────────────


class TickingClock(Clock):
    """Every look at it is a hundredth of a second later: as if everything took its time."""

    def __init__(self) -> None:
        self._now = 0.0

    def start_clock(self) -> None:
        """Nothing to do."""

    def current_time(self) -> float:
        """Tick."""
        self._now += 0.01
        return self._now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """As if none of it were real."""
        return 0.0


@pytest.fixture
def ticking_clock() -> TickingClock:
    """For trio to run by."""
    return TickingClock()


@asynccontextmanager
async def counted() -> AsyncIterator[list[int]]:
    """How often another task gets to run meanwhile."""
    turns = [0]

    async def run() -> None:
        while True:
            turns[0] += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        yield turns
        nursery.cancel_scope.cancel()


async def test_a_long_fan_out_lets_others_run(house: House, ticking_clock: TickingClock) -> None:
    """Many followers of one log, many logs with a follower each, many effects: nobody waits for the end."""
    log = new_log()
    connections = crowd(house, STRIDE * 20)
    async with counted() as turns:
        await house.do(*[Follow(connection.id, log, 0) for connection in connections])
        assert turns[0] > 5
        turns[0] = 0
        await house.do(*grow(log, "a"))
        assert turns[0] > 10
        logs = [new_log(str(number)) for number in range(STRIDE * 15)]
        followed = zip(connections, logs, strict=False)
        await house.do(*[Follow(connection.id, log, 0) for connection, log in followed])
        turns[0] = 0
        await house.do(*[effect for log in logs for effect in grow(log, "b")])
        assert turns[0] > 10
    for connection in connections[: STRIDE * 15]:
        assert connection.outbox.waiting_bytes > 0


def catch_up(member: Member) -> None:
    """Be its writer until it is live."""
    outbox = member.connection.outbox
    while outbox.behind and outbox.refill():
        outbox.write()


async def catch_up_all(members: Sequence[Member]) -> None:
    """Be everybody's writer, and flush whenever it is least expected."""
    while True:
        for member in members:
            member.connection.outbox.flush()
            catch_up(member)
        await trio.lowlevel.checkpoint()


async def answer_some(members: Sequence[Member]) -> None:
    """Say something else to everybody."""
    for number, member in enumerate(members):
        member.connection.send(Pong(number))
        if number % STRIDE == 0:
            await trio.lowlevel.checkpoint()


async def end_some(house: House, members: Sequence[Member]) -> None:
    """End one after the other."""
    for member in members:
        house.pool.remove(member.connection)
        member.connection.outbox.break_off()
        await trio.lowlevel.checkpoint()


async def test_what_happens_while_a_fan_out_yields(house: House, ticking_clock: TickingClock) -> None:
    """
    Connections that end, answer, stall or catch up in the midst of a long fan-out.

    Each still hears every event once and in order, and a connection that has
    ended hears nothing any more.
    """
    log = new_log()
    members = [house.join() for _ in range(STRIDE * 3)]
    await house.follow(log, *members)
    ended, others = members[:5], members[5:]
    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(end_some, house, ended)
            nursery.start_soon(answer_some, others)
            nursery.start_soon(catch_up_all, others)
            for _ in range(5):
                await house.do(*grow(log, "a", "b"))
                await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
    for member in others:
        catch_up(member)
        assert [event["seq"] for event in member.heard() if "seq" in event] == list(range(1, 11))
    for member in ended:
        heard = [event["seq"] for event in member.heard()]
        assert heard == list(range(1, len(heard) + 1))
        assert len(heard) < 10


async def test_a_gap_comes_before_what_follows_it(house: House, ticking_clock: TickingClock) -> None:
    """What is sent with a greeting is not parted from it, even if somebody flushes meanwhile."""
    log = new_log()
    await house.do(*grow(log, *"abc"))
    members = [house.join() for _ in range(STRIDE * 3)]
    effects: list[Effect] = []
    for member in members:
        watch = Watch(member.id, Connected("s", protocol=2), [(log, 0)], is_exact=True)
        effects += [watch, Send(member.id, Pong(1)), Send(member.id, Pong(2))]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(catch_up_all, members)
        await house.do(*effects)
        nursery.cancel_scope.cancel()
    for member in members:
        catch_up(member)
        types = [event["type"] for event in member.heard()]
        assert types == ["connected", "pong", "pong", "agent_token", "agent_token", "agent_token"]


# ── the law ──────────────────────────────────────────────────────────────────


class FanoutMachine(RuleBasedStateMachine):
    """
    Connections that follow logs, stop, move, stall and end; logs that grow.

    Law: each hears, of each log that it follows, every event since it began to,
    once and in order; and fan-out remembers exactly who follows what.
    """

    def __init__(self) -> None:
        super().__init__()
        self.house = new_house()
        self.logs = [new_log(str(number)) for number in range(3)]
        self.owed: dict[tuple[str, str], int] = {}
        """By connection and log: the `seq` that was heard last."""

    def do(self, *effects: Effect) -> None:
        trio.run(self.house.do, *effects)

    def hear(self, member: Member) -> None:
        outbox = member.connection.outbox
        while outbox.behind and outbox.refill():
            outbox.write()
            self.judge(member)
        self.judge(member)

    def judge(self, member: Member) -> None:
        for event in member.heard():
            if event["type"] == "agent_token":
                key = (member.id, event["session_id"])
                assert event["seq"] == self.owed[key] + 1
                self.owed[key] = event["seq"]

    @rule()
    def joins(self) -> None:
        """Somebody connects."""
        if len(self.house.members) < 6:
            self.house.join()

    @rule(data=st.data(), number=st.integers(0, 2))
    def follows(self, data: st.DataObject, number: int) -> None:
        """Somebody follows a log, from now on."""
        if self.house.members:
            member, log = data.draw(st.sampled_from(self.house.members)), self.logs[number]
            if (member.id, log.name) not in self.owed:
                self.owed[member.id, log.name] = log.last_seq
                self.do(Follow(member.id, log, log.last_seq))

    @rule(data=st.data(), numbers=st.sets(st.integers(0, 2)))
    def moves(self, data: st.DataObject, numbers: set[int]) -> None:
        """Somebody follows other logs, in place of all that it did."""
        if self.house.members:
            member = data.draw(st.sampled_from(self.house.members))
            self.hear(member)
            self.forget(member)
            cursors = [(self.logs[number], max(0, self.logs[number].last_seq - 2)) for number in numbers]
            self.owed |= {(member.id, log.name): after for log, after in cursors}
            self.do(Watch(member.id, Connected("s", protocol=2), cursors, is_exact=True))

    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        """Somebody ends."""
        if self.house.members:
            member = data.draw(st.sampled_from(self.house.members))
            self.house.members.remove(member)
            self.house.pool.remove(member.connection)
            self.forget(member)
            self.do(Dismiss(member.id))
            member.close()

    def forget(self, member: Member) -> None:
        self.owed = {key: seq for key, seq in self.owed.items() if key[0] != member.id}

    @rule(numbers=st.lists(st.integers(0, 2), min_size=1, max_size=6), size=st.sampled_from([0, 10, 50_000]))
    def logs_grow(self, numbers: list[int], size: int) -> None:
        """A batch, of any logs in any order."""
        self.do(*[effect for number in numbers for effect in grow(self.logs[number], "x" * size)])

    @rule(data=st.data())
    def somebody_reads(self, data: st.DataObject) -> None:
        """Somebody reads all that there is."""
        if self.house.members:
            self.hear(data.draw(st.sampled_from(self.house.members)))

    @invariant()
    def remembers_who_follows(self) -> None:
        """Neither more nor less."""
        logs = {name for _, name in self.owed}
        assert self.house.fanout.statistics() == FanoutStatistics(len(logs), len(self.owed))

    def teardown(self) -> None:
        try:
            for member in self.house.members:
                self.hear(member)
                for log in self.logs:
                    assert self.owed.get((member.id, log.name), log.last_seq) == log.last_seq
        finally:
            for member in self.house.members:
                member.close()


TestFanoutMachine = FanoutMachine.TestCase
TestFanoutMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


async def test_nothing_is_followed_when_all_have_left() -> None:
    """In a whole gateway, too: logs are followed while somebody is there, and no longer."""
    async with stage() as parts:
        clients = [parts.memory() for _ in range(3)]
        session_id = (await clients[0].connect(protocol=2))["session_id"]
        for name in ("channel.create", "channel.join"):
            await clients[0].say("command", name=name, args={"name": "news"})
        await clients[0].event("command_result")
        await clients[0].event("command_result")
        await clients[1].connect(session_id=session_id)
        await clients[2].connect()
        assert parts.fanout.statistics() == FanoutStatistics(logs=4, followers=8)
        await clients[1].say("connect")
        await clients[1].event("connected")
        assert parts.fanout.statistics() == FanoutStatistics(logs=5, followers=7)
        for client in clients:
            await client.leave()
        await parts.until_empty()
        assert parts.fanout.statistics() == NOBODY
