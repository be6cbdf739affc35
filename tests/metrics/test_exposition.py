"""The text for Prometheus, read back by prometheus-client's own parser."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from bamboo_gateway import Gateway
from bamboo_gateway.metrics import CONTENT_TYPE, METRICS
from bamboo_gateway.turns import OUTCOMES


def scrape(gateway: Gateway) -> dict[str, Family]:
    """The families of a gateway's metrics."""
    families = list(text_string_to_metric_families(gateway.metrics().decode()))
    assert max(Counter(family.name for family in families).values()) == 1
    return {family.name: family for family in families}


def test_each_row_is_a_family_of_its_kind() -> None:
    """With its help; and besides them there is only what the system says of the process."""
    families = scrape(Gateway())
    ours = {name: family for name, family in families.items() if not name.startswith("process_")}
    assert {name: (family.type, family.documentation) for name, family in ours.items()} == {
        name.removesuffix("_total"): (metric.kind, metric.help) for name, metric in METRICS.items()
    }


def test_no_series_is_there_twice() -> None:
    """Name and labels tell all samples apart."""
    samples = [sample for family in scrape(Gateway()).values() for sample in family.samples]
    assert max(Counter((each.name, tuple(sorted(each.labels.items()))) for each in samples).values()) == 1


def test_histograms_are_whole() -> None:
    """Buckets rise to +Inf, which has as many as the count says."""
    gateway = Gateway()
    for seconds in (0.5, 0.01, 7):
        gateway._loop_lag.observe(seconds)
    samples = scrape(gateway)["bamboo_event_loop_lag_seconds"].samples
    buckets = {each.labels["le"]: each.value for each in samples if each.name.endswith("_bucket")}
    rest = {each.name.rpartition("_")[2]: each.value for each in samples if "le" not in each.labels}
    assert list(buckets.values()) == sorted(buckets.values())
    assert (buckets["0.005"], buckets["0.01"], buckets["5.0"], buckets["+Inf"]) == (0, 1, 2, 3)
    assert rest == {"count": 3, "sum": 7.51}


def test_labels_and_buckets_go_together() -> None:
    """A histogram with a label has all its buckets for each value."""
    samples = scrape(Gateway())["bamboo_turn_duration_seconds"].samples
    ends = {each.labels["outcome"] for each in samples if each.labels.get("le") == "+Inf"}
    assert ends == set(OUTCOMES)


def test_the_process_is_described_by_the_system() -> None:
    """Memory and descriptors, where there is a /proc."""
    families = scrape(Gateway())
    if sys.platform == "linux":
        assert families["process_resident_memory_bytes"].samples[0].value > 10**6
        assert families["process_open_fds"].samples[0].value > 2


def test_the_content_type_is_that_of_the_text() -> None:
    """Version 0.0.4, which each collector reads."""
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


def test_nobody_pays_for_prometheus_before_a_scrape() -> None:
    """Neither the command line nor a gateway imports it."""
    code = (
        "import sys; from bamboo_gateway.cli import main; from bamboo_gateway import Gateway; Gateway(); "
        "sys.exit(any(name.startswith(('prometheus_client', 'stackscope')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
