from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.histogram import Histogram, join

numbers = st.floats(-1e6, 1e6)


def test_a_bound_belongs_to_its_bucket() -> None:
    """As Prometheus' `le` has it."""
    histogram = Histogram((1, 2))
    for value in (0, 1, 1.5, 2, 2.1):
        histogram.observe(value)
    snapshot = histogram.snapshot()
    assert snapshot.counts == (2, 2, 1)
    assert snapshot.cumulative == (2, 4, 5)
    assert (snapshot.count, snapshot.sum) == (5, 6.6)


@given(st.lists(numbers, unique=True).map(sorted), st.lists(numbers))
def test_each_bound_has_all_that_is_no_larger(bounds: list[float], values: list[float]) -> None:
    """The count of each bound, and of all, is what a look at every value gives."""
    histogram = Histogram(bounds)
    for value in values:
        histogram.observe(value)
    expected = [sum(value <= bound for value in values) for bound in bounds]
    assert histogram.snapshot().cumulative == (*expected, len(values))


@given(st.lists(numbers, unique=True).map(sorted), st.lists(st.lists(numbers), min_size=1))
def test_what_is_joined_is_as_if_all_had_been_observed_in_one(
    bounds: list[float], parts: list[list[float]]
) -> None:
    """Each bucket has what all of them have, and so has the sum."""
    each = [Histogram(bounds) for _ in parts]
    whole = Histogram(bounds)
    for histogram, values in zip(each, parts, strict=True):
        for value in values:
            histogram.observe(value)
            whole.observe(value)
    joined, expected = join(histogram.snapshot() for histogram in each), whole.snapshot()
    assert (joined.bounds, joined.counts) == (expected.bounds, expected.counts)
    assert joined.sum == pytest.approx(expected.sum, abs=1e-3)


def test_a_snapshot_stays_as_it_was() -> None:
    """What is observed later is in a later one."""
    histogram = Histogram((1,))
    before = histogram.snapshot()
    histogram.observe(3)
    assert before.count == 0
