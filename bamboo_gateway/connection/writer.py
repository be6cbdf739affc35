"""The task that writes to a client which does not take everything at once."""

from __future__ import annotations

import trio

from ..protocol.closing import CloseCode, Closing
from .connection import Connection


async def run_writer(connection: Connection, stream: trio.abc.SendStream, write_timeout: float) -> None:
    """
    Each time the connection falls behind, write until it is live again.

    Ends the connection when *write_timeout* seconds pass without one byte taken.
    """
    outbox = connection.outbox
    try:
        async for _ in outbox.wakeup:
            while outbox.refill():
                with trio.fail_after(write_timeout):
                    await outbox.write_to(stream)
            if outbox.broken:
                raise trio.BrokenResourceError
    except trio.TooSlowError:
        reason = f"no data was taken for {write_timeout:g} seconds"
        connection.close(Closing(CloseCode.SLOW_CONSUMER, reason))
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        outbox.break_off()
        connection.close(Closing(CloseCode.ABNORMAL, "the socket is gone"))
