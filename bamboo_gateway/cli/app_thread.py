"""A prompt_toolkit application beside Trio: it has an event loop of its own, in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import trio
from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output

ResultT = TypeVar("ResultT")


class AppThread(Generic[ResultT]):
    """
    Runs *app* until it ends by itself or is cancelled.

    Invariant: when `run` returns or raises, the terminal is as it was before.
    """

    def __init__(self, app: Application[ResultT]) -> None:
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ending = False

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> ResultT | None:
        """
        Run it; return its result. Cancelled, it lets the application leave the terminal in order first.

        Under `nursery.start` it returns once the application takes keys.

        Raises:
            EOFError: The terminal is gone.
        """
        trio_token = trio.lowlevel.current_trio_token()

        def begin() -> None:
            self._loop = asyncio.get_running_loop()
            trio_token.run_sync_soon(task_status.started)
            if self._is_ending:
                self._loop.call_soon(self._end)

        def work() -> ResultT:
            # Signals are Trio's; and nobody is asked to press Enter after an error.
            return self._app.run(pre_run=begin, handle_sigint=False, set_exception_handler=False)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_when_cancelled)
            with trio.CancelScope(shield=True):
                result = await trio.to_thread.run_sync(work)
            nursery.cancel_scope.cancel()
        return result

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Have the application's own thread call *function*, in order; not at all once it has ended."""
        if self._loop is not None:
            with suppress(RuntimeError):  # its loop is closed
                self._loop.call_soon_threadsafe(function, *args)

    async def _end_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._is_ending = True
            self.call(self._end)

    def _end(self) -> None:
        if self._app.is_running and not self._app.is_done:
            self._app.exit()


def open_terminal() -> tuple[Input, Output, ColorDepth | None]:
    """The terminal behind stdin and stdout; and its colours, None: those that it says it has."""
    # Where the cursor is, it is not asked: the answer would come as keys, and maybe too late.
    output = Vt100_Output(sys.stdout, _size, term=os.environ.get("TERM"), enable_cpr=False)
    return create_input(sys.stdin), output, ColorDepth.from_env()


def _size() -> Size:
    try:
        found = os.get_terminal_size(sys.stdout.fileno())
    except OSError:
        return Size(rows=24, columns=80)
    # Some terminals do not know theirs, and say 0.
    return Size(rows=found.lines or 24, columns=found.columns or 80)
