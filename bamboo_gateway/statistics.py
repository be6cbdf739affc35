"""What a gateway knows of how it does: small for who asks in passing, whole for who draws curves."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .connection.deliveries import DeliveryStatistics
from .connection.pool import PoolStatistics
from .histogram import HistogramSnapshot
from .journal import JournalHistograms, JournalStatistics
from .registry import RegistryStatistics
from .turns import Outcome, TurnStatistics


@attrs.frozen
class GatewayStatistics:
    """How a gateway is doing; the answer of `gateway.stats`, so it holds no histograms."""

    uptime: float
    """Seconds."""
    loop_lag: float
    """Seconds by which the event loop was late, at the last look."""
    connections: PoolStatistics
    deliveries: DeliveryStatistics
    registry: RegistryStatistics
    journal: JournalStatistics
    turns: TurnStatistics


@attrs.frozen
class Measurements:
    """All that the metrics are read from."""

    statistics: GatewayStatistics
    rate_limited: int
    """Messages that came too fast."""
    journal: JournalHistograms
    turn_durations: Mapping[Outcome, HistogramSnapshot]
    loop_lag: HistogramSnapshot
