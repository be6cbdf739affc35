"""The effects of a session table, carried out in the simplest way, so that a test knows who heard what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, assert_never

import attrs

from bamboo_gateway.protocol.messages import ChatAccepted, CommandResult, Gap
from bamboo_gateway.session.effects import (
    CancelTurn,
    Change,
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
from bamboo_gateway.session.log import Log
from bamboo_gateway.storage.memory import MemoryStorage
from tests.machines.drive import drive

_Order: TypeAlias = Send | Watch | Follow | Unfollow | Dismiss | Close | StartTurn | CancelTurn


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
        self.answers: list[tuple[str, ChatAccepted | CommandResult]] = []
        """Which connection was answered what, beside the replies."""
        self.agents: dict[str, StartTurn] = {}
        """The turns whose agents run, and what those were given."""
        self.storage = MemoryStorage()

    def crash(self) -> None:
        """All are gone but the storage."""
        self.ears.clear()
        self.sessions.clear()
        self.agents.clear()

    def carry_out(self, effects: Sequence[Effect]) -> None:
        """Commit what is to be stored, then carry out *effects* in order; then everybody listens."""
        drive(self.storage.commit([effect for effect in effects if isinstance(effect, Change)]))
        for effect in effects:
            if isinstance(effect, Deliver):
                effect.log.show(effect.entry.seq)
            elif not isinstance(effect, Change):
                self._carry_out(effect)
        for ears in self.ears.values():
            for ear in ears.values():
                ear.listen()

    def _carry_out(self, effect: _Order) -> None:
        match effect:
            case StartTurn(run_id=run_id):
                assert run_id not in self.agents
                self.agents[run_id] = effect
            case CancelTurn(run_id):
                self.agents.pop(run_id, None)  # one that is left to the next gateway has none
            case Send(connection_id, event):
                self.gaps += [event] if isinstance(event, Gap) else []
                if isinstance(event, ChatAccepted | CommandResult):
                    self.answers.append((connection_id, event))
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
