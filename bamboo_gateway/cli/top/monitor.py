"""What goes on while `top` runs: it looks, it draws, and it hears keys and signals."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import attrs
import trio

from ...client import Client, ClientLimits, Disconnected, NoReplyError, Reconnect
from ...protocol.messages import Connected
from ..target import Target
from .history import History
from .keys import read_keys, unbuffered
from .look import PARTS, Look, take
from .pace import Pace, between
from .state import State

if TYPE_CHECKING:
    from .screen import Screen

_DRAW_INTERVAL = 0.1
"""Seconds between two drawings at least: more nobody sees, and a terminal over a slow line cannot take."""

LIMITS = ClientLimits(reply_timeout=10.0)

_RECONNECT = Reconnect(max_interval=3.0, give_up_timeout=None)
"""Somebody sits there and waits for it to be back."""

_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_monitor(to: Target, interval: float) -> None:
    """
    Watch the gateway in a terminal until `q`, Ctrl-C or another signal.

    Raises:
        ClientError: It could not be reached; or it has refused this client later on.
    """
    from .screen import open_screen  # noqa: PLC0415 -- rich takes its time, and only this needs it

    async with to.connect("top", _RECONNECT, LIMITS, temporary=True) as client:
        monitor = await Monitor.begin(client, to.url, interval)
        with (
            open_screen() as shown,
            trio.open_signal_receiver(*_ENDS, signal.SIGWINCH) as signals,
        ):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(monitor.run_looks)
                nursery.start_soon(monitor.run_events)
                nursery.start_soon(monitor.run_drawing, shown)
                nursery.start_soon(monitor.run_keys, nursery.cancel_scope)
                async for signum in signals:
                    if signum in _ENDS:
                        break
                    monitor.redraw()
                nursery.cancel_scope.cancel()


class Monitor:
    """
    Holds the state of the screen.

    Invariant: whoever changes it says `redraw`, and nothing is drawn more often
    than ten times a second.
    """

    def __init__(self, client: Client, state: State, history: History) -> None:
        self._client = client
        self._history = history
        self._changed = trio.Event()
        self._wanted = trio.Event()
        self._may_be_another = False
        """Has the connection been lost? Another version may have come in the gateway's place."""
        self.state = state

    @classmethod
    async def begin(cls, client: Client, url: str, interval: float) -> Monitor:
        """Look for the first time."""
        state = await first_state(client, url, interval)
        history = History()
        history.add(state.look, state.pace)
        return cls(client, state, history)

    def redraw(self) -> None:
        """Have it drawn as it is now."""
        self._changed.set()

    def _show(self, state: State) -> None:
        self.state = state
        self.redraw()

    async def run_looks(self) -> None:
        """Look once in each interval, and at once at a table that was not shown before; until cancelled."""
        while True:
            self._wanted = trio.Event()
            with trio.move_on_after(self.state.interval):
                await self._wanted.wait()
            if not self.state.is_paused:
                await self._look()

    async def _look(self) -> None:
        try:
            version = self.state.version
            if self._may_be_another:
                version = await _version(self._client)
                self._may_be_another = False
            look = await take(self._client, ("numbers", self.state.table), self.state.look.forbidden)
        except NoReplyError as error:
            self._show(attrs.evolve(self.state, complaint=str(error)))
            return
        before = self.state.look
        pace = between(before, look)
        self._history.add(look, pace)
        history = self._history.recent()
        self._show(
            attrs.evolve(
                self.state,
                version=version,
                look=look.keeping(before),
                pace=pace,
                history=history,
                now=time.time(),
                complaint=None,
            )
        )

    async def run_events(self) -> None:
        """Hear of a connection that is lost, and of one that is back."""
        async for event in self._client:
            if isinstance(event, Disconnected):
                lost = event.reason or f"close code {event.code}"
                self._show(attrs.evolve(self.state, lost=lost))
            elif isinstance(event, Connected):
                self._may_be_another = True
                self._show(attrs.evolve(self.state, lost=None))

    async def run_drawing(self, shown: Screen) -> None:
        """Draw whenever something has changed."""
        while True:
            self._changed = trio.Event()
            await shown.draw(self.state)
            await trio.sleep(_DRAW_INTERVAL)
            await self._changed.wait()

    async def run_keys(self, scope: trio.CancelScope) -> None:
        """Do what is typed; `q` cancels *scope*."""
        if not sys.stdin.isatty():
            return
        fd = sys.stdin.fileno()
        with unbuffered(fd):
            while (keys := await read_keys(fd)) is not None:
                if "q" in keys:
                    scope.cancel()
                    return
                before = self.state
                for key in keys:
                    self._show(self.state.press(key))
                if before.table != self.state.table or before.is_paused > self.state.is_paused:
                    self._wanted.set()


async def first_state(client: Client, url: str, interval: float) -> State:
    """Everything that the gateway tells, and no rates yet."""
    version = await _version(client)
    look = await take(client, PARTS, {})
    return State(
        url=url,
        version=version,
        interval=interval,
        look=look,
        pace=Pace(seconds=0.0),
        now=time.time(),
    )


async def _version(client: Client) -> str:
    info = await client.command("gateway.info")
    return str(info["version"]) if isinstance(info, dict) else ""


async def second_state(client: Client, first: State) -> State:
    """Look once more, an interval later, so that there are rates."""
    await trio.sleep(first.interval)
    look: Look = await take(client, PARTS, first.look.forbidden)
    return attrs.evolve(first, look=look, pace=between(first.look, look), now=time.time())
