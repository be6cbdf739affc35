"""The session table: messages that carry an id are carried out once, however often they are said."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode
from bamboo_gateway.protocol.messages import (
    AgentToken,
    ChatAccepted,
    Command,
    CommandError,
    CommandResult,
    SessionEnded,
)
from bamboo_gateway.session.effects import (
    Change,
    Dismiss,
    DropOutcome,
    DropSession,
    SaveOutcome,
    SaveSession,
    Send,
)
from bamboo_gateway.session.outcomes import MessageKey, Outcome
from bamboo_gateway.session.requests import (
    OPERATOR,
    Abandon,
    AppendEvent,
    Claim,
    Claimed,
    CreateChannel,
    CreateSession,
    DeleteInactive,
    DeleteSession,
    Detach,
    EndTurn,
    GetSession,
    Known,
    Performed,
    PerformOnce,
    RenameSession,
    Request,
    RestoreSession,
    Settle,
    Tidy,
)
from bamboo_gateway.session.stored import StoredSession, StoredState
from bamboo_gateway.session.table import SessionTable
from tests.session.tables import (
    DONE,
    EPOCH,
    NOW,
    TS,
    ask,
    ask_and_tell,
    attach,
    caller,
    chat,
    delivered,
    handle,
    new_table,
    refusal,
    snapshot,
    stored,
    told,
)


def key(message_id: str = "m", name: str = "rename", args: Any = None) -> MessageKey:
    """That of a command."""
    found = MessageKey.of(Command(name, args, id=message_id))
    assert found is not None
    return found


def result(text: str = "done", **fields: Any) -> CommandResult:
    """How a command is answered."""
    return CommandResult("rename", ok=True, result=text, **fields)


INTERRUPTED = CommandResult("rename", ok=False, error=CommandError("COMMAND_INTERRUPTED", "who knows"))


def once(
    request: Request[Any], message_id: str = "m", *, connection_id: str | None = "c1", args: Any = None
) -> PerformOnce:
    """A command of this id that comes down to *request*, answered with what came of it."""
    return PerformOnce(
        caller(connection_id), key(message_id, args=args), request, lambda it: result(repr(it))
    )


def rename(name: str) -> RenameSession:
    """A change that shows whether it was made."""
    return RenameSession(caller(), None, name)


# ── a change in the registry ─────────────────────────────────────────────────


def test_a_repeat_runs_nothing_and_is_told_the_same(table: SessionTable) -> None:
    """The change and its outcome are stored in one step; whoever says it again changes nothing."""
    performed, effects = table.handle(once(rename("tea")), NOW)
    assert isinstance(performed, Performed)
    assert performed == Performed(result(repr(snapshot(table))), "s1")
    assert effects == [
        SaveSession(snapshot(table)),
        SaveOutcome(1, Outcome(key(), TS, performed.answer)),
    ]
    ask(table, RenameSession(caller(), None, "coffee"))
    assert table.handle(once(rename("tea")), NOW + 99) == (Known(performed.answer), [])
    ask(table, attach("s1", handle("c2")))
    assert ask(table, once(rename("tea"), connection_id="c2"), NOW + 99) == Known(performed.answer)
    assert snapshot(table).name == "coffee"


def test_the_same_id_with_another_payload_is_refused(table: SessionTable) -> None:
    """It is a slip of the client's, and nothing is done; in another session the id is another one."""
    ask(table, once(rename("tea"), args={"name": "tea"}))
    assert refusal(table, once(rename("tee"), args={"name": "tee"})) is ErrorCode.ID_REUSED
    assert refusal(table, Claim(caller(), key(args={"name": "tee"}), INTERRUPTED)) is ErrorCode.ID_REUSED
    ask(table, attach(None, handle("c2"), new_session_id="s2"))
    assert isinstance(ask(table, once(rename("tee"), connection_id="c2")), Performed)


def test_a_refusal_is_not_remembered(table: SessionTable) -> None:
    """Nothing was done, so the same may be tried again, and succeed."""
    join = once(CreateChannel(caller(), "*"))
    assert refusal(table, join) is ErrorCode.CHANNEL_EXISTS
    assert refusal(table, join) is ErrorCode.CHANNEL_EXISTS
    assert isinstance(ask(table, once(CreateChannel(caller(), "news"))), Performed)


def test_after_a_day_an_id_is_a_new_one(table: SessionTable) -> None:
    """What is remembered is bounded by age; see `OutcomeLimits`."""
    ask(table, once(rename("tea")))
    assert isinstance(ask(table, once(rename("tea")), NOW + 100), Performed)


def test_the_oldest_outcome_is_forgotten_for_the_newest(table: SessionTable) -> None:
    """What is remembered is bounded by number; the storage forgets with the memory."""
    for number in range(4):
        ask(table, once(rename("tea"), f"m{number}"))
    _, effects = table.handle(once(rename("tea"), "m4"), NOW)
    assert [type(each) for each in stored(effects)] == [SaveOutcome, DropOutcome]
    assert stored(effects)[-1] == DropOutcome(1, key("m0"))
    assert isinstance(ask(table, once(rename("tea"), "m4")), Known)
    assert isinstance(ask(table, once(rename("tea"), "m0")), Performed)


def test_a_session_may_delete_itself_once(table: SessionTable) -> None:
    """Nothing of it is left that could remember; the answer is given all the same."""
    reply, effects = table.handle(once(DeleteSession(caller(), None)), NOW)
    assert reply == Performed(result("'s1'"), None)
    assert effects == [
        Send("c1", SessionEnded("s1", "the session was deleted")),
        Dismiss("c1"),
        DropSession("s1"),
    ]
    assert refusal(table, once(DeleteSession(caller(), "s1"))) is ErrorCode.SESSION_NOT_FOUND


def test_another_session_s_end_is_remembered_in_one_s_own(table: SessionTable) -> None:
    """The repeat is told of it, though there is nothing left to delete."""
    ask(table, CreateSession("ann", "s2"))
    performed = ask(table, once(DeleteSession(caller(), "s2")))
    assert isinstance(performed, Performed)
    assert ask(table, once(DeleteSession(caller(), "s2"))) == Known(performed.answer)


@pytest.mark.parametrize("connection_id", [None, "c9"])
def test_without_a_session_each_time_is_the_first(table: SessionTable, connection_id: str | None) -> None:
    """Who watches nothing has nothing that could remember."""
    for number in range(2):
        request = once(CreateSession("ann", f"new{number}"), connection_id=connection_id)
        reply, effects = table.handle(request, NOW)
        assert isinstance(reply, Performed)
        assert (reply.session_id, stored(effects)) == (None, [])
    assert ask(table, Claim(caller(connection_id), key(), INTERRUPTED)) == Claimed(None)


def test_what_was_performed_may_turn_out_otherwise(table: SessionTable) -> None:
    """What follows a change outside of the registry can fail: then that is what a repeat is told."""
    ask(table, once(rename("tea")))
    ask(table, Settle(caller(), "s1", key(), INTERRUPTED))
    assert ask(table, once(rename("tea"))) == Known(INTERRUPTED)


# ── what is carried out elsewhere ────────────────────────────────────────────


def test_a_claim_is_settled(table: SessionTable) -> None:
    """From the claim on the storage knows what to say after a crash; from its end, what came of it."""
    claim = Claim(caller(), key(), INTERRUPTED)
    assert table.handle(claim, NOW) == (
        Claimed("s1"),
        [SaveOutcome(1, Outcome(key(), TS, INTERRUPTED, is_open=True))],
    )
    assert table.handle(Settle(caller(), "s1", key(), result()), NOW + 1) == (
        None,
        [SaveOutcome(1, Outcome(key(), TS + 1000, result()))],
    )
    assert table.handle(claim, NOW + 2) == (Known(result()), [])


def test_who_repeats_what_is_being_carried_out_is_told_when_it_is_done(table: SessionTable) -> None:
    """Each connection once, however often it asks; and nothing is run for it."""
    ask(table, attach("s1", handle("c2")))
    claim = Claim(caller(), key(), INTERRUPTED)
    ask(table, claim)
    for connection_id in ("c2", "c1", "c2"):
        again = attrs.evolve(claim, caller=caller(connection_id))
        assert ask_and_tell(table, again) == (Known(None), [])
    answer = result(session_id="s1")
    assert told(table, Settle(caller(), "s1", key(), result())) == [Send("c2", answer), Send("c1", answer)]
    assert told(table, Settle(caller(), "s1", key(), result())) == []


def test_a_session_that_owes_an_answer_stays(table: SessionTable) -> None:
    """Neither let go of nor deleted for being idle: who waits would never be told."""
    ask(table, Claim(caller(), key(), INTERRUPTED))
    ask(table, Detach("c1"))
    ask(table, Tidy(0), NOW + 10)
    assert table.holds("s1")
    assert ask(table, DeleteInactive("s1", 0), NOW + 10) is False
    ask(table, Settle(caller(), "s1", key(), result()), NOW + 20)
    ask(table, Tidy(0), NOW + 20)
    assert not table.holds("s1")


def test_to_settle_for_a_session_that_is_no_more_is_nothing(table: SessionTable) -> None:
    """It was deleted meanwhile, and with it all that it remembered."""
    ask(table, Claim(caller(), key(), INTERRUPTED))
    ask(table, DeleteSession(OPERATOR, "s1"))
    assert table.handle(Settle(caller(), "s1", key(), result()), NOW) == (None, [])


def test_a_restart_in_the_midst_is_what_a_repeat_is_told(table: SessionTable) -> None:
    """Nobody knows how far it came, and nobody runs it again."""
    ask(table, Claim(caller(), key(), INTERRUPTED))
    kept = StoredSession(snapshot(table), outcomes=[Outcome(key(), TS, INTERRUPTED, is_open=True)])
    again = new_table()
    again.open(StoredState(EPOCH, sessions={"ann": 1}))
    ask(again, RestoreSession("s1", kept))
    ask(again, attach("s1"))
    assert ask_and_tell(again, Claim(caller(), key(), INTERRUPTED)) == (Known(INTERRUPTED), [])


# ── chats ────────────────────────────────────────────────────────────────────


def test_a_chat_said_twice_is_one(table: SessionTable) -> None:
    """One message, one turn; the repeat is told what the first was told, also when the turn is over."""
    accepted, effects = table.handle(chat("hi", "r1", id="m"), NOW)
    kind = MessageKey.of(chat("hi", "r1", id="m").chat)
    assert kind is not None
    assert SaveOutcome(1, Outcome(kind, TS, accepted)) in effects
    again = chat("hi", "r2", id="m")
    assert table.handle(again, NOW + 1) == (accepted, [Send("c1", accepted)])
    ask(table, EndTurn("s1", "r1", DONE))
    ask(table, attach("s1", handle("c2")))
    elsewhere = attrs.evolve(again, caller=caller("c2"))
    assert table.handle(elsewhere, NOW + 2) == (accepted, [Send("c2", accepted)])
    assert (snapshot(table).run_id, snapshot(table).queued) == (None, 0)
    assert ask(table, AppendEvent("s1", AgentToken("s1", "a"))) == 4, "message, start and end of one turn"


def test_a_chat_s_id_means_one_chat(table: SessionTable) -> None:
    """Another text under the same id is refused; another chat without an id is another chat."""
    ask(table, chat("hi", "r1", id="m"))
    assert refusal(table, chat("ho", "r2", id="m")) is ErrorCode.ID_REUSED
    assert refusal(table, chat("hi", "r2", id="m", metadata={"a": 1})) is ErrorCode.ID_REUSED
    assert ask(table, chat("hi", "r2")) == ChatAccepted("s1", "r2", queued=1)
    assert ask(table, chat("hi", "r3")) == ChatAccepted("s1", "r3", queued=2)


def test_chats_and_commands_are_counted_apart(table: SessionTable) -> None:
    """A client may number each kind from 1."""
    ask(table, chat("hi", "r1", id="1"))
    assert isinstance(ask(table, once(rename("tea"), "1")), Performed)
    assert ask(table, chat("hi", "r2", id="1")).run_id == "r1"


def test_a_full_queue_is_not_remembered(table: SessionTable) -> None:
    """The same chat is taken when there is room, and not twice when it is said again to a full queue."""
    for number in range(3):
        ask(table, chat("hi", f"r{number}", id=f"m{number}"))
    assert refusal(table, chat("more", "r3", id="m3")) is ErrorCode.QUEUE_FULL
    assert ask(table, chat("hi", "r9", id="m2")).run_id == "r2"
    ask(table, EndTurn("s1", "r0", DONE))
    assert ask(table, chat("more", "r4", id="m3")).run_id == "r4"


def test_what_was_accepted_is_stored_with_the_chat(table: SessionTable) -> None:
    """All or nothing: there is no moment at which a crash would lose one of them and keep the other."""
    _, effects = table.handle(chat("hi", "r1", id="m"), NOW)
    changes = [type(each).__name__ for each in effects if isinstance(each, Change)]
    assert changes == ["Deliver", "SaveRun", "SaveMessage", "Deliver", "SaveOutcome", "SaveSession"]
    assert ask(table, GetSession(caller())).run_id == "r1"
    assert told(table, EndTurn("s1", "r1", DONE)) == [delivered(attrs.evolve(DONE, run_id="r1"), 3)]


@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_claimed_can_be_abandoned(is_new: bool) -> None:
    """By who has claimed it, and by nobody else; who waits is told, and a repeat may be a new one or not."""
    table = new_table()
    ask(table, attach())
    ask(table, attach("s1", handle("c2")))
    ask(table, Claim(caller(), key(), INTERRUPTED))
    assert ask(table, Claim(caller("c2"), key(), INTERRUPTED)) == Known(None)
    _, effects = table.handle(Abandon(caller("c2"), key(), INTERRUPTED, is_new), NOW)
    assert effects == []
    _, effects = table.handle(Abandon(caller(), key(), INTERRUPTED, is_new), NOW)
    assert Send("c2", attrs.evolve(INTERRUPTED, session_id="s1")) in effects
    assert (DropOutcome(1, key()) in effects) is is_new
    expected = Claimed("s1") if is_new else Known(INTERRUPTED)
    assert ask(table, Claim(caller(), key(), INTERRUPTED)) == expected
