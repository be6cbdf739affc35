"""The commands on the gateway itself: their arguments, their results, and how they are carried out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import attrs

from ..histogram import HistogramSnapshot
from ..protocol import versions
from ..protocol.messages import Json, Limits
from ..session import requests
from ..session.live import milliseconds
from .channel import NoArgs
from .context import CommandContext


@attrs.frozen
class PingArgs:
    """What to echo."""

    timestamp: int | None = None
    """Unix milliseconds; the gateway's own time, where left out."""


@attrs.frozen
class PingResult:
    """The echo."""

    timestamp: int


async def ping(context: CommandContext, args: PingArgs) -> PingResult:
    """Answer `ping`."""
    return PingResult(milliseconds(time.time()) if args.timestamp is None else args.timestamp)


@attrs.frozen
class Status:
    """How this connection's session is."""

    session_id: str
    state: Literal["idle", "running"]
    run_id: str | None
    queued: int
    watchers: int
    last_seq: int
    epoch: str
    protocol: int
    """Spoken with this connection."""


async def status(context: CommandContext, args: NoArgs) -> Status:
    """Answer `status`."""
    session = await context.ask(requests.GetSession(context.caller, context.session_id))
    own = [each for each in session.connections if each.id == context.caller.connection_id]
    return Status(
        session_id=session.id,
        state=session.state,
        run_id=session.run_id,
        queued=session.queued,
        watchers=len(session.connections),
        last_seq=session.last_seq,
        epoch=session.epoch,
        protocol=own[0].protocol if own else versions.SEED,
    )


@attrs.frozen
class GatewayInfo:
    """What this gateway is."""

    name: str
    version: str
    protocols: Sequence[int]
    uptime: float
    """Seconds."""
    limits: Limits


async def info(context: CommandContext, args: NoArgs) -> GatewayInfo:
    """Answer `gateway.info`."""
    report = context.services.report
    protocols = [versions.SEED, versions.LATEST]
    uptime = round(time.time() - report.started_at, 3)
    return GatewayInfo("bamboo-gateway", report.version, protocols, uptime, report.limits)


@attrs.frozen
class StatsArgs:
    """What beside the statistics."""

    histograms: bool = False
    """Also how long things took?"""


@attrs.frozen
class GatewayStats:
    """How the gateway does: `Gateway.statistics()` as JSON."""

    statistics: Json
    histograms: dict[str, HistogramSnapshot] | None
    """
    How many seconds things took: `delivery_lag`, `commit_time`, `loop_lag`, `turn_duration`. They count from
    the gateway's start on: the difference of two answers is what was between them. Null where not asked for.
    """


async def stats(context: CommandContext, args: StatsArgs) -> GatewayStats:
    """Answer `gateway.stats`."""
    report = context.services.report
    return GatewayStats(report.statistics(), dict(report.histograms()) if args.histograms else None)
