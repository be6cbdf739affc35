"""The dashboard asks for metrics that there are, by labels that they have, and shows all of them."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bamboo_gateway.metrics import METRICS

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana" / "bamboo-gateway.json").read_text())
LEFT_OUT = runpy.run_path(str(DOCS / "grafana_dashboard.py"))["LEFT_OUT"]

PROCESS = {"process_resident_memory_bytes", "process_open_fds", "process_max_fds"}
TARGET = {"job", "instance"}
"""Labels that Prometheus adds to everything that it scrapes."""


def targets() -> Iterator[dict[str, str]]:
    """Every query of every panel."""
    for panel in DASHBOARD["panels"]:
        yield from panel.get("targets", [])


def series() -> Iterator[tuple[str, set[str], set[str]]]:
    """Each series that is queried, the labels that are asked of it, and all that it has."""
    for target in targets():
        expr = target["expr"]
        for name, selector in re.findall(r"((?:bamboo|process)_[a-z_]+)(?:\{([^}]*)\})?", expr):
            asked = set(re.findall(r"(\w+)\s*=", selector))
            for group in re.findall(r"by \(([^)]*)\)", expr):
                asked |= set(group.split(", "))
            asked |= set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            metric = METRICS.get(name) or METRICS.get(name.removesuffix("_bucket"))
            labels = {label.name for label in metric.labels} if metric else set()
            if metric and metric.kind == "histogram":
                labels |= {"le"}
                assert name.endswith("_bucket"), f"{name} has no value of its own"
            assert metric or name in PROCESS, f"there is no {name}"
            yield metric.name if metric else name, asked, labels | TARGET


def test_each_query_asks_for_what_there_is() -> None:
    """Names, labels in selectors, in `by` and in legends."""
    for name, asked, labels in series():
        assert asked <= labels, name


def test_all_that_is_measured_is_shown_or_left_out_on_purpose() -> None:
    """A new row of the table has to go somewhere."""
    shown = {name for name, _, _ in series() if name not in PROCESS}
    assert shown | LEFT_OUT == set(METRICS)
    assert not shown & LEFT_OUT


def test_counters_are_rates() -> None:
    """The plain value of one says nothing."""
    for target in targets():
        for name in re.findall(r"bamboo_[a-z_]+(?:_total|_bucket)", target["expr"]):
            assert f"rate({name}{{" in target["expr"]


def test_grafana_can_load_it() -> None:
    """Panels have their own ids, stand side by side in 24 columns, and use the variables that there are."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps([panels, DASHBOARD["templating"]])))
    assert used == variables
