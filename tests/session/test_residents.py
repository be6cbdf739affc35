"""Which sessions are in memory: founded, restored, let go of and deleted."""

from __future__ import annotations

import datetime

import attrs
import pytest

from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.protocol.messages import AgentToken, Chat
from bamboo_gateway.session.history import HistoryMessage, NumberedMessage
from bamboo_gateway.session.log import Entry, Log
from bamboo_gateway.session.outcomes import Outcome
from bamboo_gateway.session.requests import CreateSession
from bamboo_gateway.session.residents import Residents
from bamboo_gateway.session.session import Session
from bamboo_gateway.session.shelf import LogShelf
from bamboo_gateway.session.stored import Run, StoredLog, StoredSession
from tests.session.tables import EPOCH, NOW, SESSION_LIMITS, TS, handle
from tests.session.test_live import BORN
from tests.session.test_outcomes import answer, key


@pytest.fixture
def shelf() -> LogShelf:
    """Nothing yet."""
    return LogShelf(100_000)


@pytest.fixture
def residents(shelf: LogShelf) -> Residents:
    """None in memory, and two in the storage; there may be four."""
    return Residents(SESSION_LIMITS, shelf, 4, EPOCH, {"ann": 1, "bob": 1}, last_number=7)


def creation(session_id: str) -> CreateSession:
    """A session of Ann's."""
    return CreateSession("ann", session_id, "tea", {"a": 1})


def entry(seq: int, ts: int = TS) -> Entry:
    """An entry as the storage has it."""
    log = Log("old", EPOCH, SESSION_LIMITS.log, last_seq=seq - 1)
    return log.append(AgentToken("old", str(seq)), ts)


def test_they_count_on(residents: Residents, shelf: LogShelf) -> None:
    """A session that is founded gets the next number, and its log is on the shelf."""
    session = residents.found(creation("s1"), NOW)
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    assert session.snapshot() == Session(
        "s1", "ann", moment, moment, "tea", metadata={"a": 1}, epoch=EPOCH, number=8
    )
    assert (residents.get("s1"), residents.get("s2"), residents.get(None)) == (session, None, None)
    assert (list(residents), len(residents), residents.count) == ([session], 1, 3)
    assert list(shelf) == [session.log]
    assert "s1" in residents


def test_the_bound_is_on_all_sessions(residents: Residents) -> None:
    """Those in the storage count: to leave the memory makes no room, to be deleted does."""
    session = residents.found(creation("s1"), NOW)
    residents.found(creation("s2"), NOW)
    residents.release(session)
    with pytest.raises(GatewayError) as caught:
        residents.check_room("ann", None)
    assert caught.value.code is ErrorCode.LIMIT_EXCEEDED
    [other] = residents
    residents.delete(other)
    residents.check_room("ann", None)
    assert residents.found(creation("s3"), NOW).number == 10


def test_one_that_cannot_be_founded_takes_no_number(residents: Residents) -> None:
    """A refusal leaves no trace."""
    with pytest.raises(GatewayError):
        residents.found(attrs.evolve(creation("s1"), metadata={"a": float("nan")}), NOW)
    assert (residents.count, len(residents)) == (2, 0)
    assert residents.found(creation("s1"), NOW).number == 8


def test_a_session_is_restored_as_it_was_stored(residents: Residents, shelf: LogShelf) -> None:
    """Its log goes on, its conversation and its outcomes are there; its turns are yet to be resumed."""
    kept = Session(
        "old", "ann", BORN, BORN, "tea", channels={"news": -1}, last_seq=9, epoch="before", number=3
    )
    message = NumberedMessage(4, HistoryMessage("user", "hi", "r1", TS), size_bytes=600)
    outcome = Outcome(key("a"), 1, answer())
    stored = StoredSession(
        kept, StoredLog(9, [entry(8), entry(9)]), [message], [Run("r2", Chat("hi", "old"))], [outcome]
    )
    session = residents.restore(stored)
    moment = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    assert session.snapshot() == attrs.evolve(kept, epoch=EPOCH, last_activity=moment)
    assert (session.log.first_seq, session.log.visible_seq, session.log.number) == (8, 9, 3)
    assert (session.history.dropped, list(session.history)) == (4, [message.message])
    assert list(session.outcomes) == [outcome]
    assert residents.count == 2
    assert shelf.size_bytes == session.log.size_bytes > 0


def test_no_session_is_older_than_its_newest_event(residents: Residents) -> None:
    """It is not saved with each event: after a crash, a long turn must not make it look abandoned."""
    kept = Session("old", "ann", BORN, BORN, number=3)
    session = residents.restore(StoredSession(kept, StoredLog(2, [entry(1), entry(2, TS + 5_000)])))
    assert session.last_activity == NOW + 5
    late = attrs.evolve(kept, id="late", last_activity=BORN + datetime.timedelta(days=9))
    assert residents.restore(StoredSession(late)).snapshot().last_activity == late.last_activity


def test_idle_are_those_that_nobody_needs(residents: Residents) -> None:
    """Unwatched, without a turn, without an answer that is owed, and silent since then."""
    session = residents.found(creation("s1"), NOW)
    assert residents.find_idle(NOW - 1) == []
    assert residents.find_idle(NOW) == [session]
    session.watchers["c1"] = handle()
    assert residents.find_idle(NOW) == []
    session.watchers.clear()
    session.run = Run("r1", Chat("hi", "s1"))
    assert residents.find_idle(NOW) == []
    session.run = None
    list(session.remember(key("a"), answer(), NOW, claimant="c1"))
    assert residents.find_idle(NOW) == []
    list(session.remember(key("a"), answer(), NOW))
    assert residents.find_idle(NOW) == [session]
