"""The table of metrics keeps the rules of promtool, and its readings those of the table."""

from __future__ import annotations

import re

import pytest

from bamboo_gateway import Gateway
from bamboo_gateway.histogram import HistogramSnapshot
from bamboo_gateway.metrics import METRICS
from bamboo_gateway.metrics.metric import Metric
from bamboo_gateway.statistics import Measurements

UNITS = ("_seconds", "_bytes", "_info", "_changes", "_requests")
"""What a name may end with, beside `_total`, where it counts something else than things."""

FORBIDDEN = {
    "session",
    "session_id",
    "user",
    "user_id",
    "principal",
    "address",
    "connection",
    "run",
    "channel",
}
"""Labels whose values grow with the load."""

rows = pytest.mark.parametrize("metric", [pytest.param(each, id=name) for name, each in METRICS.items()])


@pytest.fixture
def measured() -> Measurements:
    """What a gateway measures that has not done anything."""
    return Gateway().measure()


@rows
def test_names_are_as_prometheus_wants_them(metric: Metric) -> None:
    """Lower case and base units; `_total` is for counters, and no name ends as a part of a histogram does."""
    assert re.fullmatch(r"bamboo(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not metric.name.endswith(("_count", "_sum", "_bucket", "_created", "_milliseconds", "_ms", "_kib"))
    if metric.kind == "histogram":
        assert metric.name.endswith(UNITS)


@rows
def test_help_is_one_sentence(metric: Metric) -> None:
    """It begins with a capital or a digit, and needs no escape."""
    assert metric.help[0].isupper() or metric.help[0].isdigit()
    assert not metric.help.endswith(".")
    assert "\n" not in metric.help
    assert "\\" not in metric.help


@rows
def test_labels_have_few_values(metric: Metric) -> None:
    """No session, user or address is one; each has a closed set, or one value for the process's life."""
    for label in metric.labels:
        assert re.fullmatch(r"[a-z]+", label.name)
        assert label.name not in FORBIDDEN
        assert len(set(label.values)) == len(label.values) <= 20
        assert label.values or metric.name == "bamboo_build_info"


@rows
def test_what_is_read_is_what_the_row_says(metric: Metric, measured: Measurements) -> None:
    """Each value of each label is there from the start, and is a histogram where it should be."""
    readings = metric.read(measured)
    for values, reading in readings.items():
        assert len(values) == len(metric.labels)
        assert isinstance(reading, HistogramSnapshot) == (metric.kind == "histogram")
        for label, value in zip(metric.labels, values, strict=True):
            assert not label.values or value in label.values
    expected = 1
    for label in metric.labels:
        expected *= len(label.values) or 1
    assert len(readings) == expected
