from __future__ import annotations

from hypothesis import given, strategies as st

from bamboo_gateway.identity.failures import FAILURE_WINDOW, MAX_ADDRESSES, FailedTokens

BLOCK = 300.0


def blocked(failed: FailedTokens, address: str, now: float) -> float:
    """How long an address has to wait."""
    return failed.blocked_for(address, now, BLOCK)


def test_the_last_of_too_many_blocks() -> None:
    """That address, for as long as it is said, and no other."""
    failed = FailedTokens()
    assert [failed.count("a", now, 3) for now in (1.0, 2.0, 3.0)] == [False, False, True]
    assert blocked(failed, "a", 3.0) == BLOCK
    assert blocked(failed, "a", 302.0) == 1.0
    assert blocked(failed, "a", 303.0) == 0.0
    assert blocked(failed, "b", 3.0) == 0.0


def test_afterwards_it_begins_anew() -> None:
    """Its old failures are paid for."""
    failed = FailedTokens()
    for now in (1.0, 2.0):
        failed.count("a", now, 2)
    assert not failed.count("a", 3.0, 2)
    assert failed.count("a", 4.0, 2)


def test_an_old_failure_counts_no_longer() -> None:
    """A minute is enough to forget one."""
    failed = FailedTokens()
    assert not failed.count("a", 0.0, 2)
    assert not failed.count("a", FAILURE_WINDOW, 2)
    assert failed.count("a", FAILURE_WINDOW + 1, 2)


def test_a_block_is_as_long_as_it_is_said_now() -> None:
    """Settings that are read anew hold for who is blocked already."""
    failed = FailedTokens()
    failed.count("a", 0.0, 1)
    assert failed.blocked_for("a", 5.0, 10.0) == 5.0
    assert failed.blocked_for("a", 5.0, 3.0) == 0.0


def test_its_memory_is_bounded() -> None:
    """The address that failed longest ago is forgotten."""
    failed = FailedTokens()
    failed.count("old", 0.0, 1)
    for number in range(MAX_ADDRESSES - 1):
        failed.count(str(number), 1.0, 1)
    assert blocked(failed, "old", 1.0)
    failed.count("new", 2.0, 1)
    assert len(failed) == MAX_ADDRESSES
    assert not blocked(failed, "old", 2.0)
    assert blocked(failed, "0", 2.0)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100)), max_size=60),
    st.integers(1, 5),
)
def test_it_blocks_exactly_at_so_many_in_a_minute(steps: list[tuple[str, float]], most: int) -> None:
    """Against a list of all failures, in any order of two addresses."""
    failed, now = FailedTokens(), 0.0
    counted: dict[str, list[float]] = {"a": [], "b": []}
    for address, pause in steps:
        now += pause
        counted[address] = [each for each in counted[address] if each > now - FAILURE_WINDOW] + [now]
        is_too_many = len(counted[address]) >= most
        assert failed.count(address, now, most) is is_too_many
        if is_too_many:
            counted[address] = []
