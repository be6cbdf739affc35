"""What holds for all requests at once: a gateway that is about to stop, and limits that change."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import AgentComplete, AgentToken, ChatAccepted, CommandResult, Error
from bamboo_gateway.session.outcomes import MessageKey
from bamboo_gateway.session.requests import (
    OPERATOR,
    AbortTurn,
    Admit,
    AppendEvent,
    Claim,
    CreateChannel,
    CreateSession,
    Drain,
    EmitEvents,
    EndTurn,
    GetHistory,
    GetSession,
    Known,
    ListChannels,
    Perform,
    PerformOnce,
    RenameSession,
    ReplaceLimits,
    Request,
    RestoreSession,
)
from bamboo_gateway.session.stored import Run, StoredSession, StoredState
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    DONE,
    EPOCH,
    LIMITS,
    Delivered,
    ask,
    attach,
    caller,
    chat,
    handle,
    new_table,
    refusal,
    told,
)

KEY = MessageKey("command", "k", "says")

ANSWER = CommandResult("name", ok=True)

RENAME = RenameSession(caller(), None, "tea")


def once(request: Request[Any], key: MessageKey = KEY) -> PerformOnce:
    """A client's message that carries an id."""
    return PerformOnce(caller(), key, request, lambda _: ANSWER)


def draining(*before: Request[Any]) -> SessionTable:
    """A table that is about to stop, with connection c1 in session s1."""
    table = new_table()
    for request in (attach(), *before, Drain(2.5)):
        ask(table, request)
    return table


NEW: dict[str, Request[Any]] = {
    "a chat": chat(),
    "a connect": attach("s1", handle("c2")),
    "a connect to a new session": attach(None, handle("c2"), new_session_id="s2"),
    "a command": Perform(RENAME),
    "a command with an id": once(RENAME),
    "a tool": Admit(),
    "a tool with an id": Claim(caller(), KEY, ANSWER),
}


@pytest.mark.parametrize("request_", NEW.values(), ids=NEW)
def test_what_is_new_is_refused_while_draining(request_: Request[Any]) -> None:
    """And only then; the refusal says when it is worth to ask again, which may well succeed."""
    assert refusal(draining(), request_) == ErrorCode.STOPPING
    with pytest.raises(GatewayError) as caught:
        ask(draining(), request_)
    assert (caught.value.retryable, caught.value.retry_after) == (True, 2.5)
    table = new_table()
    ask(table, attach())
    ask(table, request_)


@pytest.mark.parametrize(
    "request_",
    [
        GetSession(caller()),
        GetHistory(caller(), None, 1),
        ListChannels(caller()),
        Perform(AbortTurn(caller())),
        once(AbortTurn(caller())),
        CreateSession("ann", "s2"),
        CreateChannel(OPERATOR, "news"),
        AppendEvent("s1", AgentToken("s1", "a")),
    ],
    ids=lambda request: type(request).__name__,
)
def test_the_rest_goes_on_while_draining(request_: Request[Any]) -> None:
    """Clients read and abort; the embedding program, whose agents still work, does whatever it likes."""
    ask(draining(chat()), request_)


def test_what_was_answered_before_is_answered_again_while_draining() -> None:
    """Nothing new is done by that, and the client need not wait for the next gateway."""
    first = chat(id="c")
    table = draining(first, once(RENAME))
    assert ask(table, attrs.evolve(first, run_id="r2")) == ChatAccepted("s1", "r1", queued=0, id="c")
    assert ask(table, once(RENAME)) == Known(ANSWER)


@pytest.mark.parametrize(
    "end",
    [
        EndTurn("s1", "r1", DONE),
        AbortTurn(caller(), None, "r1"),
        EmitEvents("s1", "r1", [AgentToken("s1", "\ud800")]),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_turn_ends_and_none_begins_while_draining(end: Request[Any]) -> None:
    """However it ends, the chat behind it is left to the next gateway; it can still be aborted."""
    table = draining(chat(), chat("two", "r2"))
    ask(table, EmitEvents("s1", "r1", [AgentToken("s1", "a")]))
    events = [each.event for each in told(table, end) if isinstance(each, Delivered)]
    assert [type(event) for event in events] in ([AgentComplete], [Error])
    session = ask(table, GetSession(OPERATOR, "s1"))
    assert (session.state, session.queued) == ("idle", 1)
    assert table.statistics().chats_queued == 1
    assert ask(table, AbortTurn(caller())) == ["r2"]
    assert table.statistics().chats_queued == 0


def test_a_session_that_is_fetched_while_draining_begins_nothing() -> None:
    """To read its history is allowed; its chats are left to the next gateway."""
    elsewhere = new_table()
    stored = ask(elsewhere, CreateSession("ann", "s9"))
    table = new_table()
    table.open(StoredState(EPOCH, sessions={"ann": 1}, last_number=1))
    ask(table, Drain(1.0))
    assert told(table, RestoreSession("s9", StoredSession(stored, runs=[Run("r9", chat().chat)]))) == []
    assert ask(table, GetSession(OPERATOR, "s9")).queued == 1


def test_limits_are_replaced() -> None:
    """The next request is held to the new ones; what is beyond them already, stays; clients are told."""
    table = new_table()
    ask(table, attach())
    for number in range(3):
        ask(table, chat(run_id=f"r{number}"))
    ask(table, CreateChannel(OPERATOR, "news"))
    wire = attrs.evolve(LIMITS.wire, max_queued_chats=1)
    ask(
        table,
        ReplaceLimits(attrs.evolve(LIMITS, max_sessions=1, max_channels=1, max_queued_chats=1, wire=wire)),
    )
    assert refusal(table, chat(run_id="r9")) == ErrorCode.QUEUE_FULL
    assert refusal(table, CreateSession("ann", "s2")) == ErrorCode.LIMIT_EXCEEDED
    assert refusal(table, CreateChannel(OPERATOR, "more")) == ErrorCode.LIMIT_EXCEEDED
    assert ask(table, GetSession(OPERATOR, "s1")).queued == 2
    ask(table, ReplaceLimits(LIMITS))
    ask(table, CreateSession("ann", "s2"))


@pytest.mark.parametrize(
    "request_", [Drain(1.0), ReplaceLimits(LIMITS), Admit()], ids=lambda it: type(it).__name__
)
def test_a_storage_that_fails_does_not_hold_them_up(request_: Request[Any]) -> None:
    """Nothing of them is stored: a gateway can be stopped and told other limits whatever its disk does."""
    assert new_table().may_go_on(request_)
