"""
The session registry: the one task that changes sessions.

Everybody else sends it requests. It applies them in order to a pure table and
hands the outcome to the journal; it never waits for a network or a disk, only
for the journal when that is full. So nothing needs a lock.

A session that is not in memory is fetched from the storage by a task beside it;
meanwhile what names that session waits, and all else goes on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import attrs
import structlog
import trio

from .errors import GatewayError, StorageError
from .journal import Batch, Journal, Step, unavailable
from .protocol.messages import LoggedEvent
from .session.requests import INTERNAL, EmitEvents, Request, RestoreSession
from .session.stored import StoredSession
from .session.table import SessionTable, TableStatistics

log = structlog.get_logger(__name__)

ReplyT = TypeVar("ReplyT")
Load: TypeAlias = Callable[[str], Awaitable[StoredSession | None]]

INBOX_SIZE = 1024
"""Requests that may wait. Who finds it full waits: an agent that floods feels the gateway's pace."""

BATCH_SIZE = 256
"""Steps and effects after which they go out: enough to share a commit, too few to stall anybody."""

SPEECH_SIZE = 32
"""
Events of one turn that may wait, in one request.

An agent that has so many ready sends them in one frame batch; one that floods
gives way to the others after as many.
"""


@attrs.define(eq=False)
class Call:
    """One request on its way: who asked waits for `settle`."""

    request: Request[Any]
    reply: Any = None
    error: Exception | None = None
    _is_settled: bool = attrs.field(default=False, init=False)
    _settled: trio.Event | None = attrs.field(default=None, init=False)
    """Made by who waits: of those that only tell, nobody does."""

    def settle(self) -> None:
        """Give the reply, or the error, to who asked."""
        self._is_settled = True
        if self._settled is not None:
            self._settled.set()

    def refuse(self, error: Exception) -> None:
        """Give *error*, unless a reply was given already."""
        if not self._is_settled:
            self.error = error
            self.settle()

    async def wait(self) -> Any:
        """Wait for the reply."""
        if not self._is_settled:
            self._settled = trio.Event()
            await self._settled.wait()
        if self.error is not None:
            raise self.error
        return self.reply


@attrs.define(eq=False)
class _Speech:
    """
    What a turn has said since the registry last listened.

    Invariant: it grows only until its call is taken, and to `SPEECH_SIZE` events.
    """

    events: list[LoggedEvent]
    _taken: trio.Event | None = attrs.field(default=None, init=False)

    def take(self) -> None:
        """The registry has it: what is said now goes into another one."""
        if self._taken is not None:
            self._taken.set()

    async def wait_taken(self) -> None:
        """Wait until there is room for more."""
        self._taken = self._taken or trio.Event()
        await self._taken.wait()


@attrs.define(eq=False)
class _Fetch:
    """
    A session on its way into memory, and the calls that wait for it.

    It is read when the steps before it are through the journal: what they have
    changed is in the storage then.
    """

    calls: list[Call]
    error: Exception | None = None
    ready: trio.Event = attrs.field(factory=trio.Event, init=False)

    def settle(self) -> None:
        self.ready.set()

    def refuse(self, error: Exception) -> None:
        self.error = error
        self.ready.set()


@attrs.frozen
class RegistryStatistics:
    """How the registry is doing."""

    inbox: int
    """Requests that wait."""
    handled: int
    refused: int
    fetching: int
    """Sessions that are being brought into memory."""
    table: TableStatistics


class SessionRegistry:
    """
    The way to the session table.

    Invariant: the table is touched by `run` alone. A bug in it ends `run`, and
    with it the gateway, loudly: better than to limp on with half a change.

    Args:
        table: The state.
        clock: Tells Unix seconds.
        journal: Takes what follows from requests.
        load: Reads a session from the storage.
    """

    def __init__(self, table: SessionTable, clock: Callable[[], float], journal: Journal, load: Load) -> None:
        self._table = table
        self._clock = clock
        self._journal = journal
        self._load = load
        self._inbox_send, self._inbox = trio.open_memory_channel[Call](INBOX_SIZE)
        self._unsettled: set[Call] = set()
        self._speeches: dict[str, _Speech] = {}
        """By the turn's id: those that the registry has yet to take, and that may grow until then."""
        self._fetches: dict[str, _Fetch] = {}
        self._nursery: trio.Nursery | None = None
        self._handled = 0
        self._refused = 0

    async def ask(self, request: Request[ReplyT]) -> ReplyT:
        """
        Have the registry apply *request*; return its reply once it is durable and let out.

        Cancellation abandons the reply, not the request: once the registry has
        taken it, the change stands.

        Raises:
            GatewayError: The registry refused and no state changed; or the storage fails
                (`STORAGE_UNAVAILABLE`), and what was on its way may yet be carried out.
            trio.BrokenResourceError: The registry has stopped.
        """
        call = Call(request)
        self._unsettled.add(call)
        try:
            await self._inbox_send.send(call)
            reply: ReplyT = await call.wait()
        finally:
            self._unsettled.discard(call)
        return reply

    async def tell(self, request: Request[Any]) -> None:
        """
        Have the registry apply *request*, without waiting until it has.

        Waits for room in the inbox. A refusal is only counted.

        Raises:
            trio.BrokenResourceError: The registry has stopped.
        """
        await self._inbox_send.send(Call(request))

    async def emit(self, session_id: str, run_id: str, event: LoggedEvent) -> None:
        """
        Have the registry add *event* to what a running turn has said, without waiting until it has.

        Gives way to other tasks only when `SPEECH_SIZE` events of the turn wait,
        when the inbox is full, and while the storage fails: a trip through the
        scheduler takes longer than all that becomes of an event (measured).

        Raises:
            trio.BrokenResourceError: The registry has stopped.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._journal.wait_well()
        while (speech := self._speeches.get(run_id)) and len(speech.events) >= SPEECH_SIZE:
            await speech.wait_taken()
        if speech is not None:
            speech.events.append(event)
            return
        speech = _Speech([event])
        call = Call(EmitEvents(session_id, run_id, speech.events))
        try:
            self._inbox_send.send_nowait(call)
        except trio.WouldBlock:
            # By the time that this task runs again, the registry may have taken it: nothing is added to it.
            await self._inbox_send.send(call)
        else:
            self._speeches[run_id] = speech

    async def wait_well(self) -> None:
        """Wait until the storage takes what it is given: who has a lot to tell shall wait for that."""
        await self._journal.wait_well()

    def statistics(self) -> RegistryStatistics:
        """Count what waits, what was done and what there is."""
        return RegistryStatistics(
            self._inbox_send.statistics().current_buffer_used,
            self._handled,
            self._refused,
            len(self._fetches),
            self._table.statistics(),
        )

    async def run(self) -> None:
        """Apply requests until cancelled; then `close`."""
        try:
            async with trio.open_nursery() as self._nursery:
                async for first in self._inbox:
                    await self._journal.write(self._apply(first))
        finally:
            self.close()

    def close(self) -> None:
        """Take no more requests, and tell whoever still waits for a reply."""
        self._inbox.close()
        self._journal.close()
        for run_id in list(self._speeches):
            self._speeches.pop(run_id).take()
        for call in list(self._unsettled):
            call.refuse(trio.BrokenResourceError("the session registry has stopped"))

    def _apply(self, first: Call) -> Batch:
        now = self._clock()
        steps = self._handle(first, now)
        size = _size(steps)
        try:
            while size < BATCH_SIZE:
                more = self._handle(self._inbox.receive_nowait(), now)
                size += _size(more)
                steps += more
        except trio.WouldBlock:
            pass
        return steps

    def _handle(self, call: Call, now: float) -> list[Step]:
        """Apply one request; or let it wait, if its session has to be fetched first."""
        if type(call.request) is EmitEvents:
            self._take_speech(call.request)
        session_id = call.request.subject
        if session_id is None or self._table.holds(session_id):
            steps = [self._step(call, now)]
        else:
            steps = self._fetch(session_id, call)
        if isinstance(call.request, RestoreSession):
            # With the session in memory, or known to be none.
            steps += [self._step(each, now) for each in self._fetches.pop(call.request.session_id).calls]
        return steps

    def _take_speech(self, request: EmitEvents) -> None:
        """From here on it does not grow."""
        speech = self._speeches.get(request.run_id)
        if speech is not None and speech.events is request.events:
            del self._speeches[request.run_id]
            speech.take()

    def _step(self, call: Call, now: float) -> Step:
        self._handled += 1
        may_go_on = self._table.may_go_on(call.request)
        try:
            if self._journal.is_failing and not may_go_on and type(call.request) not in INTERNAL:
                raise unavailable()
            call.reply, effects = self._table.handle(call.request, now)
        except GatewayError as error:
            self._refused += 1
            call.error = error
            return Step(call, may_go_on=True)
        return Step(call, effects, may_go_on)

    # ── sessions that are not in memory ──────────────────────────────────────

    def _fetch(self, session_id: str, call: Call) -> list[Step]:
        if fetch := self._fetches.get(session_id):
            fetch.calls.append(call)
            return []
        if self._journal.is_failing:
            call.error = unavailable()
            return [Step(call, may_go_on=True)]
        fetch = self._fetches[session_id] = _Fetch([call])
        assert self._nursery is not None, "requests are applied only while `run` runs"
        self._nursery.start_soon(self._run_fetch, session_id, fetch)
        return [Step(fetch)]

    async def _run_fetch(self, session_id: str, fetch: _Fetch) -> None:
        await fetch.ready.wait()
        try:
            if fetch.error is not None:
                raise fetch.error
            stored = await self._load(session_id)
        except (GatewayError, StorageError) as error:
            if fetch.error is None:
                log.error("session cannot be read", session=session_id, error=str(error))
            del self._fetches[session_id]
            for call in fetch.calls:
                call.refuse(unavailable())
        else:
            await self.tell(RestoreSession(session_id, stored))


def _size(steps: Batch) -> int:
    return sum(1 + len(step.effects) for step in steps)
