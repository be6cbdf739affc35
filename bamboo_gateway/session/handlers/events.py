"""What an embedding program sends: to one session, or to all."""

from __future__ import annotations

from typing import get_args

from ...errors import ErrorCode, GatewayError
from ...protocol.messages import ChannelMessage, LoggedEvent
from .. import requests
from ..effects import Effect, SaveChannel
from ..log import BROADCAST
from .state import Handlers, TableState, append_to, not_found, refusing_what_cannot_be_encoded


def _append(state: TableState, request: requests.AppendEvent, now: float, effects: list[Effect]) -> int:
    session = state.sessions.get(request.session_id)
    if session is None:
        raise not_found(request.session_id)
    _check_kind(request.event)
    if request.event.session_id not in (None, session.id):
        raise GatewayError(
            ErrorCode.INVALID_EVENT,
            f"the event names session {request.event.session_id!r:.80}, and goes to {session.id!r}",
        )
    with refusing_what_cannot_be_encoded():
        effects.append(session.append(request.event, now))
    return session.log.last_seq


def _broadcast(state: TableState, request: requests.BroadcastEvent, now: float, effects: list[Effect]) -> int:
    event = request.event
    if not (isinstance(event, ChannelMessage) and event.channel == BROADCAST):
        _check_kind(event)
    log = state.channels.broadcasts
    seq = append_to(log, event, now, effects)
    if seq == 1:
        effects.insert(0, SaveChannel(log.number, log.name, 0))
    return seq


def _check_kind(event: LoggedEvent) -> None:
    if type(event) not in _SENDABLE:
        names = ", ".join(kind.__name__ for kind in _SENDABLE)
        raise GatewayError(ErrorCode.INVALID_EVENT, f"{type(event).__name__} cannot be sent so; {names} can")


_SENDABLE = [kind for kind in get_args(LoggedEvent) if kind is not ChannelMessage]
"""A channel's message has a log of its own, which alone may number it."""


HANDLERS: Handlers = {
    requests.AppendEvent: _append,
    requests.BroadcastEvent: _broadcast,
}
