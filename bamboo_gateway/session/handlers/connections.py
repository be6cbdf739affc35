"""Who comes to watch a session, and who leaves."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ...protocol import versions
from ...protocol.messages import MAX_CHANNEL_CURSORS, Connected
from .. import requests
from ..access import Access
from ..audience import may_follow
from ..effects import Dismiss, Effect
from ..live import LiveSession
from ..log import Log
from ..session import Session
from .state import Handlers, TableState, not_found


def _attach(state: TableState, request: requests.Attach, now: float, effects: list[Effect]) -> Session:
    state.refuse_while_draining()
    left = state.attachments.watched(request.connection.id)
    session, resumed = _find_or_found(state, request, now)
    others = [log for log in state.channels.logs_of(session) if may_follow(log, request.connection)]
    greeting = Connected(
        session.id,
        resumed=resumed,
        epoch=state.epoch,
        last_seq=session.log.visible_seq,
        protocol=request.connection.protocol,
        limits=state.limits.wire,
        connection_id=request.connection.id,
        channels=_ends(others) if request.connection.protocol >= versions.LATEST else None,
    )
    effects += state.attachments.attach(request, session, greeting, others, now)
    if left is not None:
        effects += state.end_temporary(left)
    return session.snapshot()


def _ends(logs: Iterable[Log]) -> dict[str, int]:
    """
    Where each log ends, for a client that has yet to hear of it.

    What a connection could not resume by `connect.channels` need not be told.
    """
    return {log.name: log.visible_seq for log in islice(logs, MAX_CHANNEL_CURSORS)}


def _find_or_found(state: TableState, request: requests.Attach, now: float) -> tuple[LiveSession, bool]:
    """A session that the caller may not read is as unknown as one that never was."""
    session = state.sessions.get(request.session_id)
    if session is not None and session.access(request.caller.principal) is not None:
        # An exclusive one sends all others away, those of the owner among them.
        needed = Access.OWN if request.exclusive else Access.READ
        return state.find(request.caller, session.id, needed), True
    if request.new_session_id is None:
        raise not_found(request.session_id)
    creation = requests.CreateSession(
        request.connection.user_id, request.new_session_id, caller=request.caller
    )
    found = state.found_temporary if request.is_temporary else state.found
    return found(creation, now), False


def _detach(state: TableState, request: requests.Detach, now: float, effects: list[Effect]) -> bool:
    session = state.attachments.watched(request.connection_id)
    if session is None or request.session_id not in (None, session.id):
        return False
    effects += state.attachments.leave(request.connection_id, now)
    effects.append(Dismiss(request.connection_id))
    effects += state.end_temporary(session)
    return True


HANDLERS: Handlers = {
    requests.Attach: _attach,
    requests.Detach: _detach,
}
