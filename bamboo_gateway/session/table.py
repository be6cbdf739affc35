"""
All sessions and channels, and every change to them: requests in, reply and effects out.

The registry actor is the only caller in a gateway; nothing here awaits, looks at
a clock or draws a random number, so tests assert whole lists of effects.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar, get_args

import attrs

from ..errors import ErrorCode, GatewayError, InvalidMessageError
from ..protocol import versions
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import (
    ChannelMessage,
    ChatAccepted,
    Connected,
    Error,
    Gap,
    Limits,
    LoggedEvent,
    Presence,
    SessionEnded,
)
from . import requests
from .effects import (
    CancelTurn,
    Close,
    Deliver,
    Dismiss,
    DropSession,
    Effect,
    SaveSession,
    Send,
    Watch,
)
from .history import History
from .channels import ChannelTable
from .live import LiveSession, Run, milliseconds
from .log import Log, LogLimits
from .requests import Caller, ChannelInfo, HistoryPage, Request, SessionPage
from .session import ConnectionHandle, Session

ReplyT = TypeVar("ReplyT")

MAX_PRESENCE_WATCHERS = 64
"""Above it nobody is told who comes and goes: n watchers who arrive cost n² frames; `presence.list` still knows."""


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
        self._attached: dict[str, LiveSession] = {}
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
        return reply, effects

    def statistics(self) -> TableStatistics:
        """Count what there is."""
        running = [session for session in self._sessions.values() if session.run]
        return TableStatistics(
            sessions=len(self._sessions),
            watchers=len(self._attached),
            turns_running=len(running),
            chats_queued=sum(len(session.queue) for session in running),
            channels=len(self._channels),
            events_appended=self._appended,
        )

    def validate_state(self) -> None:
        """Check the invariants; for tests."""
        for connection_id, session in self._attached.items():
            assert self._sessions[session.id] is session
            assert session.watchers[connection_id].id == connection_id
        assert sum(len(session.watchers) for session in self._sessions.values()) == len(self._attached)
        for session in self._sessions.values():
            assert session.run is not None or not session.queue
            assert len(session.queue) <= self._limits.max_queued_chats
        self._channels.validate_state(self._sessions)

    # ── sessions ─────────────────────────────────────────────────────────────

    def _create(self, request: requests.CreateSession, now: float, effects: list[Effect]) -> Session:
        if request.session_id in self._sessions:
            raise GatewayError(ErrorCode.SESSION_EXISTS, f"session {request.session_id!r} exists already")
        return self._found(request, now, effects).snapshot()

    def _get(self, request: requests.GetSession, now: float, effects: list[Effect]) -> Session:
        return self._find(request.caller, request.session_id).snapshot()

    def _list(self, request: requests.ListSessions, now: float, effects: list[Effect]) -> SessionPage:
        visible = (
            session
            for session in self._sessions.values()
            if session.number > request.after and request.caller.principal.owns(session.user_id)
        )
        page = list(islice(visible, request.limit + 1))
        more = len(page) > request.limit
        page = page[: request.limit]
        return SessionPage([s.snapshot() for s in page], page[-1].number if more else None)

    def _rename(self, request: requests.RenameSession, now: float, effects: list[Effect]) -> Session:
        session = self._find(request.caller, request.session_id)
        session.name = request.name
        return self._save(session, effects)

    def _set_metadata(self, request: requests.SetMetadata, now: float, effects: list[Effect]) -> Session:
        session = self._find(request.caller, request.session_id)
        session.merge_metadata(request.metadata)
        return self._save(session, effects)

    def _delete(self, request: requests.DeleteSession, now: float, effects: list[Effect]) -> None:
        session = self._find(request.caller, request.session_id)
        effects += self._end(session, "the session was deleted")

    def _get_history(self, request: requests.GetHistory, now: float, effects: list[Effect]) -> HistoryPage:
        history = self._find(request.caller, request.session_id).history
        first, messages = history.page(request.limit, request.before)
        return HistoryPage(messages, first, has_more=first > history.dropped)

    def _cleanup(self, request: requests.CleanupInactive, now: float, effects: list[Effect]) -> Sequence[str]:
        oldest = now - request.max_age
        idle = [s for s in self._sessions.values() if s.is_idle and s.last_activity <= oldest]
        for session in idle:
            effects += self._end(session, "the session was inactive")
        return [session.id for session in idle]

    # ── connections ──────────────────────────────────────────────────────────

    def _attach(self, request: requests.Attach, now: float, effects: list[Effect]) -> Session:
        connection = request.connection
        session, resumed = self._find_or_found(request, now, effects)
        previous = self._attached.get(connection.id)
        if previous is not session:
            effects += self._leave(connection.id, now)
        if request.exclusive:
            effects += self._supersede(session, connection.id)
        greeting = Connected(
            session.id,
            resumed=resumed,
            epoch=self._epoch,
            last_seq=session.log.last_seq,
            protocol=connection.protocol,
            limits=self._limits.wire,
            connection_id=connection.id,
        )
        effects += self._watch(request, session, greeting)
        session.watchers[connection.id] = connection
        session.last_activity = now
        self._attached[connection.id] = session
        if previous is not session:
            effects += _presence(session, connection, "joined")
        return session.snapshot()

    def _find_or_found(
        self, request: requests.Attach, now: float, effects: list[Effect]
    ) -> tuple[LiveSession, bool]:
        """A session that belongs to somebody else is as unknown as one that never was."""
        session = self._sessions.get(request.session_id or "")
        if session is not None and request.caller.principal.owns(session.user_id):
            return session, True
        if request.new_session_id is None:
            raise _not_found(request.session_id)
        creation = requests.CreateSession(request.connection.user_id, request.new_session_id)
        return self._found(creation, now, effects), False

    def _watch(self, request: requests.Attach, session: LiveSession, greeting: Connected) -> Iterator[Effect]:
        wanted: list[tuple[Log, int | None]] = [(session.log, request.last_seq)]
        wanted += [(log, request.channels.get(log.name)) for log in self._channels.logs_of(session)]
        resumed = [_resume(log, after, request.epoch) for log, after in wanted]
        yield Watch(request.connection.id, greeting, [cursor for cursor, _ in resumed])
        yield from (Send(request.connection.id, gap) for _, gap in resumed if gap)

    def _detach(self, request: requests.Detach, now: float, effects: list[Effect]) -> bool:
        session = self._attached.get(request.connection_id)
        if session is None or request.session_id not in (None, session.id):
            return False
        effects += self._leave(request.connection_id, now)
        effects.append(Dismiss(request.connection_id))
        self._save(session, effects)
        return True

    def _leave(self, connection_id: str, now: float) -> Iterator[Effect]:
        session = self._attached.pop(connection_id, None)
        if session is not None:
            connection = session.watchers.pop(connection_id)
            session.last_activity = now
            yield from _presence(session, connection, "left")

    def _supersede(self, session: LiveSession, survivor: str) -> Iterator[Effect]:
        reason = "a newer connection took the session for itself"
        for connection_id in [each for each in session.watchers if each != survivor]:
            del session.watchers[connection_id], self._attached[connection_id]
            yield Send(connection_id, Error(ErrorCode.SUPERSEDED, reason, session_id=session.id))
            yield Dismiss(connection_id)
            yield Close(connection_id, Closing(CloseCode.SUPERSEDED, reason))

    # ── events and turns ─────────────────────────────────────────────────────

    def _append(self, request: requests.AppendEvent, now: float, effects: list[Effect]) -> int:
        session = self._sessions.get(request.session_id)
        if session is None:
            raise _not_found(request.session_id)
        _check_kind(request.event)
        if request.event.session_id not in (None, session.id):
            raise GatewayError(
                ErrorCode.INVALID_EVENT,
                f"the event names session {request.event.session_id!r:.80}, and goes to {session.id!r}",
            )
        try:
            delivery = session.append(request.event, now)
        except InvalidMessageError as error:
            raise GatewayError(ErrorCode.INVALID_EVENT, str(error)) from None
        return self._count(delivery, effects)

    def _broadcast(self, request: requests.BroadcastEvent, now: float, effects: list[Effect]) -> int:
        _check_kind(request.event)
        return self._append_to(self._channels.broadcasts, request.event, now, effects)

    def _append_to(self, log: Log, event: LoggedEvent, now: float, effects: list[Effect]) -> int:
        try:
            entry = log.append(event, milliseconds(now))
        except InvalidMessageError as error:
            raise GatewayError(ErrorCode.INVALID_EVENT, str(error)) from None
        return self._count(Deliver(log, entry.seq), effects)

    def _emit(self, request: requests.EmitEvent, now: float, effects: list[Effect]) -> None:
        session = self._running(request.session_id, request.run_id)
        if session is None:
            return
        try:
            self._count(session.append(attrs.evolve(request.event, run_id=request.run_id), now), effects)
        except InvalidMessageError as error:
            effects.append(CancelTurn(request.run_id))
            outcome = Error(ErrorCode.AGENT_ERROR, f"the agent's {error}", session_id=session.id)
            effects += session.end(outcome, now)

    def _submit(self, request: requests.SubmitChat, now: float, effects: list[Effect]) -> ChatAccepted:
        session = self._find(request.caller, None)
        chat = request.chat
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
        if request.caller.connection_id is not None:
            effects.append(Send(request.caller.connection_id, accepted))
        effects += session.submit(Run(request.run_id, chat), now)
        return accepted

    def _end_turn(self, request: requests.EndTurn, now: float, effects: list[Effect]) -> None:
        session = self._running(request.session_id, request.run_id)
        if session is not None:
            effects += session.end(request.outcome, now)

    def _abort(self, request: requests.AbortTurn, now: float, effects: list[Effect]) -> Sequence[str]:
        session = self._find(request.caller, request.session_id)
        known = [run.run_id for run in (session.run, *session.queue) if run is not None]
        aborted = [run_id for run_id in known if request.run_id in (None, run_id)]
        effects += session.abort(request.run_id, now)
        return aborted

    def _running(self, session_id: str, run_id: str) -> LiveSession | None:
        session = self._sessions.get(session_id)
        return session if session and session.run and session.run.run_id == run_id else None

    # ── channels ─────────────────────────────────────────────────────────────

    def _create_channel(
        self, request: requests.CreateChannel, now: float, effects: list[Effect]
    ) -> ChannelInfo:
        self._channels.create(request.name)
        return self._channels.describe_one(request.name, self._watched(request.caller))

    def _list_channels(
        self, request: requests.ListChannels, now: float, effects: list[Effect]
    ) -> Sequence[ChannelInfo]:
        return self._channels.describe(self._watched(request.caller))

    def _join(self, request: requests.JoinChannel, now: float, effects: list[Effect]) -> ChannelInfo:
        session = self._find(request.caller, request.session_id)
        effects += self._channels.join(request.name, session)
        return self._channels.describe_one(request.name, session)

    def _leave_channel(
        self, request: requests.LeaveChannel, now: float, effects: list[Effect]
    ) -> ChannelInfo:
        session = self._find(request.caller, request.session_id)
        effects += self._channels.leave(request.name, session)
        return self._channels.describe_one(request.name, session)

    def _send(self, request: requests.SendToChannel, now: float, effects: list[Effect]) -> int:
        message = request.message
        if message.session_id is None:
            channel = self._channels.log(message.channel)
        else:
            session = self._find(requests.OPERATOR, message.session_id)
            channel = self._channels.log_for(message.channel, session)
            session.last_activity = now
        return self._append_to(channel, message, now, effects)

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
        return self._attached.get(caller.connection_id or "")

    def _found(self, request: requests.CreateSession, now: float, effects: list[Effect]) -> LiveSession:
        """Found a session, as one founds a town."""
        if len(self._sessions) >= self._limits.max_sessions:
            raise GatewayError(
                ErrorCode.LIMIT_EXCEEDED, f"the gateway holds {len(self._sessions)} sessions already"
            )
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        session = self._add(
            Session(
                request.session_id, request.user_id, moment, moment, request.name, metadata=request.metadata
            )
        )
        self._save(session, effects)
        return session

    def _add(self, session: Session) -> LiveSession:
        self._created += 1
        log = Log(session.id, self._epoch, self._limits.log)
        live = LiveSession(session, self._created, log, History(self._limits.history_bytes))
        self._sessions[session.id] = live
        return live

    def _save(self, session: LiveSession, effects: list[Effect]) -> Session:
        snapshot = session.snapshot()
        effects.append(SaveSession(snapshot))
        return snapshot

    def _end(self, session: LiveSession, reason: str) -> Iterator[Effect]:
        if session.run is not None:
            yield CancelTurn(session.run.run_id)
        for connection_id in session.watchers:
            del self._attached[connection_id]
            yield Send(connection_id, SessionEnded(session.id, reason))
            yield Dismiss(connection_id)
        self._channels.forget(session)
        del self._sessions[session.id]
        yield DropSession(session.id)

    def _count(self, delivery: Deliver, effects: list[Effect]) -> int:
        self._appended += 1
        effects.append(delivery)
        return delivery.seq


def _resume(log: Log, last_seq: int | None, epoch: str | None) -> tuple[tuple[Log, int], Gap | None]:
    """
    Where a connection begins to read *log*, and what it must be told that it misses.

    Without a cursor it begins now. A cursor that counts in a foreign epoch, or
    beyond the end, cannot be honoured: everything there is counts as unseen.
    What has been cut off the log shows when it is read.
    """
    if last_seq is None:
        return (log, log.last_seq), None
    if epoch in (None, log.epoch) and last_seq <= log.last_seq:
        return (log, last_seq), None
    gap = Gap(
        requested=last_seq + 1,
        earliest=log.first_seq,
        latest=log.last_seq,
        epoch=log.epoch,
        session_id=None if log.channel else log.name,
        channel=log.channel,
    )
    return (log, log.first_seq - 1), gap


def _presence(
    session: LiveSession, connection: ConnectionHandle, event: Literal["joined", "left"]
) -> Iterator[Effect]:
    """Tell who watches *session* that *connection* came or went."""
    if len(session.watchers) > MAX_PRESENCE_WATCHERS:
        return
    presence = Presence(
        session_id=session.id,
        event=event,
        connection_id=connection.id,
        user_id=connection.user_id,
        watchers=len(session.watchers),
        client=connection.client,
    )
    for other in session.watchers.values():
        if other.id != connection.id and other.protocol >= versions.LATEST:
            yield Send(other.id, presence)


def _check_kind(event: LoggedEvent) -> None:
    """A channel's message has a log of its own, which alone may number it."""
    kinds = [kind for kind in get_args(LoggedEvent) if kind is not ChannelMessage]
    if type(event) not in kinds:
        names = ", ".join(kind.__name__ for kind in kinds)
        raise GatewayError(ErrorCode.INVALID_EVENT, f"{type(event).__name__} cannot be sent so; {names} can")


def _not_found(session_id: str | None) -> GatewayError:
    return GatewayError(ErrorCode.SESSION_NOT_FOUND, f"no session {session_id!r:.80}")


_HANDLERS: Mapping[type, Callable[[SessionTable, Any, float, list[Effect]], Any]] = {
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
    requests.SendToChannel: SessionTable._send,
}
