"""
All sessions and channels, and every change to them: requests in, reply and effects out.

The registry actor is the only caller in a gateway; nothing here awaits, looks at
a clock or draws a random number, so tests assert whole lists of effects.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeAlias, TypeVar, get_args

import attrs

from ..errors import ErrorCode, GatewayError, InvalidMessageError
from ..protocol.messages import ChannelMessage, ChatAccepted, Connected, Error, Limits, LoggedEvent
from . import requests
from .attachments import Attachments
from .channels import ChannelTable
from .effects import CancelTurn, Deliver, Dismiss, DropSession, Effect, SaveSession, Send
from .history import History
from .live import LiveSession, Run, milliseconds
from .log import Log, LogLimits
from .metadata import merge
from .requests import Caller, ChannelInfo, HistoryPage, Request, SessionPage
from .session import Session

ReplyT = TypeVar("ReplyT")
_Effects: TypeAlias = list[Effect]


@attrs.frozen
class TableLimits:
    """What bounds the table."""

    log: LogLimits
    history_bytes: int
    max_sessions: int
    max_channels: int
    max_queued_chats: int
    wire: Limits
    """What `connected` tells of it."""


@attrs.frozen
class TableStatistics:
    """How much there is."""

    sessions: int
    watchers: int
    turns_running: int
    chats_queued: int
    channels: int
    events_appended: int


class SessionTable:
    """
    The state of a gateway.

    Invariants (see `validate_state`): a connection watches at most one session,
    and that session knows it; a channel's members know that they have joined.
    A request that raises has changed nothing.
    """

    def __init__(self, limits: TableLimits, epoch: str) -> None:
        self._limits = limits
        self._epoch = epoch
        self._sessions: dict[str, LiveSession] = {}
        self._attachments = Attachments()
        self._channels = ChannelTable(limits.log, limits.max_channels, epoch)
        self._created = 0
        self._appended = 0

    def restore(self, sessions: Sequence[Session]) -> None:
        """Take in what the storage had kept; their logs begin anew, in this epoch."""
        for session in sessions:
            self._add(session)

    def handle(self, request: Request[ReplyT], now: float) -> tuple[ReplyT, list[Effect]]:
        """
        Apply *request* at *now* (Unix seconds).

        Raises:
            GatewayError: It was refused; nothing has changed.
        """
        effects: list[Effect] = []
        reply = _HANDLERS[type(request)](self, request, now, effects)
        self._appended += sum(isinstance(effect, Deliver) for effect in effects)
        return reply, effects

    def statistics(self) -> TableStatistics:
        """Count what there is."""
        running = [session for session in self._sessions.values() if session.run]
        return TableStatistics(
            sessions=len(self._sessions),
            watchers=len(self._attachments),
            turns_running=len(running),
            chats_queued=sum(len(session.queue) for session in running),
            channels=len(self._channels),
            events_appended=self._appended,
        )

    def validate_state(self) -> None:
        """Check the invariants; for tests."""
        self._attachments.validate_state(self._sessions)
        self._channels.validate_state(self._sessions)
        for session in self._sessions.values():
            assert session.run is not None or not session.queue
            assert len(session.queue) <= self._limits.max_queued_chats

    # ── sessions ─────────────────────────────────────────────────────────────

    def _create(self, request: requests.CreateSession, now: float, effects: _Effects) -> Session:
        if request.session_id in self._sessions:
            raise GatewayError(ErrorCode.SESSION_EXISTS, f"session {request.session_id!r} exists already")
        return self._save(self._found(request, now), effects)

    def _get(self, request: requests.GetSession, now: float, effects: _Effects) -> Session:
        return self._find(request.caller, request.session_id).snapshot()

    def _list(self, request: requests.ListSessions, now: float, effects: _Effects) -> SessionPage:
        visible = (
            session
            for session in self._sessions.values()
            if session.number > request.after and request.caller.principal.owns(session.user_id)
        )
        page = list(islice(visible, request.limit + 1))
        more = len(page) > request.limit
        page = page[: request.limit]
        return SessionPage([s.snapshot() for s in page], page[-1].number if more else None)

    def _rename(self, request: requests.RenameSession, now: float, effects: _Effects) -> Session:
        session = self._find(request.caller, request.session_id)
        session.name = request.name
        return self._save(session, effects)

    def _set_metadata(self, request: requests.SetMetadata, now: float, effects: _Effects) -> Session:
        session = self._find(request.caller, request.session_id)
        session.metadata = merge(session.metadata, request.metadata)
        return self._save(session, effects)

    def _delete(self, request: requests.DeleteSession, now: float, effects: _Effects) -> str:
        session = self._find(request.caller, request.session_id)
        effects += self._end(session, "the session was deleted")
        return session.id

    def _get_history(self, request: requests.GetHistory, now: float, effects: _Effects) -> HistoryPage:
        history = self._find(request.caller, request.session_id).history
        first, messages = history.page(request.limit, request.before)
        return HistoryPage(messages, first, has_more=first > history.dropped)

    def _cleanup(self, request: requests.CleanupInactive, now: float, effects: _Effects) -> Sequence[str]:
        oldest = now - request.max_age
        idle = [s for s in self._sessions.values() if s.is_idle and s.last_activity <= oldest]
        for session in idle:
            effects += self._end(session, "the session was inactive")
        return [session.id for session in idle]

    # ── connections ──────────────────────────────────────────────────────────

    def _attach(self, request: requests.Attach, now: float, effects: _Effects) -> Session:
        session, resumed = self._find_or_found(request, now)
        greeting = Connected(
            session.id,
            resumed=resumed,
            epoch=self._epoch,
            last_seq=session.log.last_seq,
            protocol=request.connection.protocol,
            limits=self._limits.wire,
            connection_id=request.connection.id,
        )
        others = self._channels.logs_of(session)
        effects += self._attachments.attach(request, session, greeting, others, now)
        return session.snapshot()

    def _find_or_found(self, request: requests.Attach, now: float) -> tuple[LiveSession, bool]:
        """A session that belongs to somebody else is as unknown as one that never was."""
        session = self._sessions.get(request.session_id or "")
        if session is not None and request.caller.principal.owns(session.user_id):
            return session, True
        if request.new_session_id is None:
            raise _not_found(request.session_id)
        creation = requests.CreateSession(request.connection.user_id, request.new_session_id)
        return self._found(creation, now), False

    def _detach(self, request: requests.Detach, now: float, effects: _Effects) -> bool:
        session = self._attachments.watched(request.connection_id)
        if session is None or request.session_id not in (None, session.id):
            return False
        effects += self._attachments.leave(request.connection_id, now)
        effects.append(Dismiss(request.connection_id))
        return True

    # ── events and turns ─────────────────────────────────────────────────────

    def _append(self, request: requests.AppendEvent, now: float, effects: _Effects) -> int:
        session = self._sessions.get(request.session_id)
        if session is None:
            raise _not_found(request.session_id)
        _check_kind(request.event)
        if request.event.session_id not in (None, session.id):
            raise GatewayError(
                ErrorCode.INVALID_EVENT,
                f"the event names session {request.event.session_id!r:.80}, and goes to {session.id!r}",
            )
        with _refusing_what_cannot_be_encoded():
            delivery = session.append(request.event, now)
        effects.append(delivery)
        return delivery.seq

    def _broadcast(self, request: requests.BroadcastEvent, now: float, effects: _Effects) -> int:
        _check_kind(request.event)
        return _append_to(self._channels.broadcasts, request.event, now, effects)

    def _emit(self, request: requests.EmitEvent, now: float, effects: _Effects) -> None:
        session = self._running(request.session_id, request.run_id)
        if session is None:
            return
        try:
            effects.append(session.append(attrs.evolve(request.event, run_id=request.run_id), now))
        except InvalidMessageError as error:
            effects.append(CancelTurn(request.run_id))
            outcome = Error(ErrorCode.AGENT_ERROR, f"the agent's {error}", session_id=session.id)
            effects += session.end(outcome, now)

    def _submit(self, request: requests.SubmitChat, now: float, effects: _Effects) -> ChatAccepted:
        session, chat = self._find(request.caller, None), request.chat
        if chat.session_id != session.id:
            raise GatewayError(
                ErrorCode.SESSION_MISMATCH,
                f"this connection watches session {session.id!r}; connect to {chat.session_id!r:.80} first",
            )
        waiting = len(session.queue) + (session.run is not None)
        if waiting > self._limits.max_queued_chats:
            raise GatewayError(
                ErrorCode.QUEUE_FULL, f"{waiting} chats run or wait in this session; try when one is over"
            )
        accepted = ChatAccepted(session.id, request.run_id, queued=waiting, id=chat.id)
        assert request.caller.connection_id is not None, "nobody else watches a session"
        effects.append(Send(request.caller.connection_id, accepted))
        effects += session.submit(Run(request.run_id, chat), now)
        self._save(session, effects)
        return accepted

    def _end_turn(self, request: requests.EndTurn, now: float, effects: _Effects) -> None:
        session = self._running(request.session_id, request.run_id)
        if session is not None:
            effects += session.end(request.outcome, now)

    def _abort(self, request: requests.AbortTurn, now: float, effects: _Effects) -> Sequence[str]:
        session = self._find(request.caller, request.session_id)
        known = [run.run_id for run in (session.run, *session.queue) if run is not None]
        aborted = [run_id for run_id in known if request.run_id in (None, run_id)]
        effects += session.abort(request.run_id, now)
        return aborted

    def _running(self, session_id: str, run_id: str) -> LiveSession | None:
        session = self._sessions.get(session_id)
        return session if session and session.run and session.run.run_id == run_id else None

    # ── channels ─────────────────────────────────────────────────────────────

    def _create_channel(self, request: requests.CreateChannel, now: float, effects: _Effects) -> ChannelInfo:
        self._channels.create(request.name)
        return self._channels.describe_one(request.name, self._watched(request.caller))

    def _list_channels(
        self, request: requests.ListChannels, now: float, effects: _Effects
    ) -> Sequence[ChannelInfo]:
        return self._channels.describe(self._watched(request.caller))

    def _join(self, request: requests.JoinChannel, now: float, effects: _Effects) -> ChannelInfo:
        session = self._find(request.caller, request.session_id)
        effects += self._channels.join(request.name, session)
        return self._channels.describe_one(request.name, session)

    def _leave_channel(self, request: requests.LeaveChannel, now: float, effects: _Effects) -> ChannelInfo:
        session = self._find(request.caller, request.session_id)
        effects += self._channels.leave(request.name, session)
        return self._channels.describe_one(request.name, session)

    def _get_member(self, request: requests.GetMember, now: float, effects: _Effects) -> Session:
        session = self._find(request.caller, request.session_id)
        self._channels.log_for(request.name, session)
        return session.snapshot()

    def _send(self, request: requests.SendToChannel, now: float, effects: _Effects) -> int:
        message = request.message
        if message.session_id is None:
            return _append_to(self._channels.log(message.channel), message, now, effects)
        session = self._find(requests.OPERATOR, message.session_id)
        seq = _append_to(self._channels.log_for(message.channel, session), message, now, effects)
        session.last_activity = now
        return seq

    # ── what the handlers share ──────────────────────────────────────────────

    def _find(self, caller: Caller, session_id: str | None) -> LiveSession:
        """The session that is named, or else the one that the caller's connection watches."""
        if session_id is None:
            session = self._watched(caller)
            if session is None:
                raise GatewayError(
                    ErrorCode.NOT_CONNECTED, "this connection watches no session; connect first"
                )
            return session
        session = self._sessions.get(session_id)
        if session is None or not caller.principal.owns(session.user_id):
            raise _not_found(session_id)
        return session

    def _watched(self, caller: Caller) -> LiveSession | None:
        return self._attachments.watched(caller.connection_id)

    def _found(self, request: requests.CreateSession, now: float) -> LiveSession:
        """Found a session, as one founds a town; it is yet to be saved."""
        if len(self._sessions) >= self._limits.max_sessions:
            raise GatewayError(
                ErrorCode.LIMIT_EXCEEDED, f"the gateway holds {len(self._sessions)} sessions already"
            )
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        metadata = merge({}, request.metadata)
        return self._add(
            Session(request.session_id, request.user_id, moment, moment, request.name, metadata=metadata)
        )

    def _add(self, session: Session) -> LiveSession:
        self._created += 1
        log = Log(session.id, self._epoch, self._limits.log)
        live = LiveSession(session, self._created, log, History(self._limits.history_bytes))
        self._sessions[session.id] = live
        return live

    def _save(self, session: LiveSession, effects: _Effects) -> Session:
        snapshot = session.snapshot()
        effects.append(SaveSession(snapshot))
        return snapshot

    def _end(self, session: LiveSession, reason: str) -> Iterator[Effect]:
        if session.run is not None:
            yield CancelTurn(session.run.run_id)
        yield from self._attachments.end(session, reason)
        self._channels.forget(session)
        del self._sessions[session.id]
        yield DropSession(session.id)


def _append_to(log: Log, event: LoggedEvent, now: float, effects: _Effects) -> int:
    with _refusing_what_cannot_be_encoded():
        entry = log.append(event, milliseconds(now))
    effects.append(Deliver(log, entry.seq))
    return entry.seq


@contextmanager
def _refusing_what_cannot_be_encoded() -> Iterator[None]:
    try:
        yield
    except InvalidMessageError as error:
        raise GatewayError(ErrorCode.INVALID_EVENT, str(error)) from None


def _check_kind(event: LoggedEvent) -> None:
    if type(event) not in _SENDABLE:
        names = ", ".join(kind.__name__ for kind in _SENDABLE)
        raise GatewayError(ErrorCode.INVALID_EVENT, f"{type(event).__name__} cannot be sent so; {names} can")


_SENDABLE = [kind for kind in get_args(LoggedEvent) if kind is not ChannelMessage]
"""A channel's message has a log of its own, which alone may number it."""


def _not_found(session_id: str | None) -> GatewayError:
    return GatewayError(ErrorCode.SESSION_NOT_FOUND, f"no session {session_id!r:.80}")


_HANDLERS: Mapping[type, Callable[[SessionTable, Any, float, _Effects], Any]] = {
    requests.CreateSession: SessionTable._create,
    requests.GetSession: SessionTable._get,
    requests.ListSessions: SessionTable._list,
    requests.RenameSession: SessionTable._rename,
    requests.SetMetadata: SessionTable._set_metadata,
    requests.DeleteSession: SessionTable._delete,
    requests.GetHistory: SessionTable._get_history,
    requests.CleanupInactive: SessionTable._cleanup,
    requests.Attach: SessionTable._attach,
    requests.Detach: SessionTable._detach,
    requests.AppendEvent: SessionTable._append,
    requests.BroadcastEvent: SessionTable._broadcast,
    requests.EmitEvent: SessionTable._emit,
    requests.SubmitChat: SessionTable._submit,
    requests.EndTurn: SessionTable._end_turn,
    requests.AbortTurn: SessionTable._abort,
    requests.CreateChannel: SessionTable._create_channel,
    requests.ListChannels: SessionTable._list_channels,
    requests.JoinChannel: SessionTable._join,
    requests.LeaveChannel: SessionTable._leave_channel,
    requests.GetMember: SessionTable._get_member,
    requests.SendToChannel: SessionTable._send,
}
