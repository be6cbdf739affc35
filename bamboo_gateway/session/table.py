"""
All sessions and channels, and every change to them: requests in, reply and effects out.

The registry actor is the only caller in a gateway; nothing here awaits, looks at
a clock or draws a random number, so tests assert whole lists of effects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar, get_args

import attrs

from ..errors import ErrorCode, GatewayError, InvalidMessageError
from ..protocol.messages import ChannelMessage, ChatAccepted, Connected, Error, Limits, LoggedEvent
from . import requests
from .attachments import Attachments
from .channels import ChannelTable
from .effects import CancelTurn, Deliver, Dismiss, DropSession, Effect, SaveChannel, SaveSession, Send, Trim
from .live import LiveSession, milliseconds
from .log import Log
from .metadata import merge
from .outcomes import MessageKey
from .requests import Caller, ChannelInfo, HistoryTail, Request
from .residents import Residents, SessionLimits
from .session import Session
from .shelf import LogShelf
from .stored import Run, StoredState

ReplyT = TypeVar("ReplyT")
_Effects: TypeAlias = list[Effect]


@attrs.frozen
class TableLimits:
    """What bounds the table."""

    session: SessionLimits
    total_log_bytes: int
    """Of all logs in memory together."""
    max_sessions: int
    max_channels: int
    max_queued_chats: int
    wire: Limits
    """What `connected` tells of it."""


@attrs.frozen
class TableStatistics:
    """How much there is."""

    sessions: int
    resident: int
    """Those of them that are in memory."""
    watchers: int
    turns_running: int
    chats_queued: int
    channels: int
    events_appended: int
    log_bytes: int
    """Of all logs in memory."""


class SessionTable:
    """
    The state of a gateway.

    Invariants (see `validate_state`): a connection watches at most one session,
    and that session knows it; a channel's members know that they have joined.
    A request that raises has changed nothing.

    Args:
        limits: What bounds it.
        resume_turns: Does the agent go on with a turn that the end of an earlier gateway has interrupted?
    """

    def __init__(self, limits: TableLimits, *, resume_turns: bool = False) -> None:
        self.limits = limits
        self._resume_turns = resume_turns
        self._attachments = Attachments()
        self._appended = 0
        self.open(StoredState(epoch=""))

    def open(self, state: StoredState) -> None:
        """Begin with what the storage has; called once, before anything is asked."""
        limits = self.limits
        self._epoch = state.epoch
        self._shelf = LogShelf(limits.total_log_bytes)
        self._sessions = Residents(
            limits.session, self._shelf, limits.max_sessions, state.epoch, state.sessions, state.last_number
        )
        self._channels = ChannelTable(limits.session.log, limits.max_channels, state.epoch, state.channels)
        for log in self._channels.logs:
            self._shelf.add(log)

    def handle(self, request: Request[ReplyT], now: float) -> tuple[ReplyT, list[Effect]]:
        """
        Apply *request* at *now* (Unix seconds); its `subject` is in memory, if there is such a session.

        Raises:
            GatewayError: It was refused; nothing has changed.
        """
        effects: list[Effect] = []
        reply = _HANDLERS[type(request)](self, request, now, effects)
        for log in [effect.log for effect in effects if isinstance(effect, Deliver)]:
            self._appended += 1
            effects += self._make_room(log)
        return reply, effects

    def holds(self, session_id: str) -> bool:
        """Is the session in memory?"""
        return session_id in self._sessions

    def may_go_on(self, request: Request[Any]) -> bool:
        """May *request* be applied although the storage fails?"""
        if isinstance(request, requests.Attach):
            session = self._sessions.get(request.session_id)
            return session is not None and request.caller.principal.owns(session.user_id)
        return type(request) in requests.UNDISTURBED

    def statistics(self) -> TableStatistics:
        """Count what there is."""
        running = [session for session in self._sessions if session.run]
        return TableStatistics(
            sessions=self._sessions.count,
            resident=len(self._sessions),
            watchers=len(self._attachments),
            turns_running=len(running),
            chats_queued=sum(len(session.queue) for session in running),
            channels=len(self._channels),
            events_appended=self._appended,
            log_bytes=self._shelf.size_bytes,
        )

    def validate_state(self) -> None:
        """Check the invariants; for tests."""
        sessions = self._sessions.by_id()
        self._attachments.validate_state(sessions)
        self._channels.validate_state(sessions)
        self._shelf.validate_state([*self._channels.logs, *(each.log for each in sessions.values())])
        assert self._sessions.count >= len(sessions)
        for session in sessions.values():
            assert session.run is not None or not session.queue
            assert len(session.queue) <= self.limits.max_queued_chats

    def _make_room(self, log: Log) -> Iterator[Effect]:
        """*log* has grown, or come; the others may have to shrink for it."""
        for changed in self._shelf.settle(log):
            yield from self._trim(changed)

    def _trim(self, log: Log, *, at_once: bool = False) -> Iterator[Effect]:
        """Have the storage cut what was cut here."""
        first_seq = log.cut(at_once=at_once)
        session = None if log.channel else self._sessions.get(log.name)
        if first_seq is not None:
            yield from session.trim(first_seq) if session else [Trim(log, first_seq)]

    # ── sessions ─────────────────────────────────────────────────────────────

    def _create(self, request: requests.CreateSession, now: float, effects: _Effects) -> Session:
        if request.session_id in self._sessions:
            raise GatewayError(ErrorCode.SESSION_EXISTS, f"session {request.session_id!r} exists already")
        return self._save(self._sessions.found(request, now), effects)

    def _restore(self, request: requests.RestoreSession, now: float, effects: _Effects) -> None:
        if request.stored is not None:
            session = self._sessions.restore(request.stored)
            effects += session.resume(request.stored.runs, now, again=self._resume_turns)
            effects += self._make_room(session.log)

    def _get(self, request: requests.GetSession, now: float, effects: _Effects) -> Session:
        return _visible(self._find(request.caller, request.session_id))

    def _refresh(self, request: requests.RefreshSessions, now: float, effects: _Effects) -> Sequence[Session]:
        resident = [(stored, self._sessions.get(stored.id)) for stored in request.sessions]
        return [_visible(live) if live else stored for stored, live in resident]

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

    def _get_history(self, request: requests.GetHistory, now: float, effects: _Effects) -> HistoryTail:
        session = self._find(request.caller, request.session_id)
        first, messages = session.history.page(request.limit, request.before)
        end = first if request.before is None else min(first, request.before)
        return HistoryTail(session.id, messages, max(0, end - (request.limit - len(messages))), end)

    def _delete_inactive(self, request: requests.DeleteInactive, now: float, effects: _Effects) -> bool:
        session = self._sessions.get(request.session_id)
        if session is None or not session.is_idle or session.last_activity > now - request.max_age:
            return False
        effects += self._end(session, "the session was inactive")
        return True

    def _flush(self, request: requests.Flush, now: float, effects: _Effects) -> None:
        """That the request has come this far is all."""

    def _tidy(self, request: requests.Tidy, now: float, effects: _Effects) -> None:
        for log in self._shelf:
            log.expire(milliseconds(now))
            effects += self._trim(log, at_once=True)
        self._shelf.reweigh()
        for session in self._sessions:
            # The storage, too, bounds its logs, and knows nothing of answers.
            effects += session.checkpoint(session.log.last_seq + 1)
        for session in self._sessions.find_idle(now - request.max_idle):
            self._save(session, effects)
            self._sessions.release(session)

    # ── connections ──────────────────────────────────────────────────────────

    def _attach(self, request: requests.Attach, now: float, effects: _Effects) -> Session:
        session, resumed = self._find_or_found(request, now)
        greeting = Connected(
            session.id,
            resumed=resumed,
            epoch=self._epoch,
            last_seq=session.log.visible_seq,
            protocol=request.connection.protocol,
            limits=self.limits.wire,
            connection_id=request.connection.id,
        )
        others = self._channels.logs_of(session)
        effects += self._attachments.attach(request, session, greeting, others, now)
        return session.snapshot()

    def _find_or_found(self, request: requests.Attach, now: float) -> tuple[LiveSession, bool]:
        """A session that belongs to somebody else is as unknown as one that never was."""
        session = self._sessions.get(request.session_id)
        if session is not None and request.caller.principal.owns(session.user_id):
            return session, True
        if request.new_session_id is None:
            raise _not_found(request.session_id)
        creation = requests.CreateSession(request.connection.user_id, request.new_session_id)
        return self._sessions.found(creation, now), False

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
            effects.append(session.append(request.event, now))
        return session.log.last_seq

    def _broadcast(self, request: requests.BroadcastEvent, now: float, effects: _Effects) -> int:
        _check_kind(request.event)
        log = self._channels.broadcasts
        seq = _append_to(log, request.event, now, effects)
        if seq == 1:
            effects.insert(0, SaveChannel(log.number, log.name, 0))
        return seq

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
        key = MessageKey.of(chat)
        known = session.outcomes.recall(key, milliseconds(now)) if key else None
        assert request.caller.connection_id is not None, "nobody else watches a session"
        if known is not None:
            assert isinstance(known.answer, ChatAccepted)
            effects.append(Send(request.caller.connection_id, known.answer))
            return known.answer
        waiting = len(session.queue) + (session.run is not None)
        if waiting > self.limits.max_queued_chats:
            raise GatewayError(
                ErrorCode.QUEUE_FULL, f"{waiting} chats run or wait in this session; try when one is over"
            )
        accepted = ChatAccepted(session.id, request.run_id, queued=waiting, id=chat.id)
        effects.append(Send(request.caller.connection_id, accepted))
        effects += session.submit(Run(request.run_id, chat), now)
        if key is not None:
            effects += session.remember(key, accepted, now)
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
        log, save = self._channels.create(request.name)
        self._shelf.add(log)
        effects.append(save)
        return self._channels.describe_one(request.name, self._watched(request.caller))

    def _list_channels(
        self, request: requests.ListChannels, now: float, effects: _Effects
    ) -> Sequence[ChannelInfo]:
        return self._channels.describe(self._watched(request.caller))

    def _join(self, request: requests.JoinChannel, now: float, effects: _Effects) -> ChannelInfo:
        session = self._find(request.caller, request.session_id)
        if request.name not in session.channels:
            effects += self._channels.join(request.name, session)
            self._save(session, effects)
        return self._channels.describe_one(request.name, session)

    def _leave_channel(self, request: requests.LeaveChannel, now: float, effects: _Effects) -> ChannelInfo:
        session = self._find(request.caller, request.session_id)
        effects += self._channels.leave(request.name, session)
        self._save(session, effects)
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

    # ── messages that carry an id ────────────────────────────────────────────

    def _perform_once(
        self, request: requests.PerformOnce, now: float, effects: _Effects
    ) -> requests.Performed | requests.Known:
        session = self._watched(request.caller)
        if known := self._recall(session, request.caller, request.key, now):
            return known
        reply = _HANDLERS[type(request.request)](self, request.request, now, effects)
        answer = request.describe(reply)
        if session is None or session.id not in self._sessions:  # it may be the one that was deleted
            return requests.Performed(answer, None)
        effects += session.remember(request.key, answer, now)
        return requests.Performed(answer, session.id)

    def _claim(
        self, request: requests.Claim, now: float, effects: _Effects
    ) -> requests.Claimed | requests.Known:
        session = self._watched(request.caller)
        if known := self._recall(session, request.caller, request.key, now):
            return known
        if session is None:
            return requests.Claimed(None)
        effects += session.remember(request.key, request.interrupted, now, is_open=True)
        return requests.Claimed(session.id)

    def _settle(self, request: requests.Settle, now: float, effects: _Effects) -> None:
        session = self._sessions.get(request.session_id)
        if session is not None:
            effects += session.remember(request.key, request.answer, now)
            answer = attrs.evolve(request.answer, session_id=request.answer.session_id or session.id)
            effects += [Send(each, answer) for each in session.outcomes.settle(request.key)]

    def _recall(
        self, session: LiveSession | None, caller: Caller, key: MessageKey, now: float
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

    def _save(self, session: LiveSession, effects: _Effects) -> Session:
        snapshot = session.snapshot()
        effects.append(SaveSession(snapshot))
        return snapshot

    def _end(self, session: LiveSession, reason: str) -> Iterator[Effect]:
        if session.run is not None:
            yield CancelTurn(session.run.run_id)
        yield from self._attachments.end(session, reason)
        yield from self._channels.forget(session)
        self._sessions.delete(session)
        yield DropSession(session.id)


def _visible(session: LiveSession) -> Session:
    """What is not committed is not told; it is, by the time of the reply, unless the storage fails."""
    return attrs.evolve(session.snapshot(), last_seq=session.log.visible_seq)


def _append_to(log: Log, event: LoggedEvent, now: float, effects: _Effects) -> int:
    with _refusing_what_cannot_be_encoded():
        entry = log.append(event, milliseconds(now))
    effects.append(Deliver(log, entry))
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
    requests.RefreshSessions: SessionTable._refresh,
    requests.RestoreSession: SessionTable._restore,
    requests.RenameSession: SessionTable._rename,
    requests.SetMetadata: SessionTable._set_metadata,
    requests.DeleteSession: SessionTable._delete,
    requests.GetHistory: SessionTable._get_history,
    requests.DeleteInactive: SessionTable._delete_inactive,
    requests.Tidy: SessionTable._tidy,
    requests.Flush: SessionTable._flush,
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
    requests.PerformOnce: SessionTable._perform_once,
    requests.Claim: SessionTable._claim,
    requests.Settle: SessionTable._settle,
}
