from __future__ import annotations

import math

import attrs
import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.cli.distribution import Distribution
from bamboo_gateway.histogram import Histogram

BOUNDS = [0.1, 0.2, 0.5, 1.0]


def observed(*values: float) -> Distribution:
    """What a gateway would tell of these."""
    histogram = Histogram(BOUNDS)
    for value in values:
        histogram.observe(value)
    return Distribution(BOUNDS, list(histogram.snapshot().counts))


@pytest.mark.parametrize(
    "value", [None, {}, {"bounds": [1], "counts": [1]}, {"bounds": 1, "counts": [1, 2]}, {"counts": [1]}]
)
def test_what_is_no_histogram_is_none(value: object) -> None:
    """An older gateway tells none; a newer one may tell something else."""
    assert Distribution.read(value) is None


def test_a_histogram_is_read_as_it_is_told() -> None:
    """With one count more than there are bounds."""
    told = {"bounds": [0.5, 1], "counts": [1, 0, 2], "sum": 7.0}
    assert Distribution.read(told) == Distribution([0.5, 1.0], [1, 0, 2])


def test_quantiles_are_found_inside_their_bucket() -> None:
    """As if it were filled evenly."""
    ten = observed(*[0.15] * 10)
    assert ten.quantile(0.5) == pytest.approx(0.15)
    assert ten.quantile(0.99) == pytest.approx(0.199)
    assert observed(0.05, 0.05, 0.3, 0.3).quantile(0.5) == pytest.approx(0.1)


def test_what_is_above_all_bounds_is_infinite() -> None:
    """Nobody knows how large it was."""
    assert observed(0.1, 7.0).quantile(0.99) == math.inf


def test_of_nothing_there_is_no_quantile() -> None:
    """Not even zero."""
    assert observed().quantile(0.5) is None


@given(st.lists(st.floats(0, 0.999), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_in_the_bucket_of_the_true_one(values: list[float], part: float) -> None:
    """Whatever was observed."""
    true = sorted(values)[max(0, math.ceil(part * len(values) - 1e-9) - 1)]
    edges = [0.0, *BOUNDS]
    low = max(edge for edge in edges if edge < true or edge == 0.0)
    high = min(edge for edge in edges if edge >= true and edge)
    found = observed(*values).quantile(part)
    assert found is not None
    assert low - 1e-9 <= found <= high + 1e-9


@given(st.lists(st.floats(0, 5)), st.lists(st.floats(0, 5)))
def test_what_came_since_is_what_was_observed_since(before: list[float], after: list[float]) -> None:
    """And nothing of what was before."""
    assert observed(*before, *after).since(observed(*before)) == observed(*after)


def test_of_a_gateway_that_has_started_anew_all_is_since() -> None:
    """Its counts began again; or its buckets are others."""
    new = observed(0.3)
    assert new.since(observed(0.1, 0.1)) == new
    assert new.since(attrs.evolve(new, bounds=[1, 2, 3, 4])) == new
    assert new.since(None) == new
