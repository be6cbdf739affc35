"""The end without haste: nothing new begins, what runs comes to its end, and all are told to come back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress

import structlog
import trio

from ..errors import GatewayError
from ..protocol.closing import CloseCode, Closing
from ..protocol.messages import Shutdown
from ..session.requests import Drain, Flush
from ..turns import TurnRunner
from .connection import Connection
from .host import Host
from .nursery import RETRY_AFTER

log = structlog.get_logger(__name__)

PACE = 0.001
"""
Seconds between two clients that are let go, and for each client in the window in which all come back: about
what a handshake costs. So a thousand take a second, and one takes no time.
"""

MAX_FAREWELL = 2.0
"""Seconds that it may take to let go of all clients, however many."""

_STRIDE = 64
"""Clients that are spoken to between two trips through the scheduler."""

RESTARTING = Closing(CloseCode.SERVICE_RESTART, "the gateway restarts")


async def drain(host: Host, turns: TurnRunner) -> None:
    """
    See turns and clients out, so that the gateway can stop.

    Cancelled, it leaves the gateway as far as that has come: nothing begins any more.

    Raises:
        trio.BrokenResourceError: The registry has stopped, and with it the gateway.
    """
    host.is_draining = True
    began = trio.current_time()
    await host.registry.ask(Drain(RETRY_AFTER))
    await _announce(host.pool)
    with trio.move_on_at(began + (host.config.drain_timeout or math.inf)) as scope:
        await turns.wait_idle()
    if scope.cancelled_caught:
        log.warning("turns interrupted", count=turns.statistics().running)
    await end_turns(host, turns)
    await let_go(host.pool)


async def end_turns(host: Host, turns: TurnRunner) -> None:
    """
    End the turns that run, as a crash would: who comes next closes them, or goes on with them.

    What they have said so far is kept, and sent; within `close_timeout`, or not at all.
    """
    turns.stop()
    with trio.move_on_after(host.config.close_timeout), suppress(GatewayError):
        await host.registry.wait_well()
        await host.registry.ask(Flush())


async def _announce(pool: Iterable[Connection]) -> None:
    """Tell everybody at once: a client may have something to bring to an end, too."""
    connections = list(pool)
    notice = Shutdown(RESTARTING.reason, retry_after=RETRY_AFTER, jitter=len(connections) * PACE)
    for number, connection in enumerate(connections, start=1):
        connection.send(notice)
        if number % _STRIDE == 0:
            await trio.lowlevel.checkpoint()


async def let_go(pool: Iterable[Connection]) -> None:
    """Close all connections one after the other, so that they do not come back in one instant."""
    connections = list(pool)
    pace = min(PACE, MAX_FAREWELL / max(1, len(connections)))
    began = trio.current_time()
    for number, connection in enumerate(connections):
        await trio.sleep_until(began + number * pace)
        connection.close(RESTARTING)
    for latecomer in pool:
        latecomer.close(RESTARTING)
