"""Messages that carry an id: carried out once, here or elsewhere, and repeated in words alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from .. import requests
from ..effects import DropOutcome, Effect, Send
from ..live import LiveSession, milliseconds
from ..outcomes import Answer, MessageKey
from ..requests import Caller
from .state import Handlers, TableState


def _perform(
    state: TableState,
    request: requests.Perform[Any] | requests.PerformOnce,
    now: float,
    effects: list[Effect],
) -> Any:
    if type(request.request) not in requests.WINDING_UP:
        state.refuse_while_draining()
    return state.apply(request.request, now, effects)


def _perform_once(
    state: TableState, request: requests.PerformOnce, now: float, effects: list[Effect]
) -> requests.Performed | requests.Known:
    session = state.watched(request.caller)
    key = own_key(session, request.caller, request.key)
    if known := _recall(session, request.caller, key, now):
        return known
    reply = _perform(state, request, now, effects)
    answer = request.describe(reply)
    if session is None or session.id not in state.sessions:  # it may be the one that was deleted
        return requests.Performed(answer, None)
    if request.interrupted is None:
        effects += session.remember(key, answer, now)
    else:
        claimant = request.caller.connection_id
        effects += session.remember(key, request.interrupted, now, claimant=claimant)
    return requests.Performed(answer, session.id)


def _claim(
    state: TableState, request: requests.Claim, now: float, effects: list[Effect]
) -> requests.Claimed | requests.Known:
    session = state.watched(request.caller)
    key = own_key(session, request.caller, request.key)
    if known := _recall(session, request.caller, key, now):
        return known
    state.refuse_while_draining()
    if session is None:
        return requests.Claimed(None)
    effects += session.remember(key, request.interrupted, now, claimant=request.caller.connection_id)
    return requests.Claimed(session.id)


def _settle(state: TableState, request: requests.Settle, now: float, effects: list[Effect]) -> None:
    session = state.sessions.get(request.session_id)
    if session is not None:
        key = own_key(session, request.caller, request.key)
        effects += session.remember(key, request.answer, now)
        effects += _tell(session, key, request.answer)


def _abandon(state: TableState, request: requests.Abandon, now: float, effects: list[Effect]) -> None:
    session = _claimed_in(state, request.caller, request.key)
    if session is None:
        return  # it was refused, or is settled
    key = own_key(session, request.caller, request.key)
    if request.is_new:
        session.outcomes.forget(key)
        effects.append(DropOutcome(session.number, key))
    else:
        effects += session.remember(key, request.answer, now)
    effects += _tell(session, key, request.answer)


def _claimed_in(state: TableState, caller: Caller, key: MessageKey) -> LiveSession | None:
    """The session in which the caller's connection has claimed a message, and may watch no longer."""
    watched = state.watched(caller)
    for session in state.sessions if watched is None else [watched]:
        if session.outcomes.is_claimed(own_key(session, caller, key), caller.connection_id):
            return session
    return None


def own_key(session: LiveSession | None, caller: Caller, key: MessageKey) -> MessageKey:
    """*key* as a message of the caller's: two who share a session may both count from one."""
    if session is None or caller.principal.user_id == session.user_id:
        return key
    return attrs.evolve(key, user_id=caller.principal.user_id)


def _tell(session: LiveSession, key: MessageKey, answer: Answer) -> Iterator[Effect]:
    """Answer whoever has repeated the message while it was being carried out."""
    answer = attrs.evolve(answer, session_id=answer.session_id or session.id)
    for connection_id in session.outcomes.settle(key):
        yield Send(connection_id, answer)


def _recall(
    session: LiveSession | None, caller: Caller, key: MessageKey, now: float
) -> requests.Known | None:
    """What is known of a message; where it is still being carried out, the caller will be told."""
    outcome = session.outcomes.recall(key, milliseconds(now)) if session else None
    if session is None or outcome is None:
        return None
    if not outcome.is_open:
        return requests.Known(outcome.answer)
    assert caller.connection_id is not None, "nobody else watches a session"
    session.outcomes.wait(key, caller.connection_id)
    return requests.Known(None)


HANDLERS: Handlers = {
    requests.Perform: _perform,
    requests.PerformOnce: _perform_once,
    requests.Claim: _claim,
    requests.Settle: _settle,
    requests.Abandon: _abandon,
}
