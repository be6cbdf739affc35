"""The task that writes to a client which does not take everything at once."""

from __future__ import annotations

import trio

from ..protocol.closing import CloseCode, Closing
from .connection import Connection


async def run_writer(connection: Connection, stream: trio.abc.SendStream, write_timeout: float) -> None:
    """
    Each time the connection falls behind, write until it is live again.

    Ends the connection when *write_timeout* seconds pass without one byte taken,
    and goes on writing: the goodbye, too, is this task's to write.

    Raises:
        trio.BrokenResourceError: The socket is gone.
    """
    outbox = connection.outbox
    async for _ in outbox.wakeup:
        while outbox.refill():
            with trio.move_on_after(write_timeout) as scope:
                await outbox.write_to(stream)
            if scope.cancelled_caught:
                reason = f"no data was taken for {write_timeout:g} seconds"
                connection.close(Closing(CloseCode.SLOW_CONSUMER, reason))
        if outbox.broken:
            raise trio.BrokenResourceError("the socket is gone")
