"""The session table: for each request its reply, the whole list of its effects, or why it is refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import (
    AgentToken,
    ChannelMessage,
    SessionEnded,
)
from bamboo_gateway.session.effects import CancelTurn, Dismiss, DropSession, SaveSession, Send
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    AppendEvent,
    BroadcastEvent,
    ChannelInfo,
    CleanupInactive,
    CreateChannel,
    CreateSession,
    DeleteSession,
    Detach,
    EmitEvent,
    EndTurn,
    GetHistory,
    GetMember,
    GetSession,
    JoinChannel,
    LeaveChannel,
    ListChannels,
    ListSessions,
    RenameSession,
    Request,
    SendToChannel,
    SetMetadata,
)
from bamboo_gateway.session.session import Principal, Session
from bamboo_gateway.session.table import SessionTable, TableStatistics
from tests.session.tables import (
    BOB,
    DONE,
    EPOCH,
    NOW,
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
    assert reply == Session("s1", "ann", MOMENT, MOMENT, "tea", metadata={"a": 1}, epoch=EPOCH)
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


def test_list_pages_through_what_the_caller_may_see() -> None:
    """Oldest first, nobody else's, and each once, whatever is deleted between two pages."""
    table = new_table()
    for number, user_id in enumerate(("ann", "bob", "ann", "ann")):
        ask(table, CreateSession(user_id, f"s{number}"))
    page = ask(table, ListSessions(caller(None), 2))
    assert [session.id for session in page.sessions] == ["s0", "s2"]
    assert page.next is not None
    assert [each.id for each in ask(table, ListSessions(caller(None), 2, page.next)).sessions] == ["s3"]
    ask(table, DeleteSession(OPERATOR, "s2"))
    rest = ask(table, ListSessions(caller(None), 2, page.next))
    assert ([session.id for session in rest.sessions], rest.next) == (["s3"], None)
    everything = ask(table, ListSessions(OPERATOR, 9))
    assert [session.id for session in everything.sessions] == ["s0", "s1", "s3"]
    assert ask(table, ListSessions(caller(None, Principal("eve")), 9)).sessions == []


def test_restored_sessions_are_listed_in_their_order_and_start_anew() -> None:
    """Who they are was kept; their connections, turns and logs were the old process's."""
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
        channels=("news",),
        last_seq=7,
        epoch="before",
    )
    table.restore([kept, attrs.evolve(kept, id="older")])
    table.validate_state()
    sessions = ask(table, ListSessions(OPERATOR, 9)).sessions
    fresh = Session("old", "ann", MOMENT, MOMENT, "tea", metadata={"a": 1}, epoch=EPOCH)
    assert sessions == [fresh, attrs.evolve(fresh, id="older")]


# ── whose session it is ──────────────────────────────────────────────────────

FOREIGN: dict[str, Callable[[str], Request[Any]]] = {
    "get": lambda session_id: GetSession(caller("c2", BOB), session_id),
    "rename": lambda session_id: RenameSession(caller("c2", BOB), session_id, "mine"),
    "set metadata": lambda session_id: SetMetadata(caller("c2", BOB), session_id, {}),
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
        DropSession("s1"),
    ]
    table.validate_state()
    assert ask(table, ListChannels(OPERATOR)) == [ChannelInfo("news", 0, joined=False, last_seq=0)]
    for late in (EmitEvent("s1", "r1", AgentToken("s1", "a")), EndTurn("s1", "r1", DONE)):
        assert told(table, late) == []
    assert refusal(table, AppendEvent("s1", AgentToken("s1", "a"))) is ErrorCode.SESSION_NOT_FOUND


def test_cleanup_spares_what_runs_and_what_is_watched() -> None:
    """Only who has been idle for so long ends, and is named."""
    table = new_table()
    ask(table, CreateSession("ann", "idle"))
    ask(table, attach(None, new_session_id="watched"))
    ask(table, attach(None, handle("c2"), new_session_id="running"))
    ask(table, chat(who=caller("c2"), session_id="running"))
    ask(table, Detach("c2"))
    ask(table, CreateSession("ann", "young"), NOW + 1)
    assert ask(table, CleanupInactive(60), NOW + 59) == []
    reply, effects = table.handle(CleanupInactive(60), NOW + 60)
    assert (reply, effects) == (["idle"], [DropSession("idle")])
    ask(table, Detach("c1"), NOW + 100)
    ask(table, EndTurn("running", "r1", DONE), NOW + 110)
    assert ask(table, CleanupInactive(60), NOW + 165) == ["watched", "young"]
    assert ask(table, CleanupInactive(0), NOW + 170) == ["running"]


# ── statistics ───────────────────────────────────────────────────────────────


def test_statistics_count_everything(table: SessionTable) -> None:
    """Sessions, watchers, turns, channels, and each entry that went into any log."""
    ask(table, CreateSession("ann", "s2"))
    ask(table, CreateChannel(caller(), "news"))
    ask(table, chat(run_id="r1"))  # its message, its start
    ask(table, chat(run_id="r2"))  # its message
    ask(table, EmitEvent("s1", "r1", AgentToken("s1", "a")))
    ask(table, BroadcastEvent(AgentToken("s1", "a")))
    ask(table, SendToChannel(ChannelMessage("news", "a")))
    assert table.statistics() == TableStatistics(
        sessions=2, watchers=1, turns_running=1, chats_queued=1, channels=1, events_appended=6
    )
    ask(table, EndTurn("s1", "r1", DONE))  # its end, the start of the next
    assert table.statistics().events_appended == 8
