"""The session table: what one principal may have, and what is counted as theirs."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.principal import LOCAL, Principal, Quotas, Scope
from bamboo_gateway.session.effects import StartTurn
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    Attach,
    Caller,
    CreateChannel,
    CreateSession,
    DeleteChannel,
    DeleteSession,
    Detach,
    EndTurn,
    ReplaceLimits,
    RestoreSession,
    ShareSession,
    Tidy,
)
from bamboo_gateway.session.stored import Run, StoredSession, StoredState
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    ANN,
    BOB,
    DONE,
    EPOCH,
    LIMITS,
    NOW,
    WIRE,
    ask,
    attach,
    caller,
    chat,
    handle,
    new_table,
    refusal,
    snapshot,
)


def table_of(**quotas: int) -> SessionTable:
    """An empty table in which each principal is held to so much, and which has room for more."""
    return new_table(max_sessions=20, max_channels=20, quotas=Quotas(**quotas))


def someone(user_id: str = "ann", **quotas: int) -> Caller:
    """A principal who has quotas of their own."""
    return Caller(Principal(user_id, quotas=Quotas(**quotas)))


def create(session_id: str, who: Caller) -> CreateSession:
    """A session of theirs."""
    return CreateSession(who.principal.user_id, session_id, caller=who)


def text(table: SessionTable, request: Any) -> str:
    """What the client reads of a refusal."""
    with pytest.raises(GatewayError) as caught:
        table.handle(request, NOW)
    return caught.value.message


# ── sessions ─────────────────────────────────────────────────────────────────


def test_one_has_so_many_sessions_and_the_next_is_refused() -> None:
    """By command or by `connect`; the text says whose limit it is and what to do. Others have their own."""
    table = table_of(max_sessions=2)
    ask(table, create("s1", someone()))
    ask(table, attach(new_session_id="s2"))
    for request in (create("s3", someone()), attach(None, handle("c2"), new_session_id="s3")):
        assert refusal(table, request) is ErrorCode.LIMIT_EXCEEDED
        assert text(table, request) == (
            "'ann' may have 2 sessions, and has 2; delete one (session.delete), or have the operator raise "
            "max_sessions_per_principal, or the quota of your token"
        )
    ask(table, attach("s1", handle("c2")))
    ask(table, create("s3", someone("bob")))
    ask(table, DeleteSession(OPERATOR, "s1"))
    ask(table, create("s4", someone()))


def test_those_that_are_not_in_memory_count() -> None:
    """What an earlier gateway has left, and what was let go of."""
    table = table_of(max_sessions=3)
    table.open(StoredState(EPOCH, {"ann": 2, "bob": 1}, last_number=3))
    ask(table, create("s4", someone()))
    ask(table, Tidy(0))
    assert not table.holds("s4")
    assert refusal(table, create("s5", someone())) is ErrorCode.LIMIT_EXCEEDED
    for number in (5, 6):
        ask(table, create(f"s{number}", someone("bob")))
    assert refusal(table, create("s7", someone("bob"))) is ErrorCode.LIMIT_EXCEEDED


@pytest.mark.parametrize(("own", "allowed"), [(None, 2), (3, 3), (1, 1)])
def test_a_quota_of_one_s_own_counts_in_place_of_the_usual_one(own: int | None, allowed: int) -> None:
    """More, or less."""
    table = table_of(max_sessions=2)
    who = Caller(Principal("ann", quotas=Quotas(max_sessions=own)))
    for number in range(allowed):
        ask(table, create(f"s{number}", who))
    assert refusal(table, create("more", who)) is ErrorCode.LIMIT_EXCEEDED


def test_operators_and_the_program_itself_make_as_many_as_they_like() -> None:
    """For whomever: what the program makes for a user is theirs and counts, and is not refused."""
    table = table_of(max_sessions=1, max_channels=1, max_queued_chats=1)
    root = Caller(Principal("root", frozenset({Scope.ADMIN})), "c1")
    for number in range(3):
        ask(table, create(f"r{number}", root))
        ask(table, CreateSession("ann", f"a{number}"))
        ask(table, CreateChannel(root, f"c{number}"))
    assert refusal(table, create("more", someone())) is ErrorCode.LIMIT_EXCEEDED
    ask(table, Attach(root, handle("c1", "root"), "a0"))
    ask(table, chat(who=root, session_id="a0"))


def test_what_is_shared_with_one_is_not_theirs() -> None:
    """It counts for who owns it alone."""
    table = table_of(max_sessions=1)
    ask(table, create("s1", someone("bob")))
    ask(table, ShareSession(someone("bob"), "s1", "ann", "read"))
    ask(table, create("s2", someone()))


# ── channels ─────────────────────────────────────────────────────────────────


def test_one_has_so_many_channels_and_the_next_is_refused() -> None:
    """Until one is deleted; those of others, and of the gateway, are not theirs."""
    table = table_of(max_channels=2)
    ask(table, CreateChannel(OPERATOR, "everybody's"))
    ask(table, CreateChannel(someone("bob"), "bob's"))
    for name in ("one", "two"):
        ask(table, CreateChannel(someone(), name))
    request = CreateChannel(someone(), "three")
    assert refusal(table, request) is ErrorCode.LIMIT_EXCEEDED
    assert text(table, request) == (
        "'ann' may have 2 channels, and has 2; delete one (channel.delete), or have the operator raise "
        "max_channels_per_principal"
    )
    ask(table, CreateChannel(someone(max_channels=3), "three"))
    ask(table, DeleteChannel(someone(), "two"))
    ask(table, DeleteChannel(someone(), "one"))
    ask(table, CreateChannel(someone(), "four"))


# ── chats ────────────────────────────────────────────────────────────────────


def busy(**quotas: int) -> SessionTable:
    """Ann watches two sessions, by c1 and c2; Bob, who may chat in the first, watches that by b1."""
    table = table_of(**quotas)
    ask(table, attach(new_session_id="s1"))
    ask(table, attach(None, handle("c2"), new_session_id="s2"))
    ask(table, ShareSession(caller(), "s1", "bob", "chat"))
    ask(table, attach("s1", handle("b1", "bob"), new_session_id=None))
    return table


def test_chats_of_all_sessions_of_one_owner_count_together() -> None:
    """Those that run and those that wait, until they are over; the text says whose limit it is."""
    table = busy(max_queued_chats=2)
    second = caller("c2")
    ask(table, chat(run_id="r1"))
    ask(table, chat(run_id="r2", who=second, session_id="s2"))
    for request in (chat(run_id="r3"), chat(run_id="r3", who=second, session_id="s2")):
        assert refusal(table, request) is ErrorCode.QUEUE_FULL
        assert text(table, request) == (
            "2 chats run or wait in all sessions of 'ann', who may have 2; try when one is over, or have the "
            "operator raise max_queued_chats_per_principal"
        )
    ask(table, EndTurn("s1", "r1", DONE))
    ask(table, chat(run_id="r4", who=second, session_id="s2"))
    assert refusal(table, chat(run_id="r5")) is ErrorCode.QUEUE_FULL
    assert ask(table, AbortTurn(second)) == ["r2", "r4"]
    ask(table, chat(run_id="r6"))


def test_through_a_share_the_owner_pays() -> None:
    """A guest's chats count as the owner's, and leave the guest's own alone."""
    table = busy(max_queued_chats=1)
    guest = caller("b1", BOB)
    ask(table, chat(run_id="r1", who=guest))
    assert refusal(table, chat(run_id="r2", who=guest)) is ErrorCode.QUEUE_FULL
    assert refusal(table, chat(run_id="r2", who=caller("c2"), session_id="s2")) is ErrorCode.QUEUE_FULL
    ask(table, attach(None, handle("b2", "bob"), new_session_id="s3"))
    ask(table, chat(run_id="r3", who=caller("b2", BOB), session_id="s3"))


def test_a_quota_of_their_own_counts_for_who_speaks_in_what_is_theirs() -> None:
    """In somebody else's session what all are held to counts: the owner's own is not known then."""
    table = busy(max_queued_chats=2)
    rich, poor = Quotas(max_queued_chats=3), Quotas(max_queued_chats=1)
    ask(table, chat(run_id="r1", who=caller("c1", attrs.evolve(ANN, quotas=rich))))
    ask(table, chat(run_id="r2", who=caller("c1", attrs.evolve(ANN, quotas=rich))))
    assert refusal(table, chat(run_id="r3", who=caller("b1", attrs.evolve(BOB, quotas=rich)))) is (
        ErrorCode.QUEUE_FULL
    )
    ask(table, AbortTurn(caller()))
    ask(table, chat(run_id="r4", who=caller("c1", attrs.evolve(ANN, quotas=poor))))
    assert refusal(table, chat(run_id="r5", who=caller("c1", attrs.evolve(ANN, quotas=poor)))) is (
        ErrorCode.QUEUE_FULL
    )
    ask(table, chat(run_id="r6", who=caller("b1", attrs.evolve(BOB, quotas=poor))))


def test_what_an_earlier_gateway_has_left_unfinished_counts() -> None:
    """As soon as it is in memory, where its turns go on."""
    table = new_table(resume_turns=True, quotas=Quotas(max_queued_chats=1))
    table.open(StoredState(EPOCH, {"ann": 1}, last_number=1))
    before = busy()
    _, effects = before.handle(chat(run_id="r1"), NOW)
    [start] = [each for each in effects if isinstance(each, StartTurn)]
    restored = StoredSession(snapshot(before, "s1"), runs=[Run("r1", start.chat)])
    ask(table, RestoreSession("s1", restored))
    ask(table, attach(None, handle("c2"), new_session_id="s2"))
    second = chat(run_id="r2", who=caller("c2"), session_id="s2")
    assert refusal(table, second) is ErrorCode.QUEUE_FULL
    ask(table, EndTurn("s1", "r1", DONE))
    ask(table, second)


# ── other limits while it runs ───────────────────────────────────────────────


def test_limits_can_be_replaced_while_it_runs() -> None:
    """They hold for what comes; what is there stays, even where it is more than there may be now."""
    table = busy()
    ask(table, CreateChannel(someone(), "one"))
    for number in range(3):
        ask(table, chat(run_id=f"r{number}"))
    narrow = attrs.evolve(LIMITS, max_sessions=2, max_channels=1, max_queued_chats=0)
    ask(table, ReplaceLimits(narrow))
    assert refusal(table, create("s3", OPERATOR)) is ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, CreateChannel(OPERATOR, "two")) is ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, chat(run_id="r9")) is ErrorCode.QUEUE_FULL
    assert snapshot(table, "s1").queued == 2
    held = attrs.evolve(LIMITS, max_sessions=9, quotas=Quotas(max_sessions=2, max_channels=1))
    ask(table, ReplaceLimits(held))
    assert refusal(table, create("s3", someone())) is ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, CreateChannel(someone(), "two")) is ErrorCode.LIMIT_EXCEEDED
    ask(table, create("s3", someone("bob")))


def test_who_comes_is_told_the_new_limits_and_what_takes_a_start_stays() -> None:
    """The bytes of all logs, and what bounds each session, are as they were."""
    table = busy()
    wire = attrs.evolve(WIRE, max_queued_chats=99)
    session = attrs.evolve(LIMITS.session, history_bytes=1)
    wanted = attrs.evolve(LIMITS, wire=wire, session=session, total_log_bytes=1)
    before = table.limits
    ask(table, ReplaceLimits(wanted))
    assert table.limits == attrs.evolve(
        wanted, session=before.session, total_log_bytes=before.total_log_bytes
    )
    _, effects = table.handle(attach("s1", handle("c9")), NOW)
    assert effects[0].greeting.limits == wire  # type: ignore[union-attr]
    assert table.may_go_on(ReplaceLimits(wanted))
    ask(table, Detach("c9"))


def test_the_embedding_program_is_an_operator() -> None:
    """What the tests above rest on."""
    assert OPERATOR.principal is LOCAL
    assert LOCAL.is_operator
