"""Who watches which session: attach, move, supersede, leave, end, and where each begins to read."""

from __future__ import annotations

from typing import Any

import pytest

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.closing import CloseCode, Closing
from bamboo_gateway.protocol.messages import (
    AgentToken,
    ChannelMessage,
    ClientInfo,
    Error,
    Gap,
    Presence,
    SessionEnded,
)
from bamboo_gateway.session.attachments import MAX_PRESENCE_WATCHERS
from bamboo_gateway.session.effects import Close, Dismiss, DropSession, SaveSession, Send
from bamboo_gateway.session.log import LogLimits
from bamboo_gateway.session.requests import (
    OPERATOR,
    AppendEvent,
    BroadcastEvent,
    CreateChannel,
    DeleteSession,
    Detach,
    JoinChannel,
    SendToChannel,
)
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    EPOCH,
    NOW,
    Watched,
    ask,
    attach,
    caller,
    greeting,
    handle,
    new_table,
    snapshot,
    told,
)


def presence(event: Any, connection_id: str, watchers: int, **fields: Any) -> Presence:
    """Somebody came to session s1, or went."""
    return Presence(
        session_id="s1",
        event=event,
        connection_id=connection_id,
        user_id="ann",
        watchers=watchers,
        **fields,
    )


def only(effects: list[object], *kinds: type) -> list[object]:
    """Those of the given kinds."""
    return [effect for effect in effects if isinstance(effect, kinds)]


# ── coming and going ─────────────────────────────────────────────────────────


def test_a_connection_founds_a_session_and_watches_it() -> None:
    """It is greeted, follows the session and the broadcasts from their ends, and the session is saved."""
    table = new_table()
    effects = told(table, attach())
    assert effects == [
        Watched("c1", greeting(), {"s1": 0, "*": 0}),
        SaveSession(snapshot(table)),
    ]
    assert snapshot(table).connections == (handle(),)


def test_a_second_one_watches_beside_it() -> None:
    """Both have the whole stream; the one that was there is told who came, and the newcomer is not."""
    table = new_table()
    ask(table, attach())
    client = ClientInfo("phone", "1")
    effects = told(table, attach("s1", handle("c2", client=client)))
    assert effects == [
        Watched("c2", greeting(connection_id="c2", resumed=True), {"s1": 0, "*": 0}),
        SaveSession(snapshot(table)),
        Send("c1", presence("joined", "c2", 2, client=client)),
    ]


def test_it_moves_cleanly_to_another_session() -> None:
    """It leaves the one before it follows the other, and both sessions know."""
    table = new_table()
    ask(table, attach())
    ask(table, attach("s1", handle("c2")))
    effects = told(table, attach(None, handle("c2"), new_session_id="s2"))
    assert effects == [
        SaveSession(snapshot(table, "s1")),
        Send("c1", presence("left", "c2", 1)),
        Watched("c2", greeting("s2", "c2"), {"s2": 0, "*": 0}),
        SaveSession(snapshot(table, "s2")),
    ]
    assert snapshot(table, "s1").connections == (handle("c1"),)


def test_to_connect_again_is_to_read_again() -> None:
    """A second `connect` to the same session is greeted anew, and nobody has come or gone."""
    table = new_table()
    ask(table, attach())
    ask(table, attach("s1", handle("c2")))
    ask(table, AppendEvent("s1", AgentToken("s1", "a")))
    changed = handle("c2", client=ClientInfo("renamed"))
    effects = told(table, attach("s1", changed, last_seq=0))
    assert effects == [
        Watched("c2", greeting(connection_id="c2", resumed=True, last_seq=1), {"s1": 0, "*": 0}),
        SaveSession(snapshot(table)),
    ]
    assert snapshot(table).connections == (handle("c1"), changed)


def test_it_leaves() -> None:
    """It follows nothing any more; the others are told, and the session is saved with the time."""
    table = new_table()
    ask(table, attach())
    ask(table, attach("s1", handle("c2")))
    effects = told(table, Detach("c1"), NOW + 5)
    after = snapshot(table)
    assert effects == [SaveSession(after), Send("c2", presence("left", "c1", 1)), Dismiss("c1")]
    assert after.last_activity.timestamp() == NOW + 5
    assert ask(table, Detach("c1")) is False


def test_an_old_end_never_detaches_a_newer_connection() -> None:
    """Whatever comes late from a connection that is gone, or has moved, hits nobody else."""
    table = new_table()
    ask(table, attach(None, handle("old")))
    ask(table, attach("s1", handle("new")))
    assert ask(table, Detach("old")) is True
    assert told(table, Detach("old")) == []
    assert [each.id for each in snapshot(table).connections] == ["new"]
    ask(table, attach(None, handle("new"), new_session_id="s2"))
    assert ask(table, Detach("new", "s1")) is False
    assert snapshot(table, "s2").connections == (handle("new"),)
    assert ask(table, Detach("new", "s2")) is True


def test_a_session_s_end_is_told_to_its_watchers() -> None:
    """They stay open, watch nothing, and may connect to another session."""
    table = new_table()
    ask(table, attach())
    ask(table, attach("s1", handle("c2")))
    assert told(table, DeleteSession(caller(), None)) == [
        Send("c1", SessionEnded("s1", "the session was deleted")),
        Dismiss("c1"),
        Send("c2", SessionEnded("s1", "the session was deleted")),
        Dismiss("c2"),
        DropSession("s1"),
    ]
    assert only(told(table, attach("s1", new_session_id="s2")), Watched) == [
        Watched("c1", greeting("s2"), {"s2": 0, "*": 0})
    ]


# ── exclusive ────────────────────────────────────────────────────────────────


def test_an_exclusive_connection_supersedes_the_others() -> None:
    """They are told why, follow nothing, and are closed with 4003; presence would be for nobody."""
    table = new_table()
    ask(table, attach())
    ask(table, attach("s1", handle("c2")))
    effects = told(table, attach("s1", handle("c3"), exclusive=True))
    reason = "a newer connection took the session for itself"
    superseded = [
        effect
        for connection_id in ("c1", "c2")
        for effect in (
            Send(connection_id, Error(ErrorCode.SUPERSEDED, reason, session_id="s1")),
            Dismiss(connection_id),
            Close(connection_id, Closing(CloseCode.SUPERSEDED, reason)),
        )
    ]
    assert effects == [
        *superseded,
        Watched("c3", greeting(connection_id="c3", resumed=True), {"s1": 0, "*": 0}),
        SaveSession(snapshot(table)),
    ]
    assert snapshot(table).connections == (handle("c3"),)
    assert ask(table, Detach("c1")) is False


def test_a_watcher_can_make_itself_exclusive() -> None:
    """It does not supersede itself, and with no other it supersedes nobody."""
    table = new_table()
    ask(table, attach())
    assert only(told(table, attach("s1", exclusive=True)), Close) == []
    ask(table, attach("s1", handle("c2")))
    closed = only(told(table, attach("s1", exclusive=True)), Close)
    assert [effect.connection_id for effect in closed if isinstance(effect, Close)] == ["c2"]


# ── where each begins to read ────────────────────────────────────────────────


@pytest.fixture
def table() -> SessionTable:
    """A session of five events, of which the first two are gone, and a channel of one, and one broadcast."""
    table = new_table(log=LogLimits(3, 100_000))
    ask(table, attach())
    for number in range(5):
        ask(table, AppendEvent("s1", AgentToken("s1", str(number))))
    ask(table, CreateChannel(OPERATOR, "news"))
    ask(table, JoinChannel(OPERATOR, "s1", "news"))
    ask(table, SendToChannel(ChannelMessage("news", "hello")))
    ask(table, BroadcastEvent(AgentToken("s1", "all")))
    return table


def resumed(table: SessionTable, *, protocol: int = 2, **fields: Any) -> tuple[dict[str, int], list[Gap]]:
    """Where a second connection begins, and the gaps that it is told of."""
    effects = told(table, attach("s1", handle("c2", protocol=protocol), **fields))
    [watched] = only(effects, Watched)
    gaps = [effect.event for effect in only(effects, Send) if isinstance(effect, Send)]
    assert isinstance(watched, Watched)
    return watched.cursors, [gap for gap in gaps if isinstance(gap, Gap)]


@pytest.mark.parametrize("epoch", [None, EPOCH])
@pytest.mark.parametrize(("last_seq", "begins"), [(None, 5), (5, 5), (4, 4), (2, 2), (1, 1), (0, 0)])
def test_it_begins_at_its_cursor(
    table: SessionTable, last_seq: int | None, begins: int, epoch: str | None
) -> None:
    """Without one it begins now; what has been cut off behind the cursor the log tells when it is read."""
    cursors, gaps = resumed(table, last_seq=last_seq, epoch=epoch)
    assert cursors == {"s1": begins, "*": 1, "news": 1}
    assert gaps == []


@pytest.mark.parametrize(("last_seq", "epoch"), [(6, EPOCH), (6, None), (3, "older"), (0, "older")])
def test_a_cursor_that_means_nothing_here_is_a_gap(
    table: SessionTable, last_seq: int, epoch: str | None
) -> None:
    """One from the future or from another epoch: all there is is sent, and never is a hole left unsaid."""
    cursors, gaps = resumed(table, last_seq=last_seq, epoch=epoch)
    assert cursors == {"s1": 2, "*": 1, "news": 1}
    assert gaps == [Gap(requested=last_seq + 1, earliest=3, latest=5, epoch=EPOCH, session_id="s1")]


def test_channels_have_cursors_of_their_own(table: SessionTable) -> None:
    """Each channel that the session has joined is resumed by its name; any other name is nothing."""
    cursors, gaps = resumed(table, channels={"news": 0, "*": 7, "other": 1, "s1": 1})
    assert cursors == {"s1": 5, "*": 0, "news": 0}
    assert gaps == [Gap(requested=8, earliest=1, latest=1, epoch=EPOCH, channel="*")]


def test_protocol_1_follows_channels_only_live(table: SessionTable) -> None:
    """Its cursors count in the session alone."""
    assert resumed(table, protocol=1, last_seq=4, channels={"*": 0}) == ({"s1": 4, "*": 1, "news": 1}, [])


def test_a_new_session_has_nothing_that_could_be_missed(table: SessionTable) -> None:
    """A cursor into a session that is unknown says nothing of the one that is made instead."""
    effects = told(table, attach("gone", handle("c2"), new_session_id="s2", last_seq=9, epoch="older"))
    assert only(effects, Watched) == [
        Watched("c2", greeting("s2", "c2", channels={"*": 1}), {"s2": 0, "*": 1})
    ]
    assert only(effects, Send) == []


# ── presence ─────────────────────────────────────────────────────────────────


def test_protocol_1_is_told_of_nobody() -> None:
    """It has no word for who comes and goes; it is itself announced like any other."""
    table = new_table()
    ask(table, attach(None, handle("old", protocol=1)))
    assert only(told(table, attach("s1", handle("new"))), Send) == []
    assert only(told(table, Detach("old")), Send) == [Send("new", presence("left", "old", 1))]


def test_a_crowd_is_spared() -> None:
    """Up to so many watchers all are told of each other; beyond, nobody is."""
    table = new_table()
    ask(table, attach())
    for number in range(2, MAX_PRESENCE_WATCHERS):
        ask(table, attach("s1", handle(f"c{number}")))
    last = told(table, attach("s1", handle("last")))
    assert len(only(last, Send)) == MAX_PRESENCE_WATCHERS - 1
    assert only(told(table, attach("s1", handle("more"))), Send) == []
    assert only(told(table, attach("s1", handle("still more"))), Send) == []
    assert only(told(table, Detach("more")), Send) == []
    assert len(only(told(table, Detach("still more")), Send)) == MAX_PRESENCE_WATCHERS
    assert len(snapshot(table).connections) == MAX_PRESENCE_WATCHERS
