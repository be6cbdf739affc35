"""The task that finds out whether the client is still there."""

from __future__ import annotations

import trio

from ..protocol import framing
from ..protocol.closing import CloseCode, Closing
from .connection import Connection
from .outbox import Outbox
from .transport import Transport


async def run_heartbeat(
    connection: Connection, transport: Transport, interval: float, answer_timeout: float
) -> None:
    """
    Ping a client that was silent for *interval* seconds; end the connection after *answer_timeout* more.

    Whatever the client sends counts as a sign of life.
    """
    while True:
        await trio.sleep_until(transport.last_received + interval)
        if trio.current_time() < transport.last_received + interval:
            continue
        if await _is_lost(connection.outbox, transport, answer_timeout):
            reason = f"no answer to a ping within {answer_timeout:g} seconds"
            connection.close(Closing(CloseCode.HEARTBEAT_LOST, reason))
            return


async def _is_lost(outbox: Outbox, transport: Transport, answer_timeout: float) -> bool:
    """
    Ping, and tell whether that was in vain.

    Silence proves nothing while a ping would wait behind other bytes (the
    writer's deadline watches then), nor while the gateway itself does not
    listen, because the client has sent more than it can handle just now.
    """
    pinged, was_behind = trio.current_time(), outbox.behind
    if not was_behind:
        outbox.push(framing.ping_frame())
        outbox.flush()
    with trio.move_on_after(answer_timeout):
        await transport.wait_received()
        return False
    # When the event loop was held up, the answer comes together with the deadline: let it be read first.
    await trio.lowlevel.checkpoint()
    is_silent = transport.is_listening and transport.last_received < pinged
    return is_silent and not was_behind and not outbox.behind
