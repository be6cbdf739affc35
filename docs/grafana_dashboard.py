"""The Grafana dashboard: rows of panels, each some queries in one unit. `docs/generate.py` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

WIDTH, HEIGHT, ACROSS = 8, 7, 3
"""Of a panel, in Grafana's units (a dashboard has 24 across); and how many stand beside each other."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

Query = tuple[str, str]
"""PromQL, and the legend of what it gives."""


@attrs.frozen
class Panel:
    """One diagram."""

    title: str
    unit: str
    """Grafana's id of it."""
    queries: Sequence[Query]
    kind: str = "timeseries"


def _here(name: str) -> str:
    return f'{name}{{job=~"$job", instance=~"$instance"}}'


def _now(name: str, by: str = "") -> str:
    return f"sum{by and f' by ({by})'} ({_here(name)})"


def _rate(name: str, by: str = "") -> str:
    return f"sum{by and f' by ({by})'} (rate({_here(name)}[$__rate_interval]))"


def _quantiles(name: str, by: str = "") -> list[Query]:
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    return [
        (f"histogram_quantile({share}, {_rate(f'{name}_bucket', labels)})", f"p{round(share * 100)}{legend}")
        for share in (0.5, 0.99)
    ]


ROWS: dict[str, Sequence[Panel]] = {
    "Gateway": [
        Panel(
            "Build",
            "short",
            [(_here("bamboo_build_info"), "{{version}}, Python {{python}}, Trio {{trio}}")],
            "stat",
        ),
        Panel("Uptime", "s", [(_here("bamboo_uptime_seconds"), "{{instance}}")], "stat"),
        Panel("Storage fails", "short", [(_here("bamboo_storage_failing"), "{{instance}}")], "stat"),
        Panel("Event-loop lag", "s", _quantiles("bamboo_event_loop_lag_seconds")),
        Panel("Memory", "bytes", [(_now("process_resident_memory_bytes"), "resident")]),
        Panel(
            "File descriptors",
            "short",
            [(_now("process_open_fds"), "open"), (_now("process_max_fds"), "limit")],
        ),
    ],
    "Connections": [
        Panel("Connections", "short", [(_now("bamboo_connections", "state"), "{{state}}")]),
        Panel(
            "Sockets",
            "cps",
            [
                (_rate("bamboo_connections_accepted_total"), "accepted"),
            ],
        ),
        Panel("Closes by code", "cps", [(_rate("bamboo_connections_closed_total", "code"), "{{code}}")]),
        Panel(
            "Handshake failures", "cps", [(_rate("bamboo_handshake_failures_total", "reason"), "{{reason}}")]
        ),
        Panel(
            "Rate-limited messages",
            "cps",
            [(_rate("bamboo_messages_rate_limited_total"), "refused")],
        ),
        Panel("Outbox bytes", "bytes", [(_now("bamboo_outbox_bytes"), "waiting")]),
    ],
    "Delivery": [
        Panel("Events appended", "cps", [(_rate("bamboo_events_appended_total"), "appended")]),
        Panel("Events delivered", "cps", [(_rate("bamboo_events_delivered_total", "way"), "{{way}}")]),
        Panel("Delivery lag", "s", _quantiles("bamboo_delivery_lag_seconds")),
        Panel(
            "Resumes and gaps",
            "cps",
            [
                (_rate("bamboo_resumes_total"), "resumes"),
                (_rate("bamboo_gaps_total", "cause"), "gaps: {{cause}}"),
            ],
        ),
    ],
    "Turns": [
        Panel(
            "Turns and chats",
            "short",
            [(_now("bamboo_turns_running"), "turns running"), (_now("bamboo_chats_queued"), "chats queued")],
        ),
        Panel("Turns by outcome", "cps", [(_rate("bamboo_turns_total", "outcome"), "{{outcome}}")]),
        Panel("Turn duration", "s", _quantiles("bamboo_turn_duration_seconds", "outcome")),
    ],
    "Sessions and the registry": [
        Panel(
            "Sessions",
            "short",
            [
                (_now("bamboo_sessions"), "sessions"),
                (_now("bamboo_sessions_resident"), "in memory"),
                (_now("bamboo_sessions_fetching"), "being read"),
                (_now("bamboo_watchers"), "watchers"),
                (_now("bamboo_channels"), "channels"),
            ],
        ),
        Panel("Registry inbox", "short", [(_now("bamboo_registry_inbox_requests"), "requests")]),
        Panel(
            "Requests",
            "cps",
            [
                (_rate("bamboo_registry_requests_total"), "all"),
                (_rate("bamboo_registry_requests_refused_total"), "refused"),
            ],
        ),
        Panel("Logs in memory", "bytes", [(_now("bamboo_log_bytes"), "logs")]),
    ],
    "Storage": [
        Panel("Commit time", "s", _quantiles("bamboo_journal_commit_seconds")),
        Panel("Changes a commit", "short", _quantiles("bamboo_journal_commit_changes")),
        Panel(
            "Failures",
            "short",
            [
                (_rate("bamboo_journal_commit_failures_total"), "failures a second"),
                (_now("bamboo_journal_held_requests"), "requests held"),
            ],
        ),
    ],
}

LEFT_OUT = {"bamboo_event_loop_lag_last_seconds"}
"""What needs no diagram: it is one look of those that make the event-loop lag."""


def render() -> str:
    """The dashboard, to be imported by Grafana 10 or newer."""
    dashboard = {
        "uid": "bamboo-gateway",
        "title": "Bamboo Gateway",
        "tags": ["bamboo-gateway"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": list(_variables())},
        "panels": list(_panels()),
    }
    return json.dumps(dashboard, indent=2) + "\n"


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    for name, query in (
        ("job", "label_values(bamboo_build_info, job)"),
        ("instance", 'label_values(bamboo_build_info{job=~"$job"}, instance)'),
    ):
        yield {
            "name": name,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": name},
            "refresh": 2,
            "multi": True,
            "includeAll": True,
            "current": {"text": "All", "value": "$__all"},
        }


def _panels() -> Iterator[dict[str, Any]]:
    top = number = 0
    for title, panels in ROWS.items():
        number += 1
        place = {"x": 0, "y": top, "w": WIDTH * ACROSS, "h": 1}
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "gridPos": place,
            "panels": [],
        }
        top += 1
        for at, panel in enumerate(panels):
            number += 1
            down, across = divmod(at, ACROSS)
            place = {"x": WIDTH * across, "y": top + HEIGHT * down, "w": WIDTH, "h": HEIGHT}
            yield _panel(panel, number, place)
        top += HEIGHT * -(-len(panels) // ACROSS)


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + at), "datasource": DATASOURCE, "expr": expr, "legendFormat": legend}
        for at, (expr, legend) in enumerate(panel.queries)
    ]
    options = {"textMode": "name"} if panel.title == "Build" else {}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": options,
        "targets": targets,
    }
