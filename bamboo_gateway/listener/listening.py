"""Sockets to listen on, TCP or in the file system, that go on accepting when descriptors run out."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
import trio

from ..config import Address, UnixAddress

log = structlog.get_logger(__name__)

BACKLOG = 4096
"""Connections that the kernel holds until they are accepted; it takes no more than its own limit."""

CAPACITY_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""What accept says when the process, or the machine, has no descriptor or memory left."""

RETRY_INTERVAL = 0.1
"""Seconds until accept is tried again then."""


class PatientListener(trio.abc.Listener[trio.SocketStream]):
    """
    A listener that waits until it can accept again.

    `trio.serve_listeners` does so, too, with a traceback in the log ten times a
    second; here it is one line for as long as it lasts.
    """

    def __init__(self, listener: trio.SocketListener) -> None:
        self.socket = listener.socket
        self._listener = listener
        self._is_short = False

    async def accept(self) -> trio.SocketStream:
        """Wait for a client."""
        while True:
            try:
                stream = await self._listener.accept()
            except OSError as error:
                if error.errno not in CAPACITY_ERRNOS:
                    raise
                if not self._is_short:
                    log.error("cannot accept", error=os.strerror(error.errno))
                self._is_short = True
                await trio.sleep(RETRY_INTERVAL)
            else:
                if self._is_short:
                    log.info("accepting again")
                self._is_short = False
                return stream

    async def aclose(self) -> None:
        """Close the socket, and take its file away, if it has one."""
        if self.socket.family == socket.AF_UNIX:
            with suppress(OSError):
                os.unlink(self.socket.getsockname())  # noqa: PTH108 -- no name of a file is worth a thread
        await self._listener.aclose()


async def open_listeners(address: Address | UnixAddress) -> Sequence[PatientListener]:
    """
    Listen on *address*.

    Raises:
        OSError: It cannot be listened on.
    """
    if isinstance(address, UnixAddress):
        return [PatientListener(await _listen_unix(address.path))]
    return [
        PatientListener(listener)
        for listener in await trio.open_tcp_listeners(address.port, host=address.host, backlog=BACKLOG)
    ]


def bound_address(listener: PatientListener) -> Address | UnixAddress:
    """What a listener listens on, with the port that the system has chosen."""
    name = listener.socket.getsockname()
    return UnixAddress(name) if isinstance(name, str) else Address(name[0], name[1])


async def _listen_unix(path: str) -> trio.SocketListener:
    _remove_stale(Path(path))
    sock = trio.socket.socket(socket.AF_UNIX)
    try:
        await sock.bind(path)
        # Until it listens nobody can connect, so there is no moment in which others could.
        os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101 -- as above
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return trio.SocketListener(sock)


def _remove_stale(path: Path) -> None:
    """
    Take away what a gateway has left that was killed.

    Raises:
        OSError: Somebody listens there, or it is no socket.
    """
    if not path.is_socket():
        return  # `bind` says what is wrong with any other file
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # a full backlog is somebody, too
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
