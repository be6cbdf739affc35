"""The task that finds out whether the client is still there."""

from __future__ import annotations

import trio

from ..protocol import framing
from ..protocol.closing import CloseCode, Closing
from .connection import Connection
from .transport import Transport


async def run_heartbeat(
    connection: Connection, transport: Transport, interval: float, timeout: float
) -> None:
    """
    Ping every *interval* seconds; end the connection when nothing is heard within *timeout* seconds.

    Whatever the client sends counts as a sign of life. A ping that waits behind
    other bytes proves nothing: while the connection is behind, the writer's
    deadline watches it instead.
    """
    outbox = connection.outbox
    while True:
        await trio.sleep(max(interval - timeout, 0.0))
        if outbox.behind:
            await trio.sleep(timeout)
            continue
        pinged = trio.current_time()
        outbox.push(framing.ping_frame())
        outbox.flush()
        await trio.sleep(timeout)
        if transport.last_received < pinged and not outbox.behind:
            reason = f"no answer to a ping within {timeout:g} seconds"
            connection.close(Closing(CloseCode.HEARTBEAT_LOST, reason))
            return
