"""The effects of a session table, carried out in the simplest way, so that a test knows who heard what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import attrs

from bamboo_gateway.protocol.messages import Gap
from bamboo_gateway.session.effects import (
    CancelTurn,
    Close,
    Deliver,
    Dismiss,
    DropSession,
    Effect,
    Follow,
    SaveSession,
    Send,
    StartTurn,
    Unfollow,
    Watch,
)
from bamboo_gateway.session.log import Log
from bamboo_gateway.session.session import Session


@attrs.define
class Ear:
    """What one connection has heard of one log since it followed it."""

    log: Log
    after: int
    """Where it began."""
    heard: list[int] = attrs.field(factory=list)
    lost: list[int] = attrs.field(factory=list)
    """What it was told to be missing."""

    def listen(self) -> None:
        """Hear what is new."""
        cursor = max([self.after, *self.heard, *self.lost])
        chunk = self.log.read(cursor, max_bytes=1)
        while chunk.entries or chunk.missing:
            if chunk.missing:
                self.lost += range(chunk.missing[0], chunk.missing[1] + 1)
            self.heard += [entry.seq for entry in chunk.entries]
            chunk = self.log.read(max(*self.lost, *self.heard, 0, 0), max_bytes=1)


class Listeners:
    """Connections, agents and the storage, as far as the table's effects go."""

    def __init__(self) -> None:
        self.ears: dict[str, dict[str, Ear]] = {}
        """Connection → name of a log → what it heard of it."""
        self.sessions: dict[str, str] = {}
        """Connection → the session that it was greeted with."""
        self.gaps: list[Gap] = []
        self.agents: set[str] = set()
        """The turns whose agents run."""
        self.stored: dict[str, Session] = {}

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Carry out *effects* in order; then everybody listens."""
        for effect in effects:
            self._carry_out(effect)
        for ears in self.ears.values():
            for ear in ears.values():
                ear.listen()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case SaveSession(session):
                self.stored[session.id] = session
            case DropSession(session_id):
                del self.stored[session_id]
            case StartTurn(run_id=run_id):
                assert run_id not in self.agents
                self.agents.add(run_id)
            case CancelTurn(run_id):
                self.agents.remove(run_id)
            case Deliver(log, seq):
                log.show(seq)
            case Send(event=event):
                self.gaps += [event] if isinstance(event, Gap) else []
            case Watch() | Follow() | Unfollow() | Dismiss() | Close():
                self._point(effect)
            case _:
                assert_never(effect)

    def _point(self, effect: Watch | Follow | Unfollow | Dismiss | Close) -> None:
        connection_id = effect.connection_id
        match effect:
            case Watch(_, greeting, cursors):
                self.sessions[connection_id] = greeting.session_id
                self.ears[connection_id] = {log.name: Ear(log, after) for log, after in cursors}
            case Follow(_, log, after):
                assert log.name not in self.ears[connection_id]
                self.ears[connection_id][log.name] = Ear(log, after)
            case Unfollow(_, log):
                del self.ears[connection_id][log.name]
            case Dismiss():
                del self.ears[connection_id]
                del self.sessions[connection_id]
            case Close():
                assert connection_id not in self.ears, "who is closed was dismissed before"
