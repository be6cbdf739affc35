"""The life of a client: one connection after the other, as if it were one."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from itertools import count

import attrs
import trio

from ..protocol.closing import CloseCode
from ..protocol.messages import Chat, Connect, Connected, Gap
from .buffer import EventBuffer
from .cursors import Cursors
from .errors import ClientError, ClosedError, as_closing
from .events import ClientEvent, Disconnected
from .reconnect import Reconnect
from .requests import Requests
from .wire import Door, Wire

NOTICE_BYTES = 256
"""What `Connected` and `Disconnected` count for in the buffer; the client has no frame of them to measure."""


@attrs.frozen
class ClientStatistics:
    """What has become of one client so far."""

    reconnects: int
    """Connections after the first one."""
    events: int
    """Events that came and had not been seen before; without the answers to requests."""
    gaps: int
    """Those of them that told of a gap."""
    unacked: int
    """Chats and commands that wait for an answer now."""
    buffered_events: int
    buffered_bytes: int
    """What waits to be read now."""


class Link:
    """
    Keeps a client connected.

    Invariant: each event of a log gets into *events* once and in order, however
    often the connection breaks, or a gap says what is missing. A request is sent
    over each connection, until it is answered or nobody waits for it.
    """

    def __init__(
        self,
        door: Door,
        hello: Connect,
        reconnect: Reconnect | None,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.events = EventBuffer(door.limits.max_buffered_bytes)
        self.requests = Requests(comes_back=reconnect is not None)
        self.connected: Connected | None = None
        """What the gateway answered to the last `connect`."""
        self._door = door
        self._hello = hello
        self._reconnect = reconnect
        self._chance = chance
        self._reconnects = self._events = self._gaps = 0

    def statistics(self) -> ClientStatistics:
        """Count what has come and what waits."""
        return ClientStatistics(
            self._reconnects,
            self._events,
            self._gaps,
            unacked=len(self.requests),
            buffered_events=len(self.events),
            buffered_bytes=self.events.size_bytes,
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """
        Connect, and come back whenever it is worth to; return when it no longer is.

        Under `nursery.start` it returns once the first connection has been greeted.
        Cancelled, it says goodbye to the gateway.

        Raises:
            ClientError: The first connection did not come about.
        """
        end = ClosedError(CloseCode.NORMAL, "this client was closed")
        try:
            async with self._door.open(self._hello) as (wire, connected):
                self.connected = connected
                cursors = Cursors(connected)
                task_status.started()
                lost = await self._converse(wire, cursors)
            end = await self._outlive(lost, cursors)
        finally:
            self.requests.close(end)
            self.events.close(end)

    async def _outlive(self, lost: ClosedError, cursors: Cursors) -> ClosedError:
        """Come back as often as it is worth to; return why it no longer is."""
        policy = self._reconnect
        try:
            while policy is not None and lost.reconnect:
                await self.events.put(Disconnected(lost.code, lost.reason), NOTICE_BYTES)
                lost = await self._come_back(policy, cursors, lost)
        except ClosedError as error:
            return error
        return lost

    async def _come_back(self, policy: Reconnect, cursors: Cursors, lost: ClosedError) -> ClosedError:
        """
        Try until there is a connection, and return how it ended.

        Raises:
            ClosedError: There will be none.
        """
        give_up_at = policy.give_up_at(trio.current_time())
        for attempt in count():
            pause = policy.pause(attempt, self._chance(), lost.retry_after, lost.jitter)
            await trio.sleep_until(min(trio.current_time() + pause, give_up_at))
            left = give_up_at - trio.current_time()
            if left <= 0:
                break
            try:
                async with self._door.open(cursors.resume(self._hello), left) as (wire, connected):
                    return await self._resume(wire, cursors, connected)
            except ClientError as error:
                if trio.current_time() >= give_up_at:
                    break  # it was cut short, and knows less than the one before it
                lost = as_closing(error)
            if not lost.reconnect:
                raise lost
        gave_up = f"gave up after {policy.give_up_timeout:g} seconds"
        raise ClosedError(lost.code, f"{lost.reason}; {gave_up}" if lost.reason else gave_up)

    async def _resume(self, wire: Wire, cursors: Cursors, connected: Connected) -> ClosedError:
        cursors.greet(connected)
        self.connected = connected
        self._reconnects += 1
        return await self._converse(wire, cursors, connected)

    async def _converse(self, wire: Wire, cursors: Cursors, first: ClientEvent | None = None) -> ClosedError:
        """Send and receive until the connection is over; return how it ended."""
        self.requests.rewind()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send, wire, cursors)
            if first is not None:
                await self.events.put(first, NOTICE_BYTES)
            lost = await self._receive(wire, cursors)
            nursery.cancel_scope.cancel()
        return lost

    async def _send(self, wire: Wire, cursors: Cursors) -> None:
        """Send what is asked for, in order; where that fails, whoever receives learns from the peer why."""
        with suppress(ClosedError):
            while True:
                message = await self.requests.next_unsent()
                if isinstance(message, Chat):  # it may have been asked for in a session that is gone
                    message = attrs.evolve(message, session_id=cursors.session_id)
                await wire.send(message)

    async def _receive(self, wire: Wire, cursors: Cursors) -> ClosedError:
        """Sort what comes in until the connection is over; return how it ended."""
        try:
            while True:
                event, size_bytes = await wire.receive()
                if not self.requests.settle(event) and cursors.admit(event):
                    self._events += 1
                    self._gaps += isinstance(event, Gap)
                    await self.events.put(event, size_bytes)
        except ClosedError as lost:
            return lost
