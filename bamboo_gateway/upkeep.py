"""What has to be done now and then, so that memory and storage hold no more than is needed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import attrs
import structlog
import trio

from .errors import GatewayError, StorageError
from .ports import SessionStorage
from .registry import SessionRegistry
from .session.requests import OPERATOR, GetSession, Tidy

log = structlog.get_logger(__name__)

RECOVERY_INTERVAL = 1.0
"""Seconds between two tries to read a session while the storage fails."""


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


async def run_upkeep(registry: SessionRegistry, storage: SessionStorage, schedule: UpkeepSchedule) -> None:
    """Tidy memory and storage by *schedule*, until cancelled."""
    while True:
        await trio.sleep(schedule.interval)
        await registry.tell(Tidy(schedule.max_idle))
        now = time.time()
        try:
            await storage.expire(
                int((now - schedule.log_max_age) * 1000),
                schedule.log_total_bytes,
                int((now - schedule.outcome_max_age) * 1000),
            )
        except StorageError as error:
            log.warning("storage not tidied", error=str(error))


async def run_recovery(registry: SessionRegistry, unfinished: Sequence[str]) -> None:
    """
    Bring sessions into memory whose turns the end of an earlier gateway has interrupted.

    That is all it takes: there they are closed, or gone on with, and the chats
    behind them get their turn.
    """
    for session_id in unfinished:
        while True:
            try:
                await registry.ask(GetSession(OPERATOR, session_id))
                break
            except GatewayError as error:
                log.warning("interrupted turn not recovered", session=session_id, error=str(error))
                await trio.sleep(RECOVERY_INTERVAL)
    log.info("interrupted turns recovered", sessions=len(unfinished))
