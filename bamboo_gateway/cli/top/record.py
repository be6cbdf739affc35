"""What `top` shows, as JSON."""

from __future__ import annotations

from ...protocol.messages import Json
from ..distribution import Distribution
from ..figures import is_known
from .look import Record
from .state import State


def as_record(state: State) -> dict[str, Json]:
    """All of one look; `missing` says what was not told, and why."""
    numbers = state.look.numbers
    return {
        "url": state.url,
        "version": state.version,
        "seconds": round(state.pace.seconds, 3),
        **({} if numbers is None else _numbers(numbers)),
        "events_per_second": state.pace.events,
        "deliveries_per_second": state.pace.deliveries,
        "turns_per_second": state.pace.turns,
        "delays": {name: _delay(each) for name, each in state.pace.lags.items()},
        "session_list": [_session(each, state) for each in state.sessions],
        "connection_list": [dict(each) for each in state.connections],
        "missing": {str(part): why for part, why in state.missing.items()},
    }


def _numbers(numbers: Record) -> dict[str, Json]:
    pool, table = numbers["connections"], numbers["registry"]["table"]
    return {
        "uptime": numbers["uptime"],
        "connections": {name: pool[name] for name in ("open", "unauthenticated", "behind", "waiting_bytes")},
        "sessions": {name: table[name] for name in ("sessions", "resident", "log_bytes")},
        "turns": {"running": numbers["turns"]["running"], "queued": table["chats_queued"]},
        "storage_is_failing": numbers["journal"]["is_failing"],
    }


def _session(session: Record, state: State) -> Json:
    return {**session, "events_per_second": state.pace.by_session.get(session["session_id"])}


def _delay(found: Distribution) -> Json:
    """Of what is above all bounds, the largest is told: it was at least that."""
    return {
        "count": found.count,
        "p50": _bounded(found, 0.5),
        "p99": _bounded(found, 0.99),
    }


def _bounded(found: Distribution, part: float) -> float | None:
    value = found.quantile(part)
    return found.bounds[-1] if value is not None and not is_known(value) else value
