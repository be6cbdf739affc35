"""The session table: for each request its reply, the whole list of its effects, or why it is refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import (
    AgentToken,
    ChannelMessage,
    SessionEnded,
)
from bamboo_gateway.session.effects import CancelTurn, Dismiss, DropSession, SaveChannel, SaveSession, Send
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    AppendEvent,
    BroadcastEvent,
    ChannelInfo,
    CreateChannel,
    CreateSession,
    DeleteInactive,
    DeleteSession,
    Detach,
    EmitEvents,
    EndTurn,
    GetHistory,
    GetMember,
    GetSession,
    JoinChannel,
    LeaveChannel,
    ListChannels,
    RefreshSessions,
    RenameSession,
    Request,
    RestoreSession,
    SendToChannel,
    SetMetadata,
    ShareSession,
    Tidy,
)
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.stored import StoredChannel, StoredLog, StoredSession, StoredState
from bamboo_gateway.session.table import SessionTable, TableStatistics
from tests.session.tables import (
    BOB,
    DONE,
    EPOCH,
    NOW,
    TS,
    ask,
    attach,
    caller,
    chat,
    handle,
    new_table,
    refusal,
    snapshot,
    told,
)

MOMENT = datetime.datetime.fromtimestamp(NOW, datetime.UTC)


# ── sessions ─────────────────────────────────────────────────────────────────


def test_create_makes_a_session_that_nobody_watches() -> None:
    """It is as it was asked for, and saved."""
    table = new_table()
    reply, effects = table.handle(CreateSession("ann", "s1", "tea", {"a": 1, "b": None}), NOW)
    assert reply == Session("s1", "ann", MOMENT, MOMENT, "tea", metadata={"a": 1}, epoch=EPOCH, number=1)
    assert effects == [SaveSession(reply)]
    assert ask(table, GetSession(OPERATOR, "s1")) == reply


def test_create_is_refused_where_there_is_one_or_no_room(table: SessionTable) -> None:
    """An id names one session, and there are as many as the limit allows."""
    assert refusal(table, CreateSession("ann", "s1")) is ErrorCode.SESSION_EXISTS
    for number in (2, 3, 4):
        ask(table, CreateSession("ann", f"s{number}"))
    assert refusal(table, CreateSession("ann", "s5")) is ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, attach(None, handle("c2"), new_session_id="s5")) is ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, attach(None, handle("c1"), new_session_id="s5")) is ErrorCode.LIMIT_EXCEEDED
    ask(table, DeleteSession(OPERATOR, "s2"))
    ask(table, CreateSession("ann", "s5"))


def test_create_checks_the_metadata() -> None:
    """What is no label is refused before the session exists."""
    request = CreateSession("ann", "s1", metadata={"a": float("nan")})
    assert refusal(new_table(), request) is ErrorCode.INVALID_ARGUMENTS


def test_rename_and_set_metadata_save_the_session(table: SessionTable) -> None:
    """The reply and what is saved are the session as it is now; None takes name and keys away."""
    for request, fields in (
        (RenameSession(caller(), None, "tea"), {"name": "tea"}),
        (SetMetadata(caller(), "s1", {"a": 1, "b": [2]}), {"metadata": {"a": 1, "b": [2]}}),
        (SetMetadata(caller(), None, {"a": None}), {"metadata": {"b": [2]}}),
        (RenameSession(caller(), "s1", None), {"name": None}),
    ):
        expected = snapshot(table, **fields)
        assert table.handle(request, NOW) == (expected, [SaveSession(expected)])
    assert refusal(table, SetMetadata(caller(), None, {"a": object()})) is ErrorCode.INVALID_ARGUMENTS


def test_sessions_are_numbered_as_they_come() -> None:
    """By these numbers they are listed, and no number is given twice, whatever is deleted."""
    table = new_table()
    assert [ask(table, CreateSession("ann", f"s{each}")).number for each in range(3)] == [1, 2, 3]
    ask(table, DeleteSession(OPERATOR, "s2"))
    assert ask(table, CreateSession("ann", "s3")).number == 4


def test_a_list_is_refreshed_where_the_memory_knows_better(table: SessionTable) -> None:
    """A session in memory is as it is now; one that is not is as it was stored."""
    stale = attrs.evolve(snapshot(table), name="once", connections=())
    dormant = attrs.evolve(stale, id="dormant")
    ask(table, AppendEvent("s1", AgentToken("s1", "a")))
    assert ask(table, RefreshSessions(caller(), [dormant, stale])) == [dormant, snapshot(table)]


def test_nobody_is_told_a_number_that_is_not_committed(table: SessionTable) -> None:
    """A look at a session, alone or in a list, ends where readers of its log do."""
    table.handle(AppendEvent("s1", AgentToken("s1", "a")), NOW)
    listed = ask(table, RefreshSessions(caller(), [snapshot(table)]))
    assert [each.last_seq for each in (snapshot(table), *listed)] == [0, 0]


def test_a_restored_session_is_who_it_was_and_nobody_watches_it() -> None:
    """Name, labels, channels and place in its log were kept; its connections were the old process's."""
    table = new_table()
    kept = Session(
        "old",
        "ann",
        MOMENT,
        MOMENT,
        "tea",
        (handle(),),
        {"a": 1},
        state="running",
        run_id="r1",
        queued=2,
        channels={"news": -1},
        last_seq=7,
        epoch="before",
        number=3,
    )
    news = StoredChannel(-1, "news", members=1)
    table.open(StoredState(EPOCH, sessions={"ann": 2}, last_number=3, channels=[news]))
    assert told(table, RestoreSession("old", StoredSession(kept, StoredLog(7)))) == []
    fresh = Session(
        "old",
        "ann",
        MOMENT,
        MOMENT,
        "tea",
        metadata={"a": 1},
        channels={"news": -1},
        last_seq=7,
        epoch=EPOCH,
        number=3,
    )
    assert snapshot(table, "old") == fresh
    assert table.holds("old")
    assert told(table, RestoreSession("none", None)) == []
    assert not table.holds("none")
    assert ask(table, CreateSession("ann", "new")).number == 4
    assert table.statistics().sessions == 3


# ── whose session it is ──────────────────────────────────────────────────────

FOREIGN: dict[str, Callable[[str], Request[Any]]] = {
    "get": lambda session_id: GetSession(caller("c2", BOB), session_id),
    "rename": lambda session_id: RenameSession(caller("c2", BOB), session_id, "mine"),
    "set metadata": lambda session_id: SetMetadata(caller("c2", BOB), session_id, {}),
    "share": lambda session_id: ShareSession(caller("c2", BOB), session_id, "bob", "chat"),
    "delete": lambda session_id: DeleteSession(caller("c2", BOB), session_id),
    "history": lambda session_id: GetHistory(caller("c2", BOB), session_id, 9),
    "abort": lambda session_id: AbortTurn(caller("c2", BOB), session_id),
    "join": lambda session_id: JoinChannel(caller("c2", BOB), session_id, "news"),
    "leave": lambda session_id: LeaveChannel(caller("c2", BOB), session_id, "news"),
    "be a member": lambda session_id: GetMember(caller("c2", BOB), session_id, "news"),
    "attach": lambda session_id: attach(session_id, handle("c2", "bob"), new_session_id=None),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_somebody_else_s_session_is_as_unknown_as_none(
    table: SessionTable, make: Callable[[str], Request[Any]]
) -> None:
    """Not even the words of the refusal tell one from the other."""
    ask(table, CreateChannel(OPERATOR, "news"))
    ask(table, JoinChannel(OPERATOR, "s1", "news"))
    ask(table, attach(None, handle("c2", "bob"), new_session_id="s2"))
    words = []
    for session_id in ("s1", "nil"):
        assert refusal(table, make(session_id)) is ErrorCode.SESSION_NOT_FOUND
        with pytest.raises(GatewayError) as caught:
            table.handle(make(session_id), NOW)
        words.append(caught.value.message.replace(session_id, "it"))
    assert words[0] == words[1]


def test_connect_to_somebody_else_s_session_makes_a_new_one(table: SessionTable) -> None:
    """It is greeted as with any unknown id, and the owner's session stays unwatched by it."""
    ask(table, attach("s1", handle("c2", "bob"), new_session_id="s2", exclusive=True))
    assert snapshot(table, "s2").user_id == "bob"
    assert snapshot(table, "s1").connections == (handle("c1"),)


def test_the_operator_may_see_everything(table: SessionTable) -> None:
    """The embedding program is nobody's guest."""
    anything: list[Request[Any]] = [
        GetSession(OPERATOR, "s1"),
        RenameSession(OPERATOR, "s1", "theirs"),
        GetHistory(OPERATOR, "s1", 9),
        AbortTurn(OPERATOR, "s1"),
        DeleteSession(OPERATOR, "s1"),
    ]
    for request in anything:
        ask(table, request)


@pytest.mark.parametrize("connection_id", [None, "gone"])
def test_without_a_session_none_can_be_meant(table: SessionTable, connection_id: str | None) -> None:
    """Who watches nothing must name one."""
    who = caller(connection_id)
    for request in (
        GetSession(who),
        RenameSession(who, None, "x"),
        DeleteSession(who, None),
        AbortTurn(who),
        chat(who=who),
        JoinChannel(who, None, "news"),
    ):
        assert refusal(table, request) is ErrorCode.NOT_CONNECTED


# ── the end of sessions ──────────────────────────────────────────────────────


def test_delete_cancels_the_turn_and_tells_the_watchers(table: SessionTable) -> None:
    """The agent is stopped, nothing that waits begins, and the session is gone from its channels."""
    ask(table, CreateChannel(OPERATOR, "news"))
    ask(table, JoinChannel(caller(), None, "news"))
    ask(table, chat())
    ask(table, chat(run_id="r2"))
    reply, effects = table.handle(DeleteSession(caller(), None), NOW)
    assert reply == "s1"
    assert effects == [
        CancelTurn("r1"),
        Send("c1", SessionEnded("s1", "the session was deleted")),
        Dismiss("c1"),
        SaveChannel(-1, "news", 0),
        DropSession("s1"),
    ]
    table.validate_state()
    assert ask(table, ListChannels(OPERATOR)) == [
        ChannelInfo("news", 0, joined=False, last_seq=0, owned=True)
    ]
    for late in (EmitEvents("s1", "r1", [AgentToken("s1", "a")]), EndTurn("s1", "r1", DONE)):
        assert told(table, late) == []
    assert refusal(table, AppendEvent("s1", AgentToken("s1", "a"))) is ErrorCode.SESSION_NOT_FOUND


def clean_up(table: SessionTable, max_age: float, now: float) -> list[str]:
    """Which of the sessions in memory are ended for being inactive."""
    sessions = ("idle", "watched", "running", "young", "unknown")
    return [each for each in sessions if ask(table, DeleteInactive(each, max_age), now)]


def test_cleanup_spares_what_runs_and_what_is_watched() -> None:
    """Only who has been idle for so long ends, and it is said who did."""
    table = new_table()
    ask(table, CreateSession("ann", "idle"))
    ask(table, attach(None, new_session_id="watched"))
    ask(table, attach(None, handle("c2"), new_session_id="running"))
    ask(table, chat(who=caller("c2"), session_id="running"))
    ask(table, Detach("c2"))
    ask(table, CreateSession("ann", "young"), NOW + 1)
    assert clean_up(table, 60, NOW + 59) == []
    reply, effects = table.handle(DeleteInactive("idle", 60), NOW + 60)
    assert (reply, effects) == (True, [DropSession("idle")])
    assert clean_up(table, 60, NOW + 60) == []
    ask(table, Detach("c1"), NOW + 100)
    ask(table, EndTurn("running", "r1", DONE), NOW + 110)
    assert clean_up(table, 60, NOW + 165) == ["watched", "young"]
    assert clean_up(table, 0, NOW + 170) == ["running"]


# ── statistics ───────────────────────────────────────────────────────────────


def test_statistics_count_everything(table: SessionTable) -> None:
    """Sessions, watchers, turns, channels, and each entry that went into any log."""
    ask(table, CreateSession("ann", "s2"))
    ask(table, CreateChannel(caller(), "news"))
    ask(table, chat(run_id="r1"))  # its message, its start
    ask(table, chat(run_id="r2"))  # its message
    ask(table, EmitEvents("s1", "r1", [AgentToken("s1", "a")]))
    ask(table, BroadcastEvent(AgentToken("s1", "a")))
    ask(table, SendToChannel(ChannelMessage("news", "a")))
    size_bytes = table.statistics().log_bytes
    assert table.statistics() == TableStatistics(
        sessions=2,
        resident=2,
        watchers=1,
        turns_running=1,
        chats_queued=1,
        channels=1,
        events_appended=6,
        log_bytes=size_bytes,
        resumes=0,
        resume_gaps=0,
    )
    event = ask(table, AppendEvent("s1", AgentToken("s1", "b")))
    assert table.statistics().log_bytes == size_bytes + len(
        codec.encode_body(AgentToken("s1", "b", seq=event, ts=TS))
    )
    ask(table, EndTurn("s1", "r1", DONE))  # its end, the start of the next
    assert table.statistics().events_appended == 9
    ask(table, Tidy(max_idle=0))
    assert (table.statistics().sessions, table.statistics().resident) == (2, 1)


def test_who_comes_back_is_counted(table: SessionTable) -> None:
    """A resume says where it stood; a cursor of another epoch is a gap besides. Just to move is neither."""
    ask(table, attach("s1", handle("c2")))
    ask(table, attach("s1", handle("c3"), last_seq=0, epoch=EPOCH))
    ask(table, attach("s1", handle("c4"), last_seq=3, epoch="older"))
    ask(table, attach("gone", handle("c5"), new_session_id="s2", last_seq=3))
    assert (table.statistics().resumes, table.statistics().resume_gaps) == (2, 1)


# ── while the storage fails ──────────────────────────────────────────────────


GO_ON: dict[str, tuple[Request[Any], bool]] = {
    "come back": (attach("s1", handle("c2")), True),
    "come to somebody else's": (attach("s1", handle("c2", "bob")), False),
    "come to none": (attach("none", handle("c2")), False),
    "come anew": (attach(None, handle("c2")), False),
    "leave": (Detach("c1"), True),
    "look": (GetSession(caller()), True),
    "rename": (RenameSession(caller(), None, "tea"), False),
    "append": (AppendEvent("s1", AgentToken("s1", "a")), False),
    "tidy": (Tidy(0), False),
    "chat": (chat(), False),
}


@pytest.mark.parametrize(("request_", "may"), GO_ON.values(), ids=GO_ON)
def test_what_promises_nothing_may_go_on(table: SessionTable, request_: Request[Any], *, may: bool) -> None:
    """Whoever comes back to a session in memory is let in; what would have to be kept is not even begun."""
    assert table.may_go_on(request_) is may
