"""How a gateway is, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import attrs

from . import figures
from .distribution import Distribution
from .gateway_status import GatewayStatus, Record
from .plain_text import one_line

Tone: TypeAlias = Literal["plain", "good", "bad"]

LABEL_WIDTH = 12


@attrs.frozen
class Line:
    """One thing that is told; without a label, it goes on with the one above."""

    label: str
    text: str
    tone: Tone = "plain"


def lines(status: GatewayStatus) -> Iterator[Line]:
    """Tell all that is known."""
    yield Line("gateway", one_line(status.url))
    yield from _reach(status)
    if status.version is not None:
        yield Line("version", one_line(_version(status)))
    if status.info is not None:
        yield Line("up", figures.age(status.info["uptime"]))
    if status.is_ready is not None:
        yield _readiness(status)
    if status.is_reachable and status.fault is not None:
        yield Line("let in", f"no: {one_line(status.fault)}", "bad")
    if status.is_reachable and status.remedy is not None:
        yield Line("", status.remedy)
    if status.stats is not None:
        yield from _statistics(status.stats["statistics"])
        yield from _lags(status.stats)
    if status.missing is not None:
        yield Line("statistics", f"not told: {one_line(status.missing)}")


def _reach(status: GatewayStatus) -> Iterator[Line]:
    if status.is_reachable:
        latency = status.latency or 0.0
        yield Line("reachable", f"yes, in {figures.span(latency)}", "good")
        return
    yield Line("reachable", f"no: {one_line(status.fault or '')}", "bad")
    yield Line("", status.remedy or "")


def _version(status: GatewayStatus) -> str:
    if status.info is None:
        return status.version or ""
    protocols = " and ".join(map(str, status.info["protocols"]))
    return f"{status.version}, speaks protocol {protocols}"


def _readiness(status: GatewayStatus) -> Line:
    if status.is_ready:
        return Line("ready", "yes", "good")
    return Line("ready", f"no: {one_line(status.reason or 'it does not say why')}", "bad")


def _statistics(stats: Record) -> Iterator[Line]:
    pool, table, turns, journal = (
        stats["connections"],
        stats["registry"]["table"],
        stats["turns"],
        stats["journal"],
    )
    notes = _some((pool["unauthenticated"], "yet to say who they are"), (pool["behind"], "behind"))
    yield Line("connections", f"{pool['open']} open{notes}, {pool['accepted']} since the start")
    yield Line("sessions", f"{table['sessions']}, {table['resident']} of them in memory")
    ends = ", ".join(f"{turns[name]} {name}" for name in ("completed", "failed", "aborted"))
    notes = _some((table["chats_queued"], "chats wait"))
    yield Line("turns", f"{turns['running']} running{notes}; {ends}")
    if journal["is_failing"]:
        yield Line("storage", f"fails: {journal['held']} requests wait for it", "bad")
    else:
        yield Line("storage", f"well, {journal['commits']} commits", "good")


def _some(*counts: tuple[int, str]) -> str:
    """Those that are not zero, to be put behind something."""
    return "".join(f", {count} {what}" for count, what in counts if count)


_LAGS = (("delivery_lag", "delivery"), ("commit_time", "commit"), ("loop_lag", "event loop"))


def _lags(stats: Record) -> Iterator[Line]:
    """How long things took since the start; of an older gateway, what it last saw of its loop."""
    histograms = stats.get("histograms")
    if not isinstance(histograms, dict):
        yield Line("lag", f"event loop {figures.span(stats['statistics']['loop_lag'])}")
        return
    label = "lag"
    for name, what in _LAGS:
        found = Distribution.read(histograms.get(name))
        if found is not None and found.count:
            yield Line(
                label, f"{what + ',':<12}half within {lag(found, 0.5)}, 99 % within {lag(found, 0.99)}"
            )
            label = ""


def lag(found: Distribution, part: float) -> str:
    """A quantile in seconds, as text."""
    value = found.quantile(part)
    if value is None:
        return figures.NONE
    return figures.span(value) if figures.is_known(value) else f"> {figures.span(found.bounds[-1])}"
