from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.connection.message_rate import BURST, SWEEP_SIZE, MessageRates, TokenBucket
from bamboo_gateway.principal import LOCAL, Principal, Quotas, Scope

ANN = Principal("ann", frozenset({Scope.CHAT}))
CONFIG = GatewayConfig(message_rate=0, principal_message_rate=1)


def drain(bucket: TokenBucket, now: float, rate: float) -> int:
    """How many it gives at once."""
    count = 0
    while not bucket.take(now, rate):
        count += 1
    return count


# ── one bucket ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("rate", "burst"), [(1.0, 10), (100.0, 1000), (0.5, 5), (0.05, 1), (0.001, 1)])
def test_ten_seconds_worth_come_at_once(rate: float, burst: int) -> None:
    """And one at least, however slow."""
    assert drain(TokenBucket(), 1e6, rate) == burst


def test_it_says_when_there_will_be_one() -> None:
    """Not before, and then exactly one; to ask in vain costs nothing."""
    bucket = TokenBucket()
    drain(bucket, 1000.0, 2.0)
    assert bucket.take(1000.0, 2.0) == pytest.approx(0.5)
    assert bucket.take(1000.25, 2.0) == pytest.approx(0.25)
    assert bucket.take(1000.5, 2.0) == 0.0
    assert bucket.take(1000.5, 2.0) == pytest.approx(0.5)


def test_without_a_rate_there_is_no_limit() -> None:
    """0 switches it off."""
    bucket = TokenBucket()
    assert not any(bucket.take(0.0, 0.0) for _ in range(10_000))


def test_a_new_rate_holds_at_once() -> None:
    """An empty bucket fills at the new one."""
    bucket = TokenBucket()
    drain(bucket, 100.0, 1.0)
    assert bucket.take(100.0, 100.0) == pytest.approx(0.01)
    assert bucket.take(100.0, 0.0) == 0.0


@given(st.floats(0.01, 1000), st.lists(st.floats(0, 20), max_size=200))
def test_it_gives_no_more_than_its_rate_and_one_burst(rate: float, pauses: list[float]) -> None:
    """Whenever it is asked; and at least one after as long as it said."""
    bucket, now, given_out = TokenBucket(), 1000.0, 0
    for pause in pauses:
        now += pause
        wait = bucket.take(now, rate)
        given_out += not wait
        assert given_out <= (now - 1000.0) * rate + max(1.0, BURST * rate) + 1e-6
        if wait:
            now += wait + 1e-6
            assert bucket.take(now, rate) == 0.0
            given_out += 1


# ── of principals ────────────────────────────────────────────────────────────


def test_all_connections_of_a_user_share_one() -> None:
    """Another user has another, and the operator none."""
    rates = MessageRates()
    taken = [rates.take(TokenBucket(), ANN, 0.0, CONFIG) for _ in range(11)]
    assert [bool(wait) for wait in taken] == [False] * 10 + [True]
    assert not rates.take(TokenBucket(), Principal("bob"), 0.0, CONFIG)
    assert not any(rates.take(TokenBucket(), LOCAL, 0.0, CONFIG) for _ in range(100))
    assert not any(rates.take(TokenBucket(), None, 0.0, CONFIG) for _ in range(100))
    assert len(rates) == 2


@pytest.mark.parametrize(("quota", "most"), [(2.0, 20), (0.1, 1), (0, 100)])
def test_a_quota_goes_before_the_setting(quota: float, most: int) -> None:
    """0: this user is held to nothing."""
    rates, ann = MessageRates(), Principal("ann", quotas=Quotas(message_rate=quota))
    waits = [rates.take(TokenBucket(), ann, 0.0, CONFIG) for _ in range(100)]
    assert waits.count(0.0) == most


def test_a_connection_has_its_own_besides() -> None:
    """Of an operator, too; what it refuses is not taken from its user's."""
    rates, own = MessageRates(), TokenBucket()
    config = GatewayConfig(message_rate=0.1, principal_message_rate=1)
    assert not rates.take(own, ANN, 0.0, config)
    assert rates.take(own, ANN, 0.0, config) == pytest.approx(10.0)
    assert rates.take(own, LOCAL, 0.0, config)
    others = [rates.take(TokenBucket(), ANN, 0.0, config) for _ in range(10)]
    assert others.count(0.0) == 9


def test_who_is_gone_is_forgotten() -> None:
    """Once the bucket is full again, and not before: who comes back finds it as it was."""
    rates = MessageRates()
    for _ in range(10):
        rates.take(TokenBucket(), ANN, 0.0, CONFIG)
    for number in range(SWEEP_SIZE * 4):
        rates.take(TokenBucket(), Principal(f"user {number}"), number / 100, CONFIG)
        assert len(rates) <= SWEEP_SIZE * 2
        if number == 100:
            assert rates.take(TokenBucket(), ANN, number / 100, CONFIG) == 0.0
    assert rates.take(TokenBucket(), ANN, 100.0, CONFIG) == 0.0


def test_a_crowd_that_speaks_is_kept() -> None:
    """However large: to forget a bucket that is not full would be to fill it."""
    rates = MessageRates()
    crowd = [Principal(f"user {number}") for number in range(SWEEP_SIZE * 3)]
    for who in crowd:
        for _ in range(10):
            assert not rates.take(TokenBucket(), who, 0.0, CONFIG)
    assert len(rates) == len(crowd)
    assert all(rates.take(TokenBucket(), who, 0.0, CONFIG) for who in crowd)
