"""What a gateway knows of how it does: small for who asks in passing, whole for who draws curves."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .connection.deliveries import DeliveryStatistics
from .connection.pool import PoolStatistics
from .histogram import HistogramSnapshot, join
from .journal import JournalHistograms, JournalStatistics
from .registry import RegistryStatistics
from .turns import Outcome, TurnStatistics


@attrs.frozen
class GatewayStatistics:
    """How a gateway is doing: what `gateway.stats` tells who asks for no more, so without histograms."""

    uptime: float
    """Seconds."""
    loop_lag: float
    """Seconds by which the event loop was late, at the last look."""
    connections: PoolStatistics
    deliveries: DeliveryStatistics
    registry: RegistryStatistics
    journal: JournalStatistics
    turns: TurnStatistics


def named_histograms(
    journal: JournalHistograms,
    turn_durations: Mapping[Outcome, HistogramSnapshot],
    loop_lag: HistogramSnapshot,
) -> Mapping[str, HistogramSnapshot]:
    """Those that `gateway.stats` shows, by name; all are of seconds."""
    return {
        "delivery_lag": journal.delivery_lag,
        "commit_time": journal.commit_time,
        "loop_lag": loop_lag,
        "turn_duration": join(turn_durations.values()),
    }


@attrs.frozen
class Measurements:
    """All that the metrics are read from."""

    statistics: GatewayStatistics
    rate_limited: int
    """Messages that came too fast."""
    journal: JournalHistograms
    turn_durations: Mapping[Outcome, HistogramSnapshot]
    loop_lag: HistogramSnapshot
