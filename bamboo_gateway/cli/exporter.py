"""One export: it takes sessions from where they are, page by page, and brings them where they shall be."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TextIO

import trio

from .export_output import FileInTheWayError, Output
from .plain_text import one_line
from .progress import Meter, Silence
from .session_export import ExportFormat
from .session_source import (
    Record,
    SessionSource,
    UnknownSessionError,
    count_messages,
    count_sessions,
    every_page,
    every_session,
)


class Exporter:
    """Brings sessions to *output*; holds one page of them, and one of the messages, at a time."""

    def __init__(self, how: ExportFormat, output: Output, meter: Meter | None = None) -> None:
        self.sessions = 0
        """Those that have been exported as a whole."""
        self.messages = 0
        self.failures: list[str] = []
        """Why the others were not."""
        self._how = how
        self._output = output
        self._meter = meter or Silence()
        self._is_measured = meter is not None

    async def export(self, source: SessionSource, session_ids: Sequence[str] | None) -> None:
        """
        Export these sessions; None: all.

        Raises:
            UnknownSessionError: One was deleted while it was being exported.
            click.ClickException: It cannot be written.
        """
        self._meter.begin("exporting", await self._count(source, session_ids))
        async with aclosing(self._chosen(source, session_ids)) as sessions:
            async for session in sessions:
                await self._export_one(source, session)
                self._meter.advance()

    async def _count(self, source: SessionSource, session_ids: Sequence[str] | None) -> int | None:
        """How many sessions there will be, if anybody sees it: to count them takes a part of the time."""
        if session_ids is not None:
            return len(session_ids)
        return await count_sessions(source) if self._is_measured else None

    async def _chosen(
        self, source: SessionSource, session_ids: Sequence[str] | None
    ) -> AsyncGenerator[Record, None]:
        if session_ids is None:
            async with aclosing(every_session(source)) as sessions:
                async for session in sessions:
                    yield session
            return
        for session_id in session_ids:
            try:
                yield await source.get(session_id)
            except UnknownSessionError:
                self.failures.append(f"there is no session {one_line(session_id)}")

    async def _export_one(self, source: SessionSource, session: Record) -> None:
        session_id = session["session_id"]
        try:
            count = await count_messages(source, session_id)
        except UnknownSessionError:  # it was deleted after it was listed
            return
        try:
            with self._output.session(session_id) as file:
                await self._write(source, session, count, file)
        except FileInTheWayError as error:
            self.failures.append(error.message)
        else:
            self.sessions += 1

    async def _write(self, source: SessionSource, session: Record, count: int, file: TextIO) -> None:
        # In threads, as all that may wait for a pager: the gateway's pings want their answers.
        await trio.to_thread.run_sync(file.write, self._how.session(session, count))
        async with aclosing(every_page(source, session["session_id"], 0, count)) as pages:
            async for page in pages:
                await trio.to_thread.run_sync(file.write, "".join(map(self._how.message, page)))
                self.messages += len(page)
                self._meter.tell(f"{self.messages} messages")
        await trio.to_thread.run_sync(file.flush)
