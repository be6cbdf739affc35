"""Tasks that stand behind a `with` block and end with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def open_background_nursery() -> AsyncIterator[trio.Nursery]:
    """
    Open a nursery whose tasks are cancelled when the block is left.

    What the block raises leaves it as it is: who writes `async with connect(…)`
    need not know that there are tasks behind it, and expects no exception group.
    """
    raised: BaseException | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 – raised again below
            raised = error
        nursery.cancel_scope.cancel()
    if raised is not None:
        raise raised
