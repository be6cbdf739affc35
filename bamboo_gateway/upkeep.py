"""What has to be done now and then, so that memory and storage hold no more than is needed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import attrs
import structlog
import trio

from .errors import GatewayError, StorageError
from .ports import SessionStorage
from .registry import SessionRegistry
from .session.live import milliseconds
from .session.requests import OPERATOR, DeleteSession, GetSession, Tidy

log = structlog.get_logger(__name__)

RECOVERY_INTERVAL = 1.0
"""Seconds after a session that could not be read, before the next is tried."""


@attrs.frozen
class UpkeepSchedule:
    """How often, and what is too old by then; all in seconds."""

    interval: float
    max_idle: float
    """Of a session in memory that nobody needs."""
    log_max_age: float
    log_total_bytes: int
    """Of all logs in the storage together."""
    outcome_max_age: float


async def run_upkeep(
    registry: SessionRegistry, storage: SessionStorage, schedule: UpkeepSchedule, clock: Callable[[], float]
) -> None:
    """Tidy memory and storage by *schedule* and *clock* (Unix seconds), until cancelled."""
    while True:
        await trio.sleep(schedule.interval)
        now = clock()
        try:
            # First what is in memory: of an answer that is being given, the log may be all that tells of it.
            await registry.ask(Tidy(schedule.max_idle))
            await storage.expire(
                milliseconds(now - schedule.log_max_age),
                schedule.log_total_bytes,
                milliseconds(now - schedule.outcome_max_age),
            )
        except (GatewayError, StorageError) as error:
            log.warning("storage not tidied", error=str(error))


async def end_temporary(registry: SessionRegistry, temporary: Sequence[str]) -> None:
    """
    End sessions that should have gone with their last watcher, whom a kill of the gateway took along.

    Nobody is let in before, so they are asked for at once, and end in a few commits.
    """
    async with trio.open_nursery() as nursery:
        for session_id in temporary:
            nursery.start_soon(_end, registry, session_id)


async def _end(registry: SessionRegistry, session_id: str) -> None:
    try:
        await registry.ask(DeleteSession(OPERATOR, session_id))
    except GatewayError as error:
        log.warning("temporary session not ended", session=session_id, error=str(error))


async def run_recovery(registry: SessionRegistry, unfinished: Sequence[str]) -> None:
    """
    Bring sessions into memory whose turns the end of an earlier gateway has interrupted.

    That is all it takes: there they are closed, or gone on with, and the chats
    behind them get their turn.
    """
    left = deque(unfinished)
    while left:
        try:
            await registry.ask(GetSession(OPERATOR, left[0]))
        except GatewayError as error:
            log.warning("interrupted turn not recovered", session=left[0], error=str(error))
            left.rotate(-1)  # one that cannot be read keeps none of the others waiting
            await trio.sleep(RECOVERY_INTERVAL)
        else:
            left.popleft()
    log.info("interrupted turns recovered", sessions=len(unfinished))
