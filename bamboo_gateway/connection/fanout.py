"""
The registry's effects, carried out: entries of logs to who follows them, words to single connections, turns begun and
cancelled.

Each batch of effects ends in at most one write a connection, however much the
batch held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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
from ..session.log import Log
from ..turns import TurnRunner
from .connection import Connection
from .outbox import Outbox, Voice
from .pool import ConnectionPool

STRIDE = 64
"""Connections between two looks at the clock."""

MAX_HOLD = 0.003
"""Seconds for which fan-out may hold the event loop: ten thousand writes are 70 ms, and heartbeats should not wait so
long."""


class Fanout:
    """
    Knows which connection follows which log.

    Invariant: `_followers` and `_follows` are each other's reverse; a log that
    nobody follows is in neither.
    """

    def __init__(self, pool: ConnectionPool, turns: TurnRunner) -> None:
        self._pool = pool
        self._turns = turns
        self._followers: defaultdict[Log, dict[str, Connection]] = defaultdict(dict)
        self._follows: defaultdict[str, set[Log]] = defaultdict(set)
        self._touched: dict[Outbox, None] = {}
        self._held_since = 0.0

    async def carry_out(self, effects: Sequence[Effect]) -> None:
        """
        Carry out *effects* in order.

        Entries of one log that follow each other go out together: only an effect
        on a connection parts them.
        """
        self._held_since = trio.current_time()
        grown: dict[Log, int] = {}
        for effect in effects:
            if isinstance(effect, Deliver):
                grown[effect.log] = effect.seq
            elif carry_out := _CONNECTION_EFFECTS.get(type(effect)):
                await self._deliver(grown)
                carry_out(self, effect)
            elif isinstance(effect, StartTurn):
                self._turns.start(effect)
            elif isinstance(effect, CancelTurn):
                self._turns.cancel(effect.run_id)
        await self._deliver(grown)
        self._flush()

    async def _deliver(self, grown: dict[Log, int]) -> None:
        for log, seq in grown.items():
            after = log.visible_seq
            log.show(seq)
            followers = self._followers.get(log)
            if followers:
                await self._hand_out(log, after, list(followers.values()))
        grown.clear()

    async def _hand_out(self, log: Log, after: int, followers: list[Connection]) -> None:
        """What one connection misses while this yields it catches up with: its cursor then stands elsewhere."""
        chunk = log.read(after, max_bytes=_NO_BOUND)
        seq = log.visible_seq
        frames: dict[Voice, bytes] = {}
        for number, connection in enumerate(followers):
            outbox = connection.outbox
            if not chunk.missing and not outbox.behind:
                voice = outbox.voice
                if voice not in frames:
                    parts = [entry.frame(voice.dialect, voice.protocol) for entry in chunk.entries]
                    frames[voice] = b"".join(parts)
                outbox.offer(log, after, seq, frames[voice])
            self._touched[outbox] = None
            if number % STRIDE == STRIDE - 1 and trio.current_time() - self._held_since > MAX_HOLD:
                self._flush()
                await trio.lowlevel.checkpoint()
                self._held_since = trio.current_time()

    def _flush(self) -> None:
        for outbox in self._touched:
            outbox.flush()
        self._touched.clear()

    # ── single connections ───────────────────────────────────────────────────

    def _send(self, effect: Send) -> None:
        connection = self._pool.get(effect.connection_id)
        # Who comes and goes is no log's entry: a client that does not read may miss it, and ask `presence.list`.
        if connection and not (isinstance(effect.event, Presence) and connection.outbox.is_full):
            connection.outbox.push(connection.outbox.voice.frames(effect.event))
            self._touched[connection.outbox] = None

    def _watch(self, effect: Watch) -> None:
        self._unfollow_all(effect.connection_id)
        connection = self._pool.get(effect.connection_id)
        if connection:
            connection.greet(effect.greeting)
            for log, after in effect.cursors:
                self._follow(Follow(connection.id, log, after))

    def _follow(self, effect: Follow) -> None:
        connection = self._pool.get(effect.connection_id)
        if connection:
            connection.outbox.follow(effect.log, effect.after)
            self._followers[effect.log][connection.id] = connection
            self._follows[connection.id].add(effect.log)
            self._touched[connection.outbox] = None

    def _unfollow(self, effect: Unfollow) -> None:
        followers = self._followers.get(effect.log, {})
        connection = followers.pop(effect.connection_id, None)
        if connection:
            connection.outbox.unfollow(effect.log)
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


_NO_BOUND = 2**63
"""A batch is bounded by the registry's `BATCH_SIZE`."""

_CONNECTION_EFFECTS: Mapping[type, Callable[[Fanout, Any], None]] = {
    Send: Fanout._send,
    Watch: Fanout._watch,
    Follow: Fanout._follow,
    Unfollow: Fanout._unfollow,
    Dismiss: Fanout._dismiss,
    Close: Fanout._close,
}
