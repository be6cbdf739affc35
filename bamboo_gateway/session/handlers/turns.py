"""Chats, and the turns that answer them."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ErrorCode, GatewayError, InvalidMessageError
from ...principal import Principal
from ...protocol.messages import ChatAccepted, Error
from .. import requests
from ..access import Access
from ..effects import CancelTurn, Effect, SaveSession, Send
from ..live import LiveSession, milliseconds
from ..outcomes import MessageKey
from ..stored import Run
from .once import own_key
from .state import Handlers, TableState


def _submit(
    state: TableState, request: requests.SubmitChat, now: float, effects: list[Effect]
) -> ChatAccepted:
    session, chat = state.find(request.caller, None, Access.CHAT), request.chat
    if chat.session_id != session.id:
        raise GatewayError(
            ErrorCode.SESSION_MISMATCH,
            f"this connection watches session {session.id!r}; connect to {chat.session_id!r:.80} first",
        )
    key = MessageKey.of(chat)
    if key is not None:
        key = own_key(session, request.caller, key)
    known = session.outcomes.recall(key, milliseconds(now)) if key else None
    assert request.caller.connection_id is not None, "nobody else watches a session"
    if known is not None:
        assert isinstance(known.answer, ChatAccepted)
        effects.append(Send(request.caller.connection_id, known.answer))
        return known.answer
    state.refuse_while_draining()
    waiting = len(session.queue) + (session.run is not None)
    if waiting > state.limits.max_queued_chats:
        raise GatewayError(
            ErrorCode.QUEUE_FULL, f"{waiting} chats run or wait in this session; try when one is over"
        )
    _check_quota(state, session, request.caller.principal)
    accepted = ChatAccepted(session.id, request.run_id, queued=waiting, id=chat.id)
    effects.append(Send(request.caller.connection_id, accepted))
    effects += session.submit(Run(request.run_id, chat), now)
    if key is not None:
        effects += session.remember(key, accepted, now)
    effects.append(SaveSession(session.snapshot()))
    return accepted


def _check_quota(state: TableState, session: LiveSession, speaker: Principal) -> None:
    """
    Refuse a chat that would be one too many for who owns the session, whoever speaks.

    A quota of the owner's own is known only while they speak themselves; to
    others, what is usual applies.
    """
    if speaker.is_operator:
        return
    limits = state.limits
    quotas = limits.quotas_of(speaker) if speaker.user_id == session.user_id else limits.quotas
    quota = quotas.max_queued_chats
    if quota is not None and (count := state.sessions.count_chats(session.user_id)) >= quota:
        raise GatewayError(
            ErrorCode.QUEUE_FULL,
            f"{count} chats run or wait in all sessions of {session.user_id!r:.80}, who may have {quota}; "
            "try when one is over, or have the operator raise max_queued_chats_per_principal",
        )


def _emit(state: TableState, request: requests.EmitEvents, now: float, effects: list[Effect]) -> None:
    session = _running(state, request.session_id, request.run_id)
    if session is None:
        return
    try:
        effects.extend(session.append(event, now, request.run_id) for event in request.events)
    except InvalidMessageError as error:
        effects.append(CancelTurn(request.run_id))
        outcome = Error(ErrorCode.AGENT_ERROR, f"the agent's {error}", session_id=session.id)
        effects += session.end(outcome, now, go_on=not state.is_draining)


def _end_turn(state: TableState, request: requests.EndTurn, now: float, effects: list[Effect]) -> None:
    session = _running(state, request.session_id, request.run_id)
    if session is not None:
        effects += session.end(request.outcome, now, go_on=not state.is_draining)


def _abort(
    state: TableState, request: requests.AbortTurn, now: float, effects: list[Effect]
) -> Sequence[str]:
    session = state.find(request.caller, request.session_id, Access.CHAT)
    known = [run.run_id for run in (session.run, *session.queue) if run is not None]
    aborted = [run_id for run_id in known if request.run_id in (None, run_id)]
    effects += session.abort(request.run_id, now, go_on=not state.is_draining)
    return aborted


def _running(state: TableState, session_id: str, run_id: str) -> LiveSession | None:
    session = state.sessions.get(session_id)
    return session if session and session.run and session.run.run_id == run_id else None


HANDLERS: Handlers = {
    requests.SubmitChat: _submit,
    requests.EmitEvents: _emit,
    requests.EndTurn: _end_turn,
    requests.AbortTurn: _abort,
}
