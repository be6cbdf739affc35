"""Lines from a file descriptor, while everything else goes on."""

from __future__ import annotations

import os

import click
import trio

MAX_LINE_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class LineReader:
    """
    Reads lines of UTF-8, of `MAX_LINE_BYTES` at most.

    Reads the descriptor itself: a thread that waited inside `sys.stdin` would
    hold its lock, and the interpreter could not exit.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._read = b""
        self._is_at_end = False

    async def read_line(self) -> str | None:
        """
        Wait for the next line; None: there is none. Cancelled, what is typed next may be lost.

        Raises:
            click.ClickException: The line is too long.
        """
        while b"\n" not in self._read and not self._is_at_end:
            if len(self._read) > MAX_LINE_BYTES:
                raise click.ClickException(f"a line of the input is longer than {MAX_LINE_BYTES} bytes")
            data = await trio.to_thread.run_sync(os.read, self._fd, _CHUNK_BYTES, abandon_on_cancel=True)
            self._is_at_end = not data
            self._read += data
        if not self._read:
            return None
        line, _, self._read = self._read.partition(b"\n")
        return line.decode(errors="replace").removesuffix("\r")
