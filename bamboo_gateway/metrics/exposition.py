"""The metrics as text for Prometheus, made when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..histogram import HistogramSnapshot
from ..http.endpoints import METRICS_TYPE
from ..statistics import Measurements
from .metric import Metric
from .table import METRICS

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

CONTENT_TYPE = METRICS_TYPE
"""Prometheus' text format, which every collector reads."""


def expose(measured: Measurements) -> bytes:
    """
    Write all metrics, and what the system says of this process (`process_…`, on Linux).

    The first call imports prometheus-client, which takes some 50 ms.
    """
    # Here, for neither `--version` nor a gateway that nobody scrapes should pay for it.
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(measured))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Collector:
    """What prometheus-client asks for families."""

    def __init__(self, measured: Measurements) -> None:
        self._measured = measured

    def collect(self) -> Iterable[Family]:
        return (_family(metric, self._measured) for metric in METRICS.values())


def _family(metric: Metric, measured: Measurements) -> Family:
    from prometheus_client.core import Metric as Family  # noqa: PLC0415 -- as above

    family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind)
    names = [label.name for label in metric.labels]
    for values, reading in metric.read(measured).items():
        labels = dict(zip(names, values, strict=True))
        if isinstance(reading, HistogramSnapshot):
            for suffix, more, value in _samples(reading):
                family.add_sample(metric.name + suffix, labels | more, value)
        else:
            family.add_sample(metric.name, labels, reading)
    return family


def _samples(histogram: HistogramSnapshot) -> Iterator[tuple[str, dict[str, str], float]]:
    bounds = [str(float(bound)) for bound in histogram.bounds]
    for bound, count in zip([*bounds, "+Inf"], histogram.cumulative, strict=True):
        yield "_bucket", {"le": bound}, count
    yield "_count", {}, histogram.count
    yield "_sum", {}, histogram.sum
