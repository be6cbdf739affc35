"""
What one connection still has to be sent.

A connection is *live* while all it was given went straight into its socket, and
*behind* from the first byte that did not fit. While it is behind no event waits
here: the writer reads them from the logs, at this connection's cursors, in
bounded chunks, until it has caught up. So a stalled client costs one chunk, and
costs the other clients nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache

import attrs
import trio

from ..protocol import codec, framing, versions
from ..protocol.codec import Dialect
from ..protocol.messages import GatewayEvent
from ..session.log import Log, merge_tokens
from .deliveries import Deliveries

CHUNK_BYTES = 64 * 1024
"""Read from the logs at a time while behind: some socket buffers, lest trips bound the catching up."""

FULL_BYTES = 256 * 1024
"""Above it nobody may add: whoever answers the client waits, and so the client's next message does."""

_MOST_BUFFERS = 1024
"""What `writev` takes at once (IOV_MAX on Linux and macOS)."""


@attrs.frozen
class Voice:
    """How one connection is spoken to."""

    dialect: Dialect = Dialect.TAGGED
    protocol: int = versions.SEED

    def frames(self, event: GatewayEvent) -> bytes:
        """
        The WebSocket frames that say *event*; none where the protocol has no words for it.

        Raises:
            InvalidMessageError: The event cannot be encoded.
        """
        said = versions.translate(event, self.protocol)
        return b"".join(framing.text_frame(codec.encode(each, self.dialect)) for each in said)


_voice = cache(Voice)
"""One object for all who speak alike: fan-out tells them apart by identity, which costs nothing."""


class Outbox:
    """
    The bytes and cursors of one connection; a plain object, not a task.

    Invariant: what waits are whole frames in order, of which only the first may
    be partly written; nobody but the writer writes while `behind`.
    """

    def __init__(self, fileno: int | None) -> None:
        self.voice = _voice()
        self.behind = False
        self.is_exact = False
        """Catch up with tokens as they were, and not with neighbours joined."""
        self.broken = False
        """The socket is gone; what is given to it now is dropped."""
        self.deliveries = Deliveries()
        """Where it counts; fan-out puts in its own, which counts for all."""
        self._fileno = fileno
        self._waiting: list[bytes | memoryview] = []
        self._waiting_bytes = 0
        self._written_bytes = 0
        self._cursors: dict[Log, int] = {}
        self._is_late = False
        """May a log hold what this connection was not given? To ask each log at each flush cost 8 ×."""
        self._wakeup_send, self.wakeup = trio.open_memory_channel[None](1)
        self._progress: trio.Event | None = None

    @property
    def is_full(self) -> bool:
        """Does more wait than anybody may add to?"""
        return self._waiting_bytes > FULL_BYTES

    @property
    def written_bytes(self) -> int:
        """How much the socket has taken."""
        return self._written_bytes

    @property
    def waiting_bytes(self) -> int:
        """How much it has yet to take, of what was given to this connection."""
        return self._waiting_bytes

    @property
    def lag(self) -> int:
        """Events that the connection has yet to be given, over all logs that it follows."""
        return sum(log.visible_seq - seq for log, seq in self._cursors.items())

    @property
    def may_lag(self) -> bool:
        """May there be any? Whoever is live has all."""
        return self.behind or self._is_late

    def speak(self, *, dialect: Dialect | None = None, protocol: int | None = None) -> None:
        """Speak otherwise from here on."""
        self.voice = _voice(dialect or self.voice.dialect, protocol or self.voice.protocol)

    # ── what to send ─────────────────────────────────────────────────────────

    def push(self, frames: bytes | memoryview) -> None:
        """Add whole frames, or the rest of such; `flush` sends them."""
        if frames and not self.broken:
            self._waiting.append(frames)
            self._waiting_bytes += len(frames)

    async def send(self, frames: bytes) -> None:
        """
        Add whole frames and wait until there is room again.

        Cancellation does not take the frames back.

        Raises:
            trio.BrokenResourceError: The socket is gone.
        """
        self.push(frames)
        self.flush()
        await self.wait_room()
        if self.broken:
            raise trio.BrokenResourceError("the socket is gone")

    async def wait_room(self) -> None:
        """Wait until something may be added, or until the socket is gone."""
        while self.is_full and not self.broken:
            await self._wait_progress()
        await trio.lowlevel.checkpoint()

    def follow(self, log: Log, after: int) -> None:
        """Send what *log* has after *after*, now and from now on."""
        self._cursors[log] = after
        self._is_late = self._is_late or after < log.visible_seq

    def unfollow(self, log: Log) -> None:
        """Send no more of *log*."""
        self._cursors.pop(log, None)

    def offer(self, log: Log, after: int, seq: int, frames: bytes) -> None:
        """Give the *frames* of *log* from *after* to *seq* to who is live, stands just there and has room."""
        if not (self.behind or self.is_full) and self._cursors.get(log) == after:
            self._cursors[log] = seq
            self.push(frames)
            return
        self.deliveries.missed += seq - after
        if log in self._cursors:
            self.miss()

    def offer_at_once(self, log: Log, after: int, seq: int, frames: bytes) -> None:
        """
        `offer` and `flush`, for frames that nothing else goes out with.

        A broadcast is this, once for each connection: to do it in one step takes a
        third of the time that is not the kernel's (measured).
        """
        cursors = self._cursors
        if (
            self.behind
            or self._waiting
            or self._is_late
            or self.broken
            or self._fileno is None
            or cursors.get(log) != after
        ):
            self.offer(log, after, seq, frames)
            self.flush()
            return
        cursors[log] = seq
        try:
            written = os.write(self._fileno, frames)
        except OSError:  # also: it would block
            written = 0
        self._written_bytes += written
        if written < len(frames):
            self.push(memoryview(frames)[written:])
            self.flush()

    def miss(self) -> None:
        """A log has grown, and this connection was not given the new entries: it has to read them."""
        self._is_late = True

    # ── the socket ───────────────────────────────────────────────────────────

    def flush(self) -> None:
        """Write in place what a live connection has; never waits, never raises."""
        if not self.behind:
            if self._waiting and self._fileno is not None:
                self.write()
            if self._waiting or self._is_late:
                self._fall_behind()

    def refill(self) -> bool:
        """Let the writer have something to write; if there is nothing, the connection is live."""
        # A chunk may hold nothing that this connection's protocol has words for.
        while not self._waiting and not self.broken and self._is_short():
            self._read_logs()
        self.behind = self._is_late = bool(self._waiting)
        self._tell_progress()
        return self.behind

    def write(self) -> None:
        """Write as much as the socket takes without waiting."""
        assert self._fileno is not None
        waiting = self._waiting
        try:
            # A single one, which most are, spares a list.
            if len(waiting) == 1:
                written = os.write(self._fileno, waiting[0])
            else:
                written = os.writev(self._fileno, waiting[:_MOST_BUFFERS])
        except BlockingIOError:
            return
        except OSError:
            self.break_off()
            return
        self._written_bytes += written
        self._waiting_bytes -= written
        if self._waiting_bytes:
            self._cut(written)
        else:
            waiting.clear()
        if self._progress is not None:
            self._tell_progress()

    def _cut(self, size_bytes: int) -> None:
        """Take so much off the front of what waits."""
        whole = 0
        for frames in self._waiting:
            if size_bytes < len(frames):
                break
            size_bytes -= len(frames)
            whole += 1
        del self._waiting[:whole]
        if size_bytes:
            # A view: the whole is shared with all connections, and a copy of the rest would not be.
            self._waiting[0] = memoryview(self._waiting[0])[size_bytes:]

    async def write_to(self, stream: trio.abc.SendStream) -> None:
        """
        Write something, as soon as the stream takes it.

        Raises:
            trio.BrokenResourceError: The socket is gone.
        """
        if self._fileno is None:
            await self._send_all(stream)
        else:
            await trio.lowlevel.wait_writable(self._fileno)
            self.write()
        if self.broken:
            raise trio.BrokenResourceError("the socket is gone")

    async def drain(self) -> None:
        """Wait until all that waits is written, but nothing more of the logs; or until the socket is gone."""
        self._cursors.clear()
        self._is_late = False
        self.flush()
        while self.behind and not self.broken:
            await self._wait_progress()

    def break_off(self) -> None:
        """The socket is gone: nothing waits, nobody waits for room, and the writer wakes to see it."""
        self.broken = True
        self._waiting.clear()
        self._waiting_bytes = 0
        self._tell_progress()
        self._wake_writer()

    async def _send_all(self, stream: trio.abc.SendStream) -> None:
        """For a stream without a file descriptor (TLS, tests): a cancel in the midst leaves it unusable."""
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        complete = False
        try:
            await stream.send_all(data)
            complete = True
        finally:
            if not complete:
                self.break_off()
        self._written_bytes += len(data)
        self._tell_progress()

    def _read_logs(self) -> None:
        for log, seq in list(self._cursors.items()):
            if seq < log.visible_seq and self._waiting_bytes < CHUNK_BYTES:
                self._read(log, seq)

    def _read(self, log: Log, seq: int) -> None:
        self._cursors[log] = self._cursors.pop(log)  # to the end: the other logs come first, next time
        chunk = log.read(seq, CHUNK_BYTES)
        if chunk.missing:
            self.push(self.voice.frames(log.gap(chunk.missing[0])))
            self._cursors[log] = chunk.missing[1]
            self.deliveries.gaps += 1
        entries = chunk.entries if self.is_exact else merge_tokens(chunk.entries)
        self.push(b"".join(entry.frame(self.voice.dialect, self.voice.protocol) for entry in entries))
        if chunk.entries:
            self._cursors[log] = chunk.entries[-1].seq
            self.deliveries.caught_up += len(chunk.entries)

    def _is_short(self) -> bool:
        """Is there an event that this connection should have been sent?"""
        return any(seq < log.visible_seq for log, seq in self._cursors.items())

    def _fall_behind(self) -> None:
        self.behind = True
        self._wake_writer()

    def _wake_writer(self) -> None:
        with suppress(trio.WouldBlock):  # it has not yet seen the last call
            self._wakeup_send.send_nowait(None)

    async def _wait_progress(self) -> None:
        """Wait until the writer has come a step further."""
        if self._progress is None:
            self._progress = trio.Event()
        await self._progress.wait()

    def _tell_progress(self) -> None:
        if self._progress is not None:
            self._progress.set()
            self._progress = None
