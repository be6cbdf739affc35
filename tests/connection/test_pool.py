from __future__ import annotations

from contextlib import ExitStack

import pytest

from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.outbox import Outbox
from bamboo_gateway.connection.pool import MAX_REFUSALS, ConnectionPool
from bamboo_gateway.protocol.closing import CloseCode
from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.session.log import Log, LogLimits


def test_slots_are_taken_and_given_back() -> None:
    """Beyond `max_connections` a client is refused, and again admitted when one has left."""
    pool = ConnectionPool(2)
    with pool.slot() as first, ExitStack() as stack:
        assert first is True
        assert stack.enter_context(pool.slot()) is True
        assert stack.enter_context(pool.slot()) is False
        assert pool.statistics().open == 2
        stack.close()
        with pool.slot() as again:
            assert again is True
    statistics = pool.statistics()
    assert (statistics.open, statistics.accepted, statistics.refused) == (0, 3, 1)


def test_only_so_many_are_told_that_there_is_no_room() -> None:
    """A flood of refused sockets is not served either: beyond `MAX_REFUSALS` they are dropped unheard."""
    pool = ConnectionPool(1)
    with ExitStack() as stack:
        stack.enter_context(pool.slot())
        told = [stack.enter_context(pool.slot()) for _ in range(MAX_REFUSALS + 3)]
        assert told == [False] * MAX_REFUSALS + [None] * 3
        assert pool.statistics().refused == MAX_REFUSALS + 3
    with pool.slot() as admitted, pool.slot() as refused:
        assert (admitted, refused) == (True, False)


def test_a_slot_is_given_back_whatever_happens() -> None:
    """An exception inside the block does not keep the slot."""
    pool = ConnectionPool(1)
    for _ in range(3):
        with pytest.raises(LookupError), pool.slot() as admitted, pool.slot() as refused:
            raise LookupError(admitted, refused)
        with pool.slot() as admitted:
            assert admitted


def test_a_connection_is_known_while_it_is_open() -> None:
    """Between `add` and `remove` it can be found by its id; the oldest is listed first."""
    pool = ConnectionPool(10)
    one, other = Connection(Outbox(None)), Connection(Outbox(None))
    assert pool.get(one.id) is None
    pool.add(one)
    pool.add(other)
    assert list(pool) == [one, other]
    for connection in pool:  # a copy: who ends a connection may do so while it looks at all of them
        pool.remove(connection)
    pool.remove(one)
    assert list(pool) == []
    assert pool.get(one.id) is None


def test_what_the_pool_counts() -> None:
    """Ends by their close code, as text for JSON; who is behind, and how far; bytes that wait."""
    pool = ConnectionPool(10)
    for code in (CloseCode.NORMAL, CloseCode.SUPERSEDED, CloseCode.NORMAL):
        pool.count(code)
    live, behind = Connection(Outbox(None)), Connection(Outbox(None))
    pool.add(live)
    pool.add(behind)
    behind.outbox.push(b"12345")
    log = Log("s", "epoch", LogLimits(10, 1000))
    behind.outbox.follow(log, 0)
    live.outbox.follow(log, 0)
    for text in "abc":
        log.append(AgentToken("s", text), ts=1)
    log.show(3)
    live.outbox.offer(log, 0, 3, b"")
    behind.outbox.flush()
    statistics = pool.statistics()
    assert statistics.closed == {"1000": 2, "4003": 1}
    assert (statistics.behind, statistics.waiting_bytes) == (1, 5)
    assert statistics.lags == {behind.id: 3}
