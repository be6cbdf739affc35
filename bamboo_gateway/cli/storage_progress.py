"""What is said while the file of an older gateway is brought forward."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import structlog

from .progress import Meter, Silence, open_meter

if TYPE_CHECKING:  # sqlite3 takes its time, and storage in memory needs none
    from ..storage.sqlite_schema import MigrationStep

log = structlog.get_logger(__name__)


class StorageProgress:
    """
    Logs when it begins and ends, and shows the steps between; called in the storage's thread.

    Leaving the block takes what is shown away.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._meter: Meter = Silence()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, step: MigrationStep) -> None:
        """Say how far it is."""
        versions = {"from_version": step.before, "to_version": step.after}
        if step.done == 0:
            log.info("bringing the storage forward", **versions, note="with a great file it takes a while")
            self._meter = self._stack.enter_context(open_meter())
            self._meter.begin(f"storage, version {step.before} → {step.after}", step.total)
        elif step.done < step.total:
            self._meter.advance()
        else:
            self._stack.close()
            self._meter = Silence()
            log.info("the storage is brought forward", **versions)
