"""What is asked of sessions themselves: made, shown, changed, deleted; and let go of, and taken back."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...errors import ErrorCode, GatewayError
from .. import requests
from ..access import Access
from ..effects import Effect, SaveSession
from ..live import LiveSession, milliseconds
from ..metadata import merge
from ..session import Session
from .state import Handlers, TableState


def _create(state: TableState, request: requests.CreateSession, now: float, effects: list[Effect]) -> Session:
    if request.session_id in state.sessions:
        raise GatewayError(ErrorCode.SESSION_EXISTS, f"session {request.session_id!r} exists already")
    snapshot = state.found(request, now).snapshot()
    effects.append(SaveSession(snapshot))
    return snapshot


def _get(state: TableState, request: requests.GetSession, now: float, effects: list[Effect]) -> Session:
    return _visible(state.find(request.caller, request.session_id, Access.READ))


def _refresh(
    state: TableState, request: requests.RefreshSessions, now: float, effects: list[Effect]
) -> Sequence[Session]:
    found = []
    for stored in request.sessions:
        live = state.sessions.get(stored.id)
        session = _visible(live) if live else _awake(state, stored)
        # It may have been withdrawn since the storage was read.
        if session.access(request.caller.principal) is not None and not session.is_temporary:
            found.append(session)
    return found


def _awake(state: TableState, stored: Session) -> Session:
    """A session that is not in memory, as it would be there."""
    return attrs.evolve(stored, channels=state.channels.known(stored.channels))


def _rename(state: TableState, request: requests.RenameSession, now: float, effects: list[Effect]) -> Session:
    session = state.find(request.caller, request.session_id, Access.OWN)
    session.name = request.name
    snapshot = session.snapshot()
    effects.append(SaveSession(snapshot))
    return snapshot


def _set_metadata(
    state: TableState, request: requests.SetMetadata, now: float, effects: list[Effect]
) -> Session:
    session = state.find(request.caller, request.session_id, Access.OWN)
    session.metadata = merge(session.metadata, request.metadata)
    snapshot = session.snapshot()
    effects.append(SaveSession(snapshot))
    return snapshot


def _share(state: TableState, request: requests.ShareSession, now: float, effects: list[Effect]) -> Session:
    session = state.find(request.caller, request.session_id, Access.OWN)
    changes = list(session.share(request.user_id, request.access))
    effects += changes
    if changes and request.access is None:
        effects += state.attachments.expel(session, request.user_id, "it is no longer shared with you", now)
    return _visible(session)


def _delete(state: TableState, request: requests.DeleteSession, now: float, effects: list[Effect]) -> str:
    session = state.find(request.caller, request.session_id, Access.OWN)
    effects += state.end(session, "the session was deleted")
    return session.id


def _get_history(
    state: TableState, request: requests.GetHistory, now: float, effects: list[Effect]
) -> requests.HistoryTail:
    session = state.find(request.caller, request.session_id, Access.READ)
    first, messages = session.history.page(request.limit, request.before)
    end = first if request.before is None else min(first, request.before)
    return requests.HistoryTail(
        session.id,
        messages,
        max(0, end - (request.limit - len(messages))),
        end,
        session.log.last_seq,
        tuple(session.queue),
    )


def _delete_inactive(
    state: TableState, request: requests.DeleteInactive, now: float, effects: list[Effect]
) -> bool:
    session = state.sessions.get(request.session_id)
    if session is None or not session.is_idle or session.last_activity > now - request.max_age:
        return False
    effects += state.end(session, "the session was inactive")
    return True


def _restore(state: TableState, request: requests.RestoreSession, now: float, effects: list[Effect]) -> None:
    if request.stored is not None:
        session = state.sessions.restore(request.stored)
        session.channels = state.channels.known(session.channels)
        effects += session.resume(
            request.stored.runs, now, again=state.resume_turns, go_on=not state.is_draining
        )
        effects += state.make_room(session.log)


def _tidy(state: TableState, request: requests.Tidy, now: float, effects: list[Effect]) -> None:
    for log in state.shelf:
        log.expire(milliseconds(now))
        effects += state.trim(log, at_once=True)
    state.shelf.reweigh()
    for session in state.sessions:
        # The storage, too, bounds its logs, and knows nothing of answers.
        effects += session.checkpoint(session.log.last_seq + 1)
    for session in state.sessions.find_idle(now - request.max_idle):
        effects.append(SaveSession(session.snapshot()))
        state.sessions.release(session)


def _drain(state: TableState, request: requests.Drain, now: float, effects: list[Effect]) -> None:
    state.drain(request.retry_after)


def _admit(state: TableState, request: requests.Admit, now: float, effects: list[Effect]) -> None:
    state.refuse_while_draining()


def _flush(state: TableState, request: requests.Flush, now: float, effects: list[Effect]) -> None:
    """That the request has come this far is all."""


def _replace_limits(
    state: TableState, request: requests.ReplaceLimits, now: float, effects: list[Effect]
) -> None:
    state.hold_to(request.limits)


def _visible(session: LiveSession) -> Session:
    """What is not committed is not told; it is, by the time of the reply, unless the storage fails."""
    return attrs.evolve(session.snapshot(), last_seq=session.log.visible_seq)


HANDLERS: Handlers = {
    requests.CreateSession: _create,
    requests.GetSession: _get,
    requests.RefreshSessions: _refresh,
    requests.RenameSession: _rename,
    requests.SetMetadata: _set_metadata,
    requests.ShareSession: _share,
    requests.DeleteSession: _delete,
    requests.GetHistory: _get_history,
    requests.DeleteInactive: _delete_inactive,
    requests.RestoreSession: _restore,
    requests.Tidy: _tidy,
    requests.Flush: _flush,
    requests.Drain: _drain,
    requests.Admit: _admit,
    requests.ReplaceLimits: _replace_limits,
}
