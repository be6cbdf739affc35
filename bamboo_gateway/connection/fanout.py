"""
The registry's effects, carried out.

Entries of logs go to who follows them, words to single connections; turns are
begun and cancelled.

Each batch of effects ends in at most one write a connection, however much the
batch held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import trio

from ..protocol.messages import Presence
from ..session.effects import (
    CancelTurn,
    Close,
    Deliver,
    Dismiss,
    Effect,
    Follow,
    Send,
    StartTurn,
    Unfollow,
    Watch,
)
from ..session.log import Entry, Log
from ..turns import TurnRunner
from .deliveries import Deliveries
from .outbox import CHUNK_BYTES, Outbox, Voice
from .pool import ConnectionPool

STRIDE = 64
"""Steps (an effect, a connection's share of a log, a write) between two looks at the clock."""

MAX_HOLD = 0.003
"""Seconds for which fan-out may hold the event loop: ten thousand writes are 70 ms, too long for others."""


@attrs.frozen
class FanoutStatistics:
    """How much there is to hand out."""

    logs: int
    """Those that somebody follows."""
    followers: int
    """Of all logs together; a connection counts in each."""


class Fanout:
    """
    Knows which connection follows which log.

    Invariant: `_followers` and `_follows` are each other's reverse; a log that
    nobody follows is in neither.
    """

    def __init__(self, pool: ConnectionPool, turns: TurnRunner, deliveries: Deliveries | None = None) -> None:
        self._pool = pool
        self._turns = turns
        self._deliveries = deliveries or Deliveries()
        self._followers: defaultdict[Log, dict[str, Outbox]] = defaultdict(dict)
        self._follows: defaultdict[str, set[Log]] = defaultdict(set)
        self._touched: dict[Outbox, None] = {}
        self._held_since = 0.0
        self._steps = 0

    def statistics(self) -> FanoutStatistics:
        """Count who follows what."""
        assert sum(map(len, self._followers.values())) == sum(map(len, self._follows.values()))
        return FanoutStatistics(len(self._followers), sum(map(len, self._followers.values())))

    async def carry_out(self, effects: Sequence[Effect]) -> None:
        """
        Carry out *effects* in order.

        Entries of one log that follow each other go out together: only an effect
        on a connection parts them.
        """
        self._held_since = trio.current_time()
        grown: defaultdict[Log, list[Entry]] = defaultdict(list)
        for effect in effects:
            if isinstance(effect, Deliver):
                grown[effect.log].append(effect.entry)
                continue
            if not isinstance(effect, Send):  # what is sent after a `Watch` goes out with its greeting
                await self._breathe(1)
            if carry_out := _CONNECTION_EFFECTS.get(type(effect)):
                await self._deliver(grown)
                carry_out(self, effect)
            elif isinstance(effect, StartTurn):
                self._turns.start(effect)
            elif isinstance(effect, CancelTurn):
                self._turns.cancel(effect.run_id)
        await self._deliver(grown, is_all=len(grown) == 1 and not self._touched)
        await self._flush()

    async def _deliver(self, grown: dict[Log, list[Entry]], *, is_all: bool = False) -> None:
        """Hand out what has come to logs; *is_all*: it is one, and nothing else goes out."""
        for log, entries in grown.items():
            after = log.visible_seq
            log.show(entries[-1].seq)
            followers = self._followers.get(log)
            if not followers:
                continue
            if entries[0].seq != after + 1 or sum(len(entry.body) for entry in entries) > CHUNK_BYTES:
                # Of what is too much in one go everybody takes chunks, at a pace of their own.
                await self._let_read(list(followers.values()))
            else:
                await self._hand_out(log, after, entries, list(followers.values()), is_all=is_all)
        grown.clear()

    async def _hand_out(
        self, log: Log, after: int, entries: Sequence[Entry], followers: list[Outbox], *, is_all: bool
    ) -> None:
        """What a connection misses while this yields, it catches up with: its cursor stands elsewhere."""
        seq = entries[-1].seq
        voices: dict[Voice, bytes] = {}
        voice, frames = None, b""
        for start in range(0, len(followers), STRIDE):
            some = followers[start : start + STRIDE]
            for outbox in some:
                if outbox.voice is not voice:
                    voice = outbox.voice
                    if voice not in voices:
                        parts = [entry.frame(voice.dialect, voice.protocol) for entry in entries]
                        voices[voice] = b"".join(parts)
                    frames = voices[voice]
                if is_all:
                    outbox.offer_at_once(log, after, seq, frames)
                else:
                    outbox.offer(log, after, seq, frames)
                    self._touched[outbox] = None
            self._deliveries.offered += len(entries) * len(some)
            await self._breathe(len(some))

    async def _let_read(self, followers: list[Outbox]) -> None:
        for outbox in followers:
            outbox.miss()
            self._touched[outbox] = None
            await self._breathe(1)

    async def _flush(self) -> None:
        for outbox in self._touched:
            outbox.flush()
            await self._breathe(1)
        self._touched.clear()

    async def _breathe(self, steps: int) -> None:
        """Let the other tasks run, now and then."""
        self._steps += steps
        if self._steps >= STRIDE:
            self._steps = 0
            if trio.current_time() - self._held_since > MAX_HOLD:
                await trio.lowlevel.checkpoint()
                self._held_since = trio.current_time()

    # ── single connections ───────────────────────────────────────────────────

    def _send(self, effect: Send) -> None:
        connection = self._pool.get(effect.connection_id)
        # Who comes and goes is no log's entry: who does not read may miss it, and ask `presence.list`.
        if connection and not (isinstance(effect.event, Presence) and connection.outbox.is_full):
            connection.outbox.push(connection.outbox.voice.frames(effect.event))
            self._touched[connection.outbox] = None

    def _watch(self, effect: Watch) -> None:
        self._unfollow_all(effect.connection_id)
        connection = self._pool.get(effect.connection_id)
        if connection:
            connection.greet(effect.greeting, is_exact=effect.is_exact)
            self._touched[connection.outbox] = None  # it may follow nothing
            for log, after in effect.cursors:
                self._follow(Follow(connection.id, log, after))

    def _follow(self, effect: Follow) -> None:
        connection = self._pool.get(effect.connection_id)
        if connection:
            connection.outbox.deliveries = self._deliveries
            connection.outbox.follow(effect.log, effect.after)
            self._followers[effect.log][connection.id] = connection.outbox
            self._follows[connection.id].add(effect.log)
            self._touched[connection.outbox] = None

    def _unfollow(self, effect: Unfollow) -> None:
        followers = self._followers.get(effect.log, {})
        outbox = followers.pop(effect.connection_id, None)
        if outbox:
            outbox.unfollow(effect.log)
            self._follows[effect.connection_id].discard(effect.log)
        if not followers:
            self._followers.pop(effect.log, None)

    def _dismiss(self, effect: Dismiss) -> None:
        self._unfollow_all(effect.connection_id)

    def _unfollow_all(self, connection_id: str) -> None:
        for log in list(self._follows.get(connection_id, ())):
            self._unfollow(Unfollow(connection_id, log))
        self._follows.pop(connection_id, None)

    def _close(self, effect: Close) -> None:
        connection = self._pool.get(effect.connection_id)
        if connection:
            connection.close(effect.closing)


_CONNECTION_EFFECTS: Mapping[type, Callable[[Fanout, Any], None]] = {
    Send: Fanout._send,
    Watch: Fanout._watch,
    Follow: Fanout._follow,
    Unfollow: Fanout._unfollow,
    Dismiss: Fanout._dismiss,
    Close: Fanout._close,
}
