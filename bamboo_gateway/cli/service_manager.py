"""What systemd is told, and whatever else speaks its protocol: ready, reloading, stopping, still alive."""

from __future__ import annotations

import os
import time
from collections.abc import MutableMapping

import attrs
import structlog
import trio

log = structlog.get_logger(__name__)

SEND_TIMEOUT = 1.0
"""Seconds that one message may wait for a service manager that does not read."""

PINGS_PER_TIMEOUT = 3
"""How often it is told within the time that it waits for a sign of life: two may be late."""


STOP_MARGIN = 10.0
"""Seconds that a stop may take beside the turns: two to let go of the clients, the rest for the storage."""


@attrs.frozen
class ServiceManager:
    """
    Who supervises this process, if anybody does; without, nothing is said.

    The protocol is one datagram of lines for each message; see sd_notify(3).
    """

    address: str | None = None
    """Its socket; one that begins with `@` has no file."""
    watchdog_timeout: float | None = None
    """Seconds without a sign of life after which it ends this process; None: it does not wait for any."""

    @classmethod
    def take_from(cls, environ: MutableMapping[str, str]) -> ServiceManager:
        """Find it in *environ*, and take it out: what this process starts shall not speak for it."""
        address = environ.pop("NOTIFY_SOCKET", None)
        timeout = environ.pop("WATCHDOG_USEC", "")
        meant = environ.pop("WATCHDOG_PID", "") or str(os.getpid())
        if not address or not timeout.isdecimal() or meant != str(os.getpid()):
            return cls(address or None)
        return cls(address, int(timeout) / 1e6 or None)

    async def tell_ready(self, status: str) -> None:
        """It serves. *status* is for people."""
        await self._send("READY=1", f"STATUS={status}")

    async def tell_reloading(self) -> None:
        """It reads its settings again."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        await self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    async def tell_reloaded(self) -> None:
        """It has read them."""
        await self._send("READY=1")

    async def tell_stopping(self, drain_timeout: float) -> None:
        """It stops, and turns that run have *drain_timeout* seconds to end; 0: as long as they take."""
        lines = ["STOPPING=1", "STATUS=stopping: turns that run come to their end"]
        if drain_timeout:  # so that a manager who was told of a shorter one waits all the same
            lines.append(f"EXTEND_TIMEOUT_USEC={round((drain_timeout + STOP_MARGIN) * 1e6)}")
        await self._send(*lines)

    async def run_watchdog(self) -> None:
        """Tell that the event loop turns, for as long as that is waited for."""
        while self.watchdog_timeout is not None:
            await self._send("WATCHDOG=1")
            await trio.sleep(self.watchdog_timeout / PINGS_PER_TIMEOUT)

    async def _send(self, *lines: str) -> None:
        """One that cannot be told is no reason to end: it has its own timeouts."""
        if self.address is None:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with (
                trio.fail_after(SEND_TIMEOUT),
                trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_DGRAM) as sock,
            ):
                await sock.connect(address)  # only then can it be waited until there is room
                await sock.send("\n".join(lines).encode())
        except (OSError, trio.TooSlowError) as error:
            log.warning("service manager not told", message=lines[0], error=str(error) or "it does not read")
