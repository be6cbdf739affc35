"""How clients connect, and what is foretold of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from tests.machines.clients.actor import Actor
from tests.machines.clients.model import SessionModel
from tests.machines.clients.record import Chosen, Record
from tests.machines.clients.stage import Stage
from tests.machines.clients.view import Span
from tests.machines.clients.world import TOKEN

EpochChoice = Literal["none", "true", "foreign"]


@attrs.frozen
class Wish:
    """How a client connects."""

    session: SessionModel | None
    """None: a new one."""
    protocol: int
    exclusive: bool = False
    last_seq: int | None = None
    epoch: EpochChoice = "none"
    channels: Mapping[str, int] = attrs.field(factory=dict)
    is_exact: bool = True
    """It wants each token by itself."""

    @property
    def cursors(self) -> Mapping[str, int]:
        """
        By the names of logs, those that the gateway heeds.

        A cursor into another log says nothing of a new session's; protocol 1 hears
        of channels only live.
        """
        channels = self.channels if self.protocol > 1 else {}
        if self.session is None or self.last_seq is None:
            return channels
        return {**channels, "session": self.last_seq}

    def fields(self, epoch: str) -> dict[str, object]:
        """Of the message, where *epoch* is the true one."""
        epochs = {"none": None, "true": epoch, "foreign": "another"}
        fields = {
            "auth": TOKEN,
            "session_id": self.session.id.value if self.session else "unknown",
            "protocol": self.protocol,
            "exclusive": self.exclusive,
            "last_seq": self.last_seq,
            "epoch": epochs[self.epoch],
            "replay": "exact" if self.is_exact else "merged",
            "channels": dict(self.channels),
        }
        return {name: value for name, value in fields.items() if value is not None}


def connect(stage: Stage, actor: Actor, wish: Wish) -> None:
    """A client connects, for the first time or to another session, or to the same one anew."""
    if stage.is_full and not actor.is_connected:
        stage.expect_no_seat(actor)
        actor.say(("connect", wish.fields(stage.world.epoch)))
        stage.finish(actor, 1013)
        return
    session = wish.session or stage.found()
    losers = _supersede(stage, actor, session) if wish.exclusive else []
    _foretell(stage, actor, session, wish, since=session.record.last_seq)
    actor.say(("connect", wish.fields(stage.world.epoch)))
    for loser in losers:
        stage.finish(loser, 4003)
    stage.settle()


def connect_amid(stage: Stage, actor: Actor, wish: Wish) -> None:
    """A client connects to a session while its turn goes on, and meets it nobody knows where."""
    assert wish.session is not None
    since = wish.session.record.last_seq
    actor.say(("connect", wish.fields(stage.world.epoch)))
    stage.world.agent.release(wish.session.id.value)
    wish.session.release()
    _foretell(stage, actor, wish.session, wish, since)
    stage.settle()


def _foretell(stage: Stage, actor: Actor, session: SessionModel, wish: Wish, since: int) -> None:
    """The session's log has grown to its end from *since* meanwhile."""
    is_new = actor.session is not session
    if is_new:
        stage.detach(actor)
    last_seq = Chosen(within=range(since, session.record.last_seq + 1))
    actor.view.expect(
        "connected",
        spans=[_span(log, wish, last_seq) for log in stage.logs_of(session)],
        session_id=session.id,
        connection_id=actor.connection_id,
        resumed=wish.session is not None,
        last_seq=last_seq,
        protocol=wish.protocol,
    )
    actor.session, actor.protocol, actor.is_connected = session, wish.protocol, True
    if is_new:
        stage.announce(actor, session, "joined")


def _supersede(stage: Stage, actor: Actor, session: SessionModel) -> list[Actor]:
    losers = [each for each in stage.watchers(session) if each is not actor]
    for loser in losers:
        loser.view.expect("error", spans=(), code="SUPERSEDED", session_id=session.id)
        loser.session = None
    return losers


def _span(log: Record, wish: Wish, now: Chosen) -> Span:
    """Where a connection begins to follow *log*; *now* is the last of the session's log when it does."""
    cursor = wish.cursors.get(log.name)
    if cursor is not None:
        is_honoured = wish.epoch != "foreign" and cursor <= log.last_seq
        return Span(log, cursor, is_honoured=is_honoured, is_exact=wish.is_exact)
    return Span(log, log.last_seq, begins=now if log.session_id else None, is_exact=wish.is_exact)
