"""Chats, and the turns that answer them."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ErrorCode, GatewayError, InvalidMessageError
from ...protocol.messages import ChatAccepted, Error
from .. import requests
from ..effects import CancelTurn, Effect, SaveSession, Send
from ..live import LiveSession, milliseconds
from ..outcomes import MessageKey
from ..stored import Run
from .state import Handlers, TableState


def _submit(
    state: TableState, request: requests.SubmitChat, now: float, effects: list[Effect]
) -> ChatAccepted:
    session, chat = state.find(request.caller, None), request.chat
    if chat.session_id != session.id:
        raise GatewayError(
            ErrorCode.SESSION_MISMATCH,
            f"this connection watches session {session.id!r}; connect to {chat.session_id!r:.80} first",
        )
    key = MessageKey.of(chat)
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
    accepted = ChatAccepted(session.id, request.run_id, queued=waiting, id=chat.id)
    effects.append(Send(request.caller.connection_id, accepted))
    effects += session.submit(Run(request.run_id, chat), now)
    if key is not None:
        effects += session.remember(key, accepted, now)
    effects.append(SaveSession(session.snapshot()))
    return accepted


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
    session = state.find(request.caller, request.session_id)
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
