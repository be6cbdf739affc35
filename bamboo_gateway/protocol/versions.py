"""
What a client of each protocol is told.

The gateway thinks in protocol 2. Protocol 1 is the seed's seven events and no
other: a strict enum must be able to parse whatever it is sent. So an event of
protocol 2 is said in the seed's words where they suffice, and else not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..errors import ErrorCode
from . import strict_json
from .messages import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    CommandResult,
    Connected,
    Error,
    Gap,
    GatewayEvent,
    Pong,
    SessionEnded,
)

SEED = 1
LATEST = 2

SEED_EVENTS: frozenset[type] = frozenset(
    {Connected, AgentToken, AgentToolStart, AgentToolComplete, AgentComplete, Error, Pong}
)


def negotiate(requested: int | None) -> int:
    """Choose the protocol to speak: what `connect.protocol` asks for, or the latest that is known."""
    return min(requested or SEED, LATEST)


def translate(event: GatewayEvent, protocol: int) -> Iterable[GatewayEvent]:
    """Say *event* in *protocol*: by itself, in the seed's words, or not at all."""
    if protocol >= LATEST or type(event) in SEED_EVENTS:
        return (event,)
    say = _IN_SEED_WORDS.get(type(event))
    return say(event) if say else ()


def _gap(event: Gap) -> Iterable[GatewayEvent]:
    yield Error(ErrorCode.GAP, _gap_message(event), session_id=event.session_id, channel=event.channel)


def _gap_message(event: Gap) -> str:
    if event.requested < event.earliest:
        return f"events {event.requested} to {event.earliest - 1} are no longer in the log"
    # The cursor counts in another epoch, so its numbers mean nothing in this one.
    holds = f"events {event.earliest} to {event.latest}" if event.earliest <= event.latest else "no event yet"
    return f"the log was begun anew and holds {holds}"


def _session_ended(event: SessionEnded) -> Iterable[GatewayEvent]:
    yield Error(ErrorCode.SESSION_ENDED, event.reason, session_id=event.session_id)


def _command_result(event: CommandResult) -> Iterable[GatewayEvent]:
    """Answer as the original gateway did: `ping` with a pong, `status` with a token, all others as a tool."""
    session_id = event.session_id or ""
    match event:
        # A bool is an int to Python.
        case CommandResult(name="ping", ok=True, result={"timestamp": int(ts)}) if not isinstance(ts, bool):
            yield Pong(ts)
        case CommandResult(
            name="status", ok=True, result={"session_id": str(watched), "state": state, "protocol": protocol}
        ):
            yield AgentToken(watched, f"session {watched}: {state}, protocol {protocol}")
        case _:
            yield AgentToolStart(session_id, event.name, tool_call_id=event.id)
            yield AgentToolComplete(
                session_id, event.name, _outcome(event), tool_call_id=event.id, ok=event.ok
            )


def _outcome(event: CommandResult) -> str:
    """The seed's `result` is a string: a JSON text, or `CODE: message`."""
    if event.error is not None:
        return f"{event.error.code}: {event.error.message}"
    return event.result if isinstance(event.result, str) else strict_json.dump(event.result).decode()


_IN_SEED_WORDS: dict[type, Callable[[Any], Iterable[GatewayEvent]]] = {
    Gap: _gap,
    SessionEnded: _session_ended,
    CommandResult: _command_result,
}
