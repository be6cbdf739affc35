from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import attrs
import pytest
import trio
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from bamboo_gateway.connection.deliveries import DeliveryStatistics
from bamboo_gateway.connection.outbox import CHUNK_BYTES, FULL_BYTES, Outbox, Voice
from bamboo_gateway.protocol import codec, framing
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.messages import AgentToken, Error, Gap, LoggedEvent, Pong, UserMessage
from bamboo_gateway.session.log import Log, LogLimits
from tests import plain_wire
from tests.connection.raw_client import HANG, TEXT, FrameParser

SMALL_BUFFER = 4_096
"""Bytes asked of the kernel, which gives a little more; then a socket would block."""

LARGEST_EVENT = 3_000
"""Bytes of token text in the machine below."""


def new_log(
    name: str = "s", *, max_events: int = 1_000, max_bytes: int = 10**7, channel: str | None = None
) -> Log:
    """A log with nothing in it."""
    return Log(name, "epoch", LogLimits(max_events, max_bytes), channel=channel)


def grow(log: Log, size: int = 1, *, times: int = 1) -> None:
    """Let events be there and be visible."""
    for _ in range(times):
        log.append(AgentToken(log.name, "x" * size), ts=1)
        log.show(log.last_seq)


def pass_over(outbox: Outbox) -> None:
    """Give no frames of what has grown, as fan-out does where it is too much in one go."""
    outbox.miss()
    outbox.flush()


def offer(outbox: Outbox, log: Log, *events: LoggedEvent, at_once: bool = False) -> None:
    """Grow *log* by *events*, and hand them out as fan-out does; *at_once*: where nothing else goes out."""
    after = log.last_seq
    for event in events:
        log.append(event, ts=1)
    log.show(log.last_seq)
    voice = outbox.voice
    entries = log.read(after, 10**9).entries
    frames = b"".join(entry.frame(voice.dialect, voice.protocol) for entry in entries)
    if at_once:
        outbox.offer_at_once(log, after, log.last_seq, frames)
    else:
        outbox.offer(log, after, log.last_seq, frames)
        outbox.flush()


@attrs.define
class Peer:
    """The other end of an outbox's socket, and what came of it."""

    stream: socket.socket
    parser: FrameParser = attrs.field(factory=FrameParser)

    def read(self, most: int = 10**9) -> list[plain_wire.Event]:
        """The messages that are there by now, of *most* bytes."""
        events = []
        while most > 0:
            try:
                data = self.stream.recv(min(most, 65_536))
            except BlockingIOError:
                break
            most -= len(data)
            for frame in self.parser.feed(data):
                assert frame.opcode == TEXT
                events.append(plain_wire.read("tagged", frame.payload.decode()))
            if not data:
                break
        return events


@contextmanager
def wired(protocol: int = 2, *, is_exact: bool = True) -> Iterator[tuple[Outbox, Peer]]:
    """An outbox on a real socket with a small buffer; so that events can be counted, it joins no tokens."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        ours.setblocking(False)
        theirs.setblocking(False)
        outbox = Outbox(ours.fileno())
        outbox.voice = Voice(protocol=protocol)
        outbox.is_exact = is_exact
        yield outbox, Peer(theirs)


def write_on(outbox: Outbox) -> None:
    """Be the writer, for as long as the socket takes something."""
    while outbox.refill() and outbox.waiting_bytes:
        before = outbox.written_bytes
        outbox.write()
        if outbox.written_bytes == before:
            return


def exhaust(outbox: Outbox, peer: Peer) -> list[plain_wire.Event]:
    """Be the writer, and a peer that reads all, until the outbox is live."""
    events = peer.read()
    while outbox.behind:
        write_on(outbox)
        events += peer.read()
    return events


def is_live(outbox: Outbox) -> bool:
    """Is it caught up, by all that it says of itself?"""
    assert outbox.behind is outbox.behind
    return not outbox.behind


def pong(number: int) -> bytes:
    """An answer to a single connection."""
    return Voice().frames(Pong(number))


# ── live ─────────────────────────────────────────────────────────────────────


def test_a_live_connection_is_written_to_in_place() -> None:
    """What is offered to who is caught up lies in its socket when `flush` returns."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        offer(outbox, log, AgentToken("s", "a"), AgentToken("s", "b"))
        assert [event["token"] for event in peer.read()] == ["a", "b"]
        assert is_live(outbox)
        assert (outbox.waiting_bytes, outbox.lag, outbox.behind) == (0, 0, False)
        assert outbox.written_bytes > 0


def test_much_that_waits_goes_out_in_one_write() -> None:
    """However many frames were pushed, `flush` is one write: one packet, where writes are kept apart."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        outbox = Outbox(ours.fileno())
        for number in range(20):
            outbox.push(pong(number))
        outbox.flush()
        assert len(FrameParser().feed(theirs.recv(65_536))) == 20


def test_a_broadcast_is_written_in_one_step() -> None:
    """To who is live; who is not reads it from the log, and a full socket loses nothing."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        for number in range(3):
            offer(outbox, log, AgentToken("s", str(number)), at_once=True)
        assert [event["token"] for event in peer.read()] == ["0", "1", "2"]
        assert is_live(outbox)
        assert outbox.written_bytes > 0
        big = AgentToken("s", "x" * 60_000)
        sent = 3
        while not outbox.behind:
            offer(outbox, log, big, at_once=True)
            sent += 1
        offer(outbox, log, AgentToken("s", "last"), at_once=True)
        assert exhaust(outbox, peer)[-1]["seq"] == sent + 1
        assert is_live(outbox)


def test_what_is_not_flushed_is_not_sent() -> None:
    """`push` alone writes nothing: several of them share one write."""
    with wired() as (outbox, peer):
        outbox.push(pong(1))
        assert peer.read() == []
        outbox.flush()
        assert peer.read() == [{"type": "pong", "timestamp": 1}]


def test_more_frames_than_one_write_takes() -> None:
    """More frames than `writev` takes at once are still all sent, in order."""
    with wired() as (outbox, peer):
        for number in range(3_000):
            outbox.push(pong(number))
        outbox.flush()
        assert [event["timestamp"] for event in exhaust(outbox, peer)] == list(range(3_000))


def test_an_offer_that_does_not_fit_the_cursor_is_left_alone() -> None:
    """Frames from a place where the connection does not stand are not sent: it catches up by its cursor."""
    with wired() as (outbox, peer):
        log = new_log()
        grow(log)
        outbox.follow(log, 1)
        grow(log, times=2)
        outbox.offer(log, 2, 3, b"never sent")
        outbox.flush()
        assert not is_live(outbox)
        assert [event["seq"] for event in exhaust(outbox, peer)] == [2, 3]


def test_a_log_that_is_not_followed_says_nothing() -> None:
    """An offer of a log that the connection does not follow, or no longer, is dropped."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        outbox.unfollow(log)
        outbox.unfollow(log)  # twice is as good as once
        offer(outbox, log, AgentToken("s", "a"))
        assert is_live(outbox)
        assert peer.read() == []


# ── behind ───────────────────────────────────────────────────────────────────


def test_a_stalled_connection_costs_one_chunk() -> None:
    """While a client does not read, events wait in the log, not here; in the end it has them all."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        for _ in range(500):
            offer(outbox, log, AgentToken("s", "x" * 1_000))
            assert outbox.waiting_bytes <= CHUNK_BYTES + 2_000
        assert not is_live(outbox)
        assert outbox.lag > 400
        assert [event["seq"] for event in exhaust(outbox, peer)] == list(range(1, 501))
        assert is_live(outbox)
        offer(outbox, log, AgentToken("s", "live again"))
        assert [event["token"] for event in peer.read()] == ["live again"]
        assert is_live(outbox)


def test_a_full_outbox_takes_no_more_events() -> None:
    """What comes when too much waits is left in the log, even for who has not been found behind yet."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        frames = pong(0) * (FULL_BYTES // len(pong(0)))
        outbox.push(frames)
        assert outbox.waiting_bytes <= FULL_BYTES
        grow(log)
        outbox.offer(log, 0, 1, log.read(0, 1).entries[0].frame(Dialect.TAGGED, 2))
        outbox.push(frames)
        before = outbox.waiting_bytes
        assert (before > FULL_BYTES, outbox.lag) == (True, 0)
        grow(log)
        outbox.offer(log, 1, 2, log.read(1, 1).entries[0].frame(Dialect.TAGGED, 2))
        assert (outbox.waiting_bytes, outbox.lag) == (before, 1)
        outbox.flush()
        assert exhaust(outbox, peer)[-1]["seq"] == 2


def test_catching_up_with_many_logs_costs_one_chunk() -> None:
    """However many logs a client has fallen behind with, they are read a chunk at a time."""
    with wired() as (outbox, peer):
        logs = [new_log(str(number)) for number in range(10)]
        for log in logs:
            outbox.follow(log, 0)
            grow(log, 10_000, times=20)
        pass_over(outbox)
        heard = 0
        while not is_live(outbox):
            write_on(outbox)
            assert outbox.waiting_bytes < 2 * CHUNK_BYTES + 1_000
            heard += len(peer.read())
        assert heard == 200


def test_what_is_shared_is_not_copied() -> None:
    """The rest of a great frame that all connections share is a view of it, not a copy for each."""
    with wired() as (outbox, peer):
        frame = framing.text_frame(codec.encode(AgentToken("s", "x" * 1_000_000)))
        outbox.push(frame)
        outbox.flush()
        assert not is_live(outbox)
        [rest] = outbox._waiting
        assert isinstance(rest, memoryview)
        assert rest.obj is frame
        assert len(exhaust(outbox, peer)) == 1


def test_whoever_catches_up_is_told_of_a_gap() -> None:
    """When the log was cut while a client was behind, what is missing is said where it is missing."""
    with wired() as (outbox, peer):
        log = new_log(max_events=10)
        outbox.follow(log, 0)
        grow(log, times=5)
        pass_over(outbox)
        grow(log, times=15)
        events = exhaust(outbox, peer)
        assert outbox.deliveries.statistics() == DeliveryStatistics(live=0, caught_up=10, gaps=1)
        assert events[0] == {
            "type": "gap", "requested": 1, "earliest": 11, "latest": 20, "epoch": "epoch", "session_id": "s",
        }  # fmt: skip
        assert [event["seq"] for event in events[1:]] == list(range(11, 21))


def test_a_gap_of_a_channel_names_the_channel() -> None:
    """A gap says in which log it is."""
    with wired() as (outbox, peer):
        log = new_log("*", max_events=1, channel="*")
        outbox.follow(log, 0)
        grow(log, times=2)
        pass_over(outbox)
        [gap, event] = exhaust(outbox, peer)
        assert (gap["channel"], gap["requested"], "session_id" in gap) == ("*", 1, False)
        assert event["seq"] == 2


def test_a_gap_in_the_seeds_words() -> None:
    """Protocol 1 hears of a gap as an error, which its strict enum can parse."""
    with wired(protocol=1) as (outbox, peer):
        log = new_log(max_events=1)
        outbox.follow(log, 0)
        grow(log, times=2)
        pass_over(outbox)
        [gap, event] = exhaust(outbox, peer)
        assert (gap["type"], gap["code"]) == ("error", "GAP")
        assert event["seq"] == 2


def test_nobody_misses_what_was_not_yet_visible() -> None:
    """However small the log, what waits for its commit is not cut off it; nor does it count as lag."""
    with wired() as (outbox, peer):
        log = new_log(max_events=1)
        outbox.follow(log, 0)
        grow(log)
        for _ in range(3):
            log.append(AgentToken("s", "unseen"), ts=1)
        pass_over(outbox)
        assert [(event["type"], event["requested"]) for event in exhaust(outbox, peer)] == [("gap", 1)]
        assert outbox.lag == 0
        log.show(4)
        pass_over(outbox)
        assert [event["seq"] for event in exhaust(outbox, peer)] == [2, 3, 4]


def test_protocol_1_is_not_held_up_by_what_it_has_no_words_for() -> None:
    """Whole chunks of events of protocol 2 are passed over: the token behind them comes by itself."""
    with wired(protocol=1) as (outbox, peer):
        log = new_log()
        for _ in range(3):
            log.append(UserMessage("s", "x" * CHUNK_BYTES), ts=1)
        log.append(AgentToken("s", "answer"), ts=1)
        log.show(log.last_seq)
        outbox.follow(log, 0)
        outbox.flush()
        assert not is_live(outbox)
        assert [event["token"] for event in exhaust(outbox, peer)] == ["answer"]
        assert outbox.lag == 0


def test_a_busy_log_does_not_starve_another() -> None:
    """A client that never catches up with one log still hears the others."""
    with wired() as (outbox, peer):
        busy, quiet = new_log("busy", max_events=10_000), new_log("quiet")
        outbox.follow(busy, 0)
        outbox.follow(quiet, 0)
        grow(busy, times=1_000)
        grow(quiet)
        outbox.flush()
        events: list[plain_wire.Event] = []
        for _ in range(10):
            write_on(outbox)
            events += peer.read(20_000)
            grow(busy, times=500)
        assert "quiet" in [event["session_id"] for event in events]


def test_moving_to_another_log_while_behind() -> None:
    """Who stops following hears no more of it than what waits already, then only the other log."""
    with wired() as (outbox, peer):
        old, new = new_log("old"), new_log("new")
        outbox.follow(old, 0)
        grow(old, 1_000, times=200)
        grow(new, times=3)
        outbox.flush()
        write_on(outbox)
        outbox.unfollow(old)
        outbox.push(pong(0))
        outbox.follow(new, 1)
        outbox.flush()
        events = exhaust(outbox, peer)
        moved = next(number for number, event in enumerate(events) if event["type"] == "pong")
        assert {event["session_id"] for event in events[:moved]} == {"old"}
        assert [(event["session_id"], event["seq"]) for event in events[moved + 1 :]] == [
            ("new", 2),
            ("new", 3),
        ]


# ── broken sockets ───────────────────────────────────────────────────────────


def test_a_broken_socket_raises_nothing_into_fan_out() -> None:
    """A write to a socket whose peer is gone marks the outbox, and what comes after is dropped."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        peer.stream.close()
        for _ in range(3):
            offer(outbox, log, AgentToken("s", "x"))
            outbox.push(pong(1))
            outbox.flush()
        assert outbox.broken
        assert outbox.waiting_bytes == 0
        assert not outbox.is_full
        assert not outbox.refill()


def test_an_outbox_that_has_let_go_writes_to_nobody() -> None:
    """After `break_off` its descriptor may be another client's: nothing is written, whatever is pushed."""
    with wired() as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        outbox.push(pong(1))
        outbox.break_off()
        outbox.push(pong(2))
        offer(outbox, log, AgentToken("s", "x"))
        outbox.flush()
        assert peer.read() == []
        assert outbox.waiting_bytes == 0


async def test_breaking_off_wakes_everybody() -> None:
    """Whoever waits for room, for the end or for work learns that the socket is gone."""
    with wired() as (outbox, _):
        outbox.push(b"x" * (FULL_BYTES + 1))
        outbox.flush()
        with trio.fail_after(HANG):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(outbox.wait_room)
                nursery.start_soon(outbox.drain)
                await wait_all_tasks_blocked()
                outbox.break_off()
            await outbox.wakeup.receive()
        with pytest.raises(trio.BrokenResourceError):
            await outbox.send(pong(1))


async def test_a_write_to_a_broken_socket_raises_where_the_writer_waits() -> None:
    """`write_to` tells its task of the broken socket, at once and without spinning."""
    ours, theirs = trio.socket.socketpair()
    stream = trio.SocketStream(ours)
    outbox = Outbox(ours.fileno())
    outbox.push(pong(1))
    theirs.close()
    with trio.fail_after(HANG), pytest.raises(trio.BrokenResourceError):
        await outbox.write_to(stream)
    await trio.aclose_forcefully(stream)


# ── waiting ──────────────────────────────────────────────────────────────────


@asynccontextmanager
async def stalled() -> AsyncIterator[tuple[Outbox, Peer, trio.Nursery]]:
    """An outbox that is full, because its peer does not read."""
    with wired() as (outbox, peer):
        outbox.push(b"".join(pong(number) for number in range(30_000)))
        outbox.flush()
        assert outbox.is_full
        async with trio.open_nursery() as nursery:
            yield outbox, peer, nursery


async def test_who_answers_a_client_waits_until_it_reads() -> None:
    """`wait_room` and `send` return once less than `FULL_BYTES` waits, and not before."""
    async with stalled() as (outbox, peer, nursery):
        nursery.start_soon(outbox.wait_room)
        nursery.start_soon(outbox.send, pong(-1))
        await wait_all_tasks_blocked()
        write_on(outbox)
        while outbox.waiting_bytes > FULL_BYTES:
            await wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 2
            peer.read(SMALL_BUFFER)
            write_on(outbox)
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks
        assert not is_live(outbox)
        assert exhaust(outbox, peer)[-1] == {"type": "pong", "timestamp": -1}


async def test_drain_waits_for_the_last_byte_and_reads_no_log() -> None:
    """What waits is delivered, what lies in the logs is not: the goodbye must not take for ever."""
    async with stalled() as (outbox, peer, nursery):
        log = new_log()
        outbox.follow(log, 0)
        grow(log)
        nursery.start_soon(outbox.drain)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        events = exhaust(outbox, peer)
        assert len(events) == 30_000
        assert events[-1]["type"] == "pong"


async def test_a_stream_without_a_descriptor_is_never_live() -> None:
    """Over TLS, or in memory, the writer sends everything, in the same order."""
    ours, theirs = memory_stream_pair()
    outbox = Outbox(None)
    log = new_log()
    outbox.follow(log, 0)
    offer(outbox, log, AgentToken("s", "a"))
    outbox.push(pong(1))
    outbox.flush()
    assert not is_live(outbox)
    assert outbox.refill()
    await outbox.write_to(ours)
    assert not outbox.refill()
    frames = FrameParser().feed(bytes(await theirs.receive_some()))
    assert [plain_wire.read("tagged", frame.payload.decode())["type"] for frame in frames] == [
        "agent_token",
        "pong",
    ]
    assert outbox.written_bytes > 0


async def test_a_write_that_is_cancelled_in_the_midst_breaks_off() -> None:
    """Without a descriptor nobody knows how much of it has gone out, so nothing may follow it."""
    ours, _ = memory_stream_pair()
    outbox = Outbox(None)
    outbox.push(pong(1))
    with trio.CancelScope() as scope:
        scope.cancel()
        await outbox.write_to(ours)
    assert outbox.broken


def test_a_voice_says_what_its_protocol_and_dialect_can() -> None:
    """One event, four ways of speaking; what the seed's seven have no words for is not said."""
    error = Error("CODE", "text")
    assert b'{"type":"error"' in Voice().frames(error)
    assert b'{"Error":{"code"' in Voice(Dialect.SERDE, 2).frames(error)
    gap = Gap(requested=1, earliest=2, latest=3, epoch="e")
    assert b'"GAP"' in Voice(Dialect.SERDE, 1).frames(gap)
    assert b'{"Gap":' in Voice(Dialect.SERDE, 2).frames(gap)
    assert Voice().frames(UserMessage("s", "x")) == b""


def test_catching_up_joins_tokens() -> None:
    """Who was behind is sent neighbouring tokens of a turn as one; all else as it was, and live as it is."""
    with wired(is_exact=False) as (outbox, peer):
        log = new_log()
        outbox.follow(log, 0)
        for run, text in [("r1", "a"), ("r1", "b"), ("r2", "c"), ("r2", "d")]:
            log.append(AgentToken("s", text, run_id=run), ts=1)
        log.show(4)
        pass_over(outbox)
        told = [(event["seq"], event["token"], event["run_id"]) for event in exhaust(outbox, peer)]
        assert told == [(2, "ab", "r1"), (4, "cd", "r2")]
        offer(outbox, log, AgentToken("s", "e"), AgentToken("s", "f"))
        assert [(event["seq"], event["token"]) for event in peer.read()] == [(5, "e"), (6, "f")]


# ── the law ──────────────────────────────────────────────────────────────────


class OutboxMachine(RuleBasedStateMachine):
    """
    One connection on a real socket, its logs, and a peer that reads as it likes.

    Law: the peer reads whole frames; of each log the events that it was owed,
    each once and in order, or a gap that says exactly which are missing; and
    answers in the order in which they were given. Tokens that were joined bring
    all of the text, and the last number. Each token here says its number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stack = wired()
        self.outbox, self.peer = self.stack.__enter__()
        self.logs = [
            new_log(f"log {number}", max_events=limit) for number, limit in enumerate((5, 40, 1_000))
        ]
        self.cursors: dict[str, int] = {}
        """What the peer has read of each log that it follows."""
        self.answered = 0
        self.heard = 0
        self.largest_push = 0

    @initialize(numbers=st.sets(st.integers(0, 2)), is_exact=st.booleans())
    def begin(self, numbers: set[int], is_exact: bool) -> None:
        """Follow some logs."""
        self.outbox.is_exact = is_exact
        for number in numbers:
            self.follow(number)

    def follow(self, number: int) -> None:
        log = self.logs[number]
        if log.name not in self.cursors:
            self.outbox.follow(log, log.last_seq)
            self.cursors[log.name] = log.last_seq

    @rule(
        number=st.integers(0, 2),
        sizes=st.lists(st.integers(0, LARGEST_EVENT), min_size=1, max_size=8),
        at_once=st.booleans(),
    )
    def log_grows(self, number: int, sizes: list[int], *, at_once: bool) -> None:
        """Fan-out hands out a batch, or cannot, because the log has been cut in the midst of it."""
        log = self.logs[number]
        events = [numbered(log, ahead, size) for ahead, size in enumerate(sizes, start=1)]
        if len(events) < 5:
            offer(self.outbox, log, *events, at_once=at_once)
        else:
            for event in events:
                log.append(event, ts=1)
            log.show(log.last_seq)
            pass_over(self.outbox)

    @rule(number=st.integers(0, 2), size=st.integers(0, LARGEST_EVENT))
    def log_grows_unseen(self, number: int, size: int) -> None:
        """An event is appended and not yet committed."""
        self.logs[number].append(numbered(self.logs[number], 1, size), ts=1)

    @rule(count=st.integers(1, 200))
    def is_answered(self, count: int) -> None:
        """The client's own messages are answered."""
        frames = b"".join(pong(self.answered + number) for number in range(count))
        self.answered += count
        self.largest_push = max(self.largest_push, len(frames))
        if not self.outbox.is_full:
            self.outbox.push(frames)
            self.outbox.flush()
        else:
            self.answered -= count

    @precondition(lambda self: len(self.cursors) < 3)
    @rule(number=st.integers(0, 2))
    def joins(self, number: int) -> None:
        """The connection follows one log more, from now on."""
        log = self.logs[number]
        log.show(log.last_seq)
        self.follow(number)
        pass_over(self.outbox)

    @rule(number=st.integers(0, 2))
    def leaves(self, number: int) -> None:
        """The connection follows a log no longer, once what waits is read."""
        exhaust_into(self)
        self.outbox.unfollow(self.logs[number])
        self.cursors.pop(self.logs[number].name, None)

    @precondition(lambda self: self.outbox.behind)
    @rule()
    def writer_runs(self) -> None:
        """The writer gets a turn."""
        write_on(self.outbox)

    @rule(most=st.integers(1, 20_000))
    def peer_reads(self, most: int) -> None:
        """The peer reads a little."""
        self.judge(self.peer.read(most))

    @invariant()
    def memory_is_bounded(self) -> None:
        """No more waits than who answers may add, and a chunk."""
        assert self.outbox.waiting_bytes <= FULL_BYTES + CHUNK_BYTES + self.largest_push
        assert self.outbox.lag >= 0
        assert self.outbox.lag == 0 or self.outbox.may_lag
        assert self.outbox.behind or not self.outbox.waiting_bytes

    def judge(self, events: list[plain_wire.Event]) -> None:
        for event in events:
            match event["type"]:
                case "pong":
                    assert event["timestamp"] == self.heard
                    self.heard += 1
                case "gap":
                    name = event["session_id"]
                    assert event["requested"] == self.cursors[name] + 1
                    assert event["earliest"] > event["requested"]
                    self.cursors[name] = event["earliest"] - 1
                case "agent_token":
                    name = event["session_id"]
                    said = [int(part) for part in event["token"].replace("x", "").split()]
                    assert said == list(range(self.cursors[name] + 1, event["seq"] + 1))
                    assert len(said) == 1 or not self.outbox.is_exact
                    self.cursors[name] = event["seq"]
                case other:
                    raise AssertionError(other)

    def teardown(self) -> None:
        for log in self.logs:
            log.show(log.last_seq)
        pass_over(self.outbox)
        exhaust_into(self)
        assert {log.name: log.last_seq for log in self.logs if log.name in self.cursors} == self.cursors
        assert self.heard == self.answered
        assert self.peer.parser.rest == b""
        assert self.outbox.lag == 0
        self.stack.__exit__(None, None, None)


def numbered(log: Log, ahead: int, size: int) -> AgentToken:
    """A token that says which one of its log it is."""
    return AgentToken(log.name, f"{log.last_seq + ahead} {'x' * size}")


def exhaust_into(machine: OutboxMachine) -> None:
    """Let the peer read all that there is."""
    machine.judge(exhaust(machine.outbox, machine.peer))


TestOutboxMachine = OutboxMachine.TestCase
TestOutboxMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(max_examples=30)
@given(sizes=st.lists(st.integers(0, 70_000), min_size=1, max_size=12), most=st.integers(1_000, 100_000))
async def test_the_real_writer_delivers_whole_frames_in_order(sizes: list[int], most: int) -> None:
    """With trio's own waiting for the socket, too, all comes, once and in order, at any size and pace."""
    ours, theirs = trio.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    outbox, log, parser = Outbox(ours.fileno()), new_log(), FrameParser()
    outbox.voice = Voice(protocol=2)
    outbox.is_exact = True
    outbox.follow(log, 0)
    stream = trio.SocketStream(ours)
    heard: list[int] = []

    async def write() -> None:
        async for _ in outbox.wakeup:
            while outbox.refill():
                await outbox.write_to(stream)

    async def read() -> None:
        while len(heard) < len(sizes):
            frames = parser.feed(await theirs.recv(most))
            heard.extend(plain_wire.read("tagged", frame.payload.decode())["seq"] for frame in frames)
        nursery.cancel_scope.cancel()

    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            nursery.start_soon(read)
            for size in sizes:
                offer(outbox, log, AgentToken("s", "x" * size))
                await trio.lowlevel.checkpoint()
    assert heard == list(range(1, len(sizes) + 1))
    theirs.close()
    await trio.aclose_forcefully(stream)
