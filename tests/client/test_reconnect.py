from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.client import Reconnect

seconds = st.floats(min_value=0.001, max_value=1e6)
policies = st.builds(Reconnect, first_interval=seconds, max_interval=seconds)
attempts = st.integers(min_value=0, max_value=10_000)
chances = st.floats(min_value=0, max_value=1)


@given(policies, attempts, chances)
def test_a_pause_is_a_random_part_of_an_interval_that_doubles(
    policy: Reconnect, attempt: int, chance: float
) -> None:
    """Full jitter, before the first attempt as before every other, and never more than the bound."""
    longest = min(policy.max_interval, policy.first_interval * 2.0 ** min(attempt, 60))
    assert policy.pause(attempt, chance) == pytest.approx(chance * longest)
    assert policy.pause(attempt, 0.0) == 0
    assert policy.pause(attempt, 1.0) <= policy.max_interval


@given(policies, attempts, chances, seconds)
def test_what_the_gateway_asks_for_is_the_least(
    policy: Reconnect, attempt: int, chance: float, retry_after: float
) -> None:
    """Not the same for all: everybody was asked for it at the same moment."""
    pause = policy.pause(attempt, chance, retry_after)
    assert pause >= retry_after
    assert pause - retry_after == pytest.approx(policy.pause(attempt, chance), abs=1e-6)


@given(policies, chances, seconds, st.floats(min_value=0, max_value=1e6))
def test_the_gateway_knows_over_how_long_all_shall_spread(
    policy: Reconnect, chance: float, retry_after: float, jitter: float
) -> None:
    """The first attempt is spread over that; the others as ever: nobody knows for how long it is away."""
    assert policy.pause(0, chance, retry_after, jitter) == retry_after + chance * jitter
    assert policy.pause(0, chance, None, -jitter) == 0
    assert policy.pause(1, chance, retry_after, jitter) == policy.pause(1, chance, retry_after)


@pytest.mark.parametrize("retry_after", [None, 0.0, -5.0])
def test_a_gateway_that_asks_for_nothing_shortens_no_pause(retry_after: float | None) -> None:
    """Nor does one that talks nonsense."""
    assert Reconnect(first_interval=4.0).pause(0, 0.5, retry_after) == 2.0


def test_the_defaults() -> None:
    """What the documents say of them."""
    policy = Reconnect()
    assert [policy.pause(attempt, 1.0) for attempt in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert policy.give_up_at(10.0) == 310.0


def test_a_client_may_be_told_never_to_give_up() -> None:
    """None is no time."""
    assert Reconnect(give_up_timeout=None).give_up_at(10.0) == math.inf


@pytest.mark.parametrize("field", ["first_interval", "max_interval", "give_up_timeout"])
def test_a_policy_that_would_not_pause_is_none(field: str) -> None:
    """A loop without pauses is an attack."""
    with pytest.raises(ValueError, match="must be > 0"):
        Reconnect(**{field: 0.0})
