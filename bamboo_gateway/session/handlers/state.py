"""The state of a gateway, and what all who handle requests do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

import attrs

from ...errors import ErrorCode, GatewayError, InvalidMessageError
from ...protocol.messages import LoggedEvent
from ..access import MAX_SHARES, Access
from ..attachments import Attachments
from ..channels import ChannelTable
from ..effects import CancelTurn, Deliver, DropSession, Effect, Trim
from ..limits import TableLimits
from ..live import LiveSession, milliseconds
from ..log import Log
from ..requests import Caller, CreateSession, Request
from ..residents import Residents
from ..shelf import LogShelf
from ..stored import StoredState


class TableState:
    """
    All sessions and channels.

    Invariants (see `validate_state`): a connection watches at most one session,
    and that session knows it; a channel's members know that they have joined.

    Args:
        limits: What bounds it.
        stored: What the storage has.
        handlers: What each kind of request does; some requests hold another one.
        resume_turns: Does the agent go on with a turn that the end of an earlier gateway has interrupted?
    """

    def __init__(
        self, limits: TableLimits, stored: StoredState, handlers: Handlers, *, resume_turns: bool
    ) -> None:
        self.limits = limits
        self.resume_turns = resume_turns
        self.epoch = stored.epoch
        self._retry_after: float | None = None
        self.attachments = Attachments()
        self.shelf = LogShelf(limits.total_log_bytes)
        self.sessions = Residents(
            limits.session, self.shelf, limits.max_sessions, stored.epoch, stored.sessions, stored.last_number
        )
        self.channels = ChannelTable(
            limits.session.log, limits.max_channels, stored.epoch, stored.channels, stored.lowest_channel
        )
        self._handlers = handlers
        for log in self.channels.logs:
            self.shelf.add(log)

    @property
    def is_draining(self) -> bool:
        """Is the gateway about to stop? Then turns that run go on to their end, and none begins."""
        return self._retry_after is not None

    def drain(self, retry_after: float) -> None:
        """From here on whoever wants something new is told to come back in so many seconds."""
        self._retry_after = retry_after

    def refuse_while_draining(self) -> None:
        """
        Let what is new come in.

        Raises:
            GatewayError: `STOPPING`: the gateway is about to stop.
        """
        if self._retry_after is not None:
            raise GatewayError(
                ErrorCode.STOPPING,
                "the gateway is about to stop; say it again, with the same id, when it is back",
                retry_after=self._retry_after,
            )

    def apply(self, request: Request[Any], now: float, effects: list[Effect]) -> Any:
        """
        Have *request* handled at *now* (Unix seconds); returns the reply, and adds to *effects* what follows.

        Raises:
            GatewayError: It was refused; nothing has changed.
        """
        return self._handlers[type(request)](self, request, now, effects)

    def find(self, caller: Caller, session_id: str | None, needed: Access) -> LiveSession:
        """
        The session that is named, or else the one that the caller's connection watches.

        Args:
            caller: On whose behalf something is to be done with it.
            session_id: Which; None: the watched one.
            needed: What they must be allowed for that.

        Raises:
            GatewayError: `NOT_CONNECTED`: none is meant. `SESSION_NOT_FOUND`: none that the caller may read.
                `FORBIDDEN`: they may not do so much with it.
        """
        watched = self.watched(caller)
        session = watched if session_id is None else self.sessions.get(session_id)
        if session is None:
            raise _not_connected() if session_id is None else not_found(session_id)
        held = session.access(caller.principal)
        if held is None and session is watched:
            held = Access.READ  # an embedding program has put the connection there
        if held is None:
            raise not_found(session_id)
        if held < needed:
            raise GatewayError(ErrorCode.FORBIDDEN, _MISSING[needed].format(session.id))
        return session

    def found(self, request: CreateSession, now: float) -> LiveSession:
        """
        Found a session; it is yet to be saved.

        Raises:
            GatewayError: `LIMIT_EXCEEDED`; or `INVALID_ARGUMENTS`: its metadata are no JSON.
        """
        quotas = self.limits.quotas_of(request.caller.principal)
        self.sessions.check_room(request.user_id, quotas.max_sessions)
        return self.sessions.found(request, now)

    def found_temporary(self, request: CreateSession, now: float) -> LiveSession:
        """Found one that goes with its last watcher; of those there are no more than connections."""
        session = self.sessions.found(request, now)
        session.is_temporary = True
        return session

    def end_temporary(self, session: LiveSession) -> Iterator[Effect]:
        """Somebody has left *session*."""
        if session.is_temporary and not session.watchers and session.id in self.sessions:
            yield from self.end(session, "it was temporary")

    def hold_to(self, limits: TableLimits) -> None:
        """From now on; what bounds each session and all logs stays as it is."""
        kept = self.limits
        self.limits = attrs.evolve(limits, session=kept.session, total_log_bytes=kept.total_log_bytes)
        self.sessions.max_sessions = limits.max_sessions
        self.channels.max_channels = limits.max_channels

    def watched(self, caller: Caller) -> LiveSession | None:
        """The session that the caller's connection watches."""
        return self.attachments.watched(caller.connection_id)

    def end(self, session: LiveSession, reason: str) -> Iterator[Effect]:
        """A session is no more."""
        if session.run is not None:
            yield CancelTurn(session.run.run_id)
        yield from self.attachments.end(session, reason)
        yield from self.channels.forget(session)
        self.sessions.delete(session)
        yield DropSession(session.id)

    def make_room(self, log: Log) -> Iterator[Effect]:
        """*log* has grown, or come; the others may have to shrink for it."""
        for changed in self.shelf.settle(log):
            yield from self.trim(changed)

    def trim(self, log: Log, *, at_once: bool = False) -> Iterator[Effect]:
        """Have the storage cut what was cut here."""
        first_seq = log.cut(at_once=at_once)
        if first_seq is not None:
            session = None if log.channel else self.sessions.get(log.name)
            yield from session.trim(first_seq) if session else [Trim(log, first_seq)]

    def validate_state(self) -> None:
        """Check the invariants; for tests."""
        sessions = self.sessions.by_id()
        self.attachments.validate_state(sessions)
        self.channels.validate_state(sessions)
        self.shelf.validate_state([*self.channels.logs, *(each.log for each in sessions.values())])
        self.sessions.validate_state()
        for session in sessions.values():
            assert session.run is not None or not session.queue or self.is_draining
            assert session.user_id not in session.shares
            assert len(session.shares) <= MAX_SHARES


Handlers: TypeAlias = Mapping[type, Callable[[TableState, Any, float, list[Effect]], Any]]
"""By the kind of request: what it does, and its reply."""


def append_to(log: Log, event: LoggedEvent, now: float, effects: list[Effect]) -> int:
    """
    Add *event* to a log that is no session's; returns its `seq`.

    Raises:
        GatewayError: `INVALID_EVENT`.
    """
    with refusing_what_cannot_be_encoded():
        entry = log.append(event, milliseconds(now))
    effects.append(Deliver(log, entry))
    return entry.seq


@contextmanager
def refusing_what_cannot_be_encoded() -> Iterator[None]:
    """Within the block, that is an `INVALID_EVENT` of whoever asked."""
    try:
        yield
    except InvalidMessageError as error:
        raise GatewayError(ErrorCode.INVALID_EVENT, str(error)) from None


_MISSING = {
    Access.CHAT: "session {!r:.80} is shared with you to read; its owner can let you chat (session.share)",
    Access.OWN: "only its owner or an operator may do this with session {!r:.80}",
}
"""What somebody lacks who may read a session, by what they need."""


def _not_connected() -> GatewayError:
    return GatewayError(ErrorCode.NOT_CONNECTED, "this connection watches no session; connect first")


def not_found(session_id: str | None) -> GatewayError:
    """Why nothing can be done with a session that is none, or somebody else's."""
    return GatewayError(ErrorCode.SESSION_NOT_FOUND, f"no session {session_id!r:.80}")
