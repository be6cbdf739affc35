"""The table of metrics: `/metrics`, docs/metrics.md and the dashboard's test are all made from it."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import trio

from ..protocol.closing import CLOSE_CODES
from ..refusals import HandshakeFailure
from ..registry import INBOX_SIZE
from ..statistics import Measurements
from ..turns import OUTCOMES
from ..version import __version__
from .metric import Label, Metric, Reading, Readings, by, one

_STATE = Label("state", ("unauthenticated", "connected", "behind"))
_CODE = Label("code", [str(code.value) for code in CLOSE_CODES])
_REASON = Label("reason", list(HandshakeFailure))
_WAY = Label("way", ("live", "caught_up"))
_CAUSE = Label("cause", ("log_cut", "cursor_unknown"))
_OUTCOME = Label("outcome", OUTCOMES)


def _build(_: Measurements) -> Readings:
    return {(__version__, platform.python_version(), trio.__version__): 1}


def _states(measured: Measurements) -> Mapping[str, Reading]:
    it = measured.statistics.connections
    connected = it.open - it.unauthenticated - it.behind
    return {"unauthenticated": it.unauthenticated, "connected": max(0, connected), "behind": it.behind}


def _ways(measured: Measurements) -> Mapping[str, Reading]:
    deliveries = measured.statistics.deliveries
    return {"live": deliveries.live, "caught_up": deliveries.caught_up}


def _gaps(measured: Measurements) -> Mapping[str, Reading]:
    statistics = measured.statistics
    return {"log_cut": statistics.deliveries.gaps, "cursor_unknown": statistics.registry.table.resume_gaps}


def _outcomes(measured: Measurements) -> Mapping[str, Reading]:
    return {outcome: getattr(measured.statistics.turns, outcome) for outcome in OUTCOMES}


_GATEWAY = (
    Metric(
        "bamboo_build_info",
        "gauge",
        "Always 1; its labels say what runs",
        _build,
        [Label("version"), Label("python"), Label("trio")],
    ),
    Metric(
        "bamboo_uptime_seconds",
        "gauge",
        "How long the gateway has been there",
        one(lambda measured: measured.statistics.uptime),
    ),
    Metric(
        "bamboo_event_loop_lag_last_seconds",
        "gauge",
        "How late the event loop was when last looked at, twice a second",
        one(lambda measured: measured.statistics.loop_lag),
    ),
    Metric(
        "bamboo_event_loop_lag_seconds",
        "histogram",
        "How late the event loop was at each look: what every wait in the gateway is too long",
        one(lambda measured: measured.loop_lag),
    ),
)

_CONNECTIONS = (
    Metric(
        "bamboo_connections",
        "gauge",
        "Open sockets: not yet let in; let in and given all there is; slower than what they are sent",
        by(_STATE, _states),
        [_STATE],
    ),
    Metric(
        "bamboo_connections_accepted_total",
        "counter",
        "Sockets that were taken in",
        one(lambda measured: measured.statistics.connections.accepted),
    ),
    Metric(
        "bamboo_connections_closed_total",
        "counter",
        "Connections that have ended, by close code",
        by(_CODE, lambda measured: measured.statistics.connections.closed),
        [_CODE],
    ),
    Metric(
        "bamboo_handshake_failures_total",
        "counter",
        "Sockets that came to nothing, by the reason",
        by(_REASON, lambda measured: measured.statistics.connections.refused),
        [_REASON],
    ),
    Metric(
        "bamboo_messages_rate_limited_total",
        "counter",
        "Messages that were refused because they came too fast",
        one(lambda measured: measured.rate_limited),
    ),
    Metric(
        "bamboo_outbox_bytes",
        "gauge",
        "What waits in memory for slow connections, beside the logs",
        one(lambda measured: measured.statistics.connections.waiting_bytes),
    ),
)

_DELIVERY = (
    Metric(
        "bamboo_events_appended_total",
        "counter",
        "Events that went into any log",
        one(lambda measured: measured.statistics.registry.table.events_appended),
    ),
    Metric(
        "bamboo_events_delivered_total",
        "counter",
        "Events that went to connections, counted for each: at once, or read from the log later",
        by(_WAY, _ways),
        [_WAY],
    ),
    Metric(
        "bamboo_delivery_lag_seconds",
        "histogram",
        "How long a batch took from the registry, which has applied it, through commit and fan-out",
        one(lambda measured: measured.journal.delivery_lag),
    ),
    Metric(
        "bamboo_resumes_total",
        "counter",
        "Connections that came back to a session and said where they stood",
        one(lambda measured: measured.statistics.registry.table.resumes),
    ),
    Metric(
        "bamboo_gaps_total",
        "counter",
        "Times that a connection was told of a hole: its log had been cut, or its cursor is unknown",
        by(_CAUSE, _gaps),
        [_CAUSE],
    ),
)

_REGISTRY = (
    Metric(
        "bamboo_registry_inbox_requests",
        "gauge",
        f"Requests that wait for the one task that changes sessions; there is room for {INBOX_SIZE}",
        one(lambda measured: measured.statistics.registry.inbox),
    ),
    Metric(
        "bamboo_registry_requests_total",
        "counter",
        "Requests to the registry",
        one(lambda measured: measured.statistics.registry.handled),
    ),
    Metric(
        "bamboo_registry_requests_refused_total",
        "counter",
        "Those of them that were answered with an error",
        one(lambda measured: measured.statistics.registry.refused),
    ),
    Metric(
        "bamboo_sessions",
        "gauge",
        "Sessions, in memory or not",
        one(lambda measured: measured.statistics.registry.table.sessions),
    ),
    Metric(
        "bamboo_sessions_resident",
        "gauge",
        "Sessions in memory",
        one(lambda measured: measured.statistics.registry.table.resident),
    ),
    Metric(
        "bamboo_sessions_fetching",
        "gauge",
        "Sessions that are just being read from the storage",
        one(lambda measured: measured.statistics.registry.fetching),
    ),
    Metric(
        "bamboo_watchers",
        "gauge",
        "Connections that watch a session",
        one(lambda measured: measured.statistics.registry.table.watchers),
    ),
    Metric(
        "bamboo_channels",
        "gauge",
        "Channels inside the gateway",
        one(lambda measured: measured.statistics.registry.table.channels),
    ),
    Metric(
        "bamboo_log_bytes",
        "gauge",
        "The logs in memory",
        one(lambda measured: measured.statistics.registry.table.log_bytes),
    ),
)

_STORAGE = (
    Metric(
        "bamboo_storage_failing",
        "gauge",
        "1 while the storage refuses what it is given, else 0",
        one(lambda measured: int(measured.statistics.journal.is_failing)),
    ),
    Metric(
        "bamboo_journal_held_requests",
        "gauge",
        "Requests whose effects wait until the storage is well again",
        one(lambda measured: measured.statistics.journal.held),
    ),
    Metric(
        "bamboo_journal_commit_failures_total",
        "counter",
        "Tries to commit that were in vain",
        one(lambda measured: measured.statistics.journal.failures),
    ),
    Metric(
        "bamboo_journal_commit_changes",
        "histogram",
        "How many changes one commit carried",
        one(lambda measured: measured.journal.changes),
    ),
    Metric(
        "bamboo_journal_commit_seconds",
        "histogram",
        "How long one commit took; in memory it takes no time, and none is measured",
        one(lambda measured: measured.journal.commit_time),
    ),
)

_TURNS = (
    Metric(
        "bamboo_turns_running",
        "gauge",
        "Agents at work",
        one(lambda measured: measured.statistics.turns.running),
    ),
    Metric(
        "bamboo_chats_queued",
        "gauge",
        "Chats that wait for their turn",
        one(lambda measured: measured.statistics.registry.table.chats_queued),
    ),
    Metric(
        "bamboo_turns_total",
        "counter",
        "Turns that are over, by their end",
        by(_OUTCOME, _outcomes),
        [_OUTCOME],
    ),
    Metric(
        "bamboo_turn_duration_seconds",
        "histogram",
        "How long turns took that are over",
        by(_OUTCOME, lambda measured: measured.turn_durations),
        [_OUTCOME],
    ),
)

METRICS: Mapping[str, Metric] = {
    metric.name: metric for metric in (*_GATEWAY, *_CONNECTIONS, *_DELIVERY, *_REGISTRY, *_STORAGE, *_TURNS)
}
"""By name."""
