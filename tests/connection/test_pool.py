from __future__ import annotations

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.admission import Admission
from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.outbox import Outbox
from bamboo_gateway.connection.pool import ConnectionPool
from bamboo_gateway.principal import LOCAL, Principal, Scope
from bamboo_gateway.protocol.closing import CloseCode
from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.refusals import HandshakeFailure
from bamboo_gateway.session.log import Log, LogLimits


def entered(pool: ConnectionPool) -> Connection:
    """A connection whose client has yet to say who it is."""
    return Connection(Outbox(None), pool.admission.enter("192.0.2.1", 0, 0))


def test_seats_are_taken_and_given_back() -> None:
    """Beyond `max_connections` a client gets no seat, and one when another has left."""
    pool = ConnectionPool(Admission())
    one, other, third = (entered(pool) for _ in range(3))
    assert pool.statistics().unauthenticated == 3
    two = GatewayConfig(max_connections=2)
    assert pool.seat(one, LOCAL, two)
    assert pool.seat(one, LOCAL, two), "who has a seat keeps it"
    assert pool.seat(other, LOCAL, two)
    assert not pool.seat(third, LOCAL, two)
    assert not pool.has_seat(2)
    statistics = pool.statistics()
    assert (statistics.open, statistics.unauthenticated, statistics.accepted) == (3, 1, 3)
    pool.release(one)
    assert pool.has_seat(2)
    assert pool.seat(third, LOCAL, two)
    assert pool.statistics().unauthenticated == 0


def test_one_user_does_not_take_all_seats() -> None:
    """Beyond `max_connections_per_principal` theirs are refused, nobody else's; operators have none."""
    pool, config = (
        ConnectionPool(Admission()),
        GatewayConfig(max_connections=5, max_connections_per_principal=2),
    )
    ann, bob = Principal("ann", frozenset({Scope.CHAT})), Principal("bob", frozenset({Scope.CHAT}))
    first, second, third, another = (entered(pool) for _ in range(4))
    assert pool.seat(first, ann, config)
    assert pool.seat(second, ann, config)
    assert not pool.seat(third, ann, config)
    assert pool.seat(another, bob, config)
    assert not pool.seat(another, ann, config), "who becomes somebody else counts as them"
    assert pool.seat(another, bob, config)
    pool.release(first)
    pool.release(first)
    assert pool.seat(third, ann, config)
    assert all(pool.seat(entered(pool), LOCAL, config) for _ in range(2))
    off = GatewayConfig(max_connections=0, max_connections_per_principal=0)
    assert all(pool.seat(entered(pool), ann, off) for _ in range(10))


def test_no_limit_has_always_a_seat() -> None:
    """0 switches the limit off."""
    pool = ConnectionPool(Admission())
    assert all(pool.seat(entered(pool), LOCAL, GatewayConfig(max_connections=0)) for _ in range(100))
    assert pool.has_seat(0)


def test_a_connection_is_known_while_it_is_open() -> None:
    """Between `add` and `remove` it can be found by its id; the oldest is listed first."""
    pool = ConnectionPool(Admission())
    one, other = entered(pool), entered(pool)
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
    pool = ConnectionPool(Admission())
    for code in (CloseCode.NORMAL, CloseCode.SUPERSEDED, CloseCode.NORMAL):
        pool.count(code)
    live, behind = entered(pool), entered(pool)
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
    pool.admission.count_refusal(HandshakeFailure.ORIGIN)
    statistics = pool.statistics()
    assert statistics.closed == {"1000": 2, "4003": 1}
    assert statistics.refused == {"origin": 1}
    assert (statistics.behind, statistics.waiting_bytes) == (1, 5)
    assert statistics.lags == {behind.id: 3}
