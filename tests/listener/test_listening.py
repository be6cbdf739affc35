from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
import structlog
import trio

from bamboo_gateway.config import Address, UnixAddress
from bamboo_gateway.listener.listening import PatientListener, bound_address, open_listeners


async def greet(stream: trio.abc.Stream) -> None:
    """Say one byte."""
    async with stream:
        await stream.send_all(b"!")


async def test_a_port_of_the_systems_choice() -> None:
    """Port 0 is resolved, and what is bound can be dialled."""
    [listener] = await open_listeners(Address("127.0.0.1", 0))
    address = bound_address(listener)
    assert isinstance(address, Address)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, greet, [listener])
        stream = await trio.open_tcp_stream(address.host, address.port)
        assert await stream.receive_some() == b"!"
        await stream.aclose()
        nursery.cancel_scope.cancel()


async def test_a_socket_in_the_file_system(tmp_path: Path) -> None:
    """Only this user may open it; it goes when the gateway does."""
    path = tmp_path / "gateway.sock"
    [listener] = await open_listeners(UnixAddress(str(path)))
    assert bound_address(listener) == UnixAddress(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, greet, [listener])
        stream = await trio.open_unix_socket(str(path))
        assert await stream.receive_some() == b"!"
        await stream.aclose()
        nursery.cancel_scope.cancel()
    await listener.aclose()
    assert not path.exists()


async def test_one_that_was_left_behind_is_taken_over(tmp_path: Path) -> None:
    """A gateway that was killed leaves its file; the next one does not mind."""
    path = tmp_path / "gateway.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
        left.listen()
    [listener] = await open_listeners(UnixAddress(str(path)))
    await listener.aclose()


async def test_one_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    """Two gateways on one path: the second is told, and the first goes on."""
    path = tmp_path / "gateway.sock"
    [first] = await open_listeners(UnixAddress(str(path)))
    with pytest.raises(OSError, match="in use"):
        await open_listeners(UnixAddress(str(path)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, greet, [first])
        stream = await trio.open_unix_socket(str(path))
        await stream.aclose()
        nursery.cancel_scope.cancel()
    await first.aclose()


async def test_no_other_file_is_touched(tmp_path: Path) -> None:
    """A path that names something else is refused, and the file stays as it was."""
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(OSError, match="in use"):
        await open_listeners(UnixAddress(str(path)))
    assert path.read_text() == "mine"


class ShortListener:
    """A listener whose `accept` fails as it is told, as the system's would, and then succeeds."""

    def __init__(self, errors: Sequence[int], stream: trio.SocketStream) -> None:
        self.socket = stream.socket
        self._errors = list(errors)
        self._stream = stream

    async def accept(self) -> trio.SocketStream:
        """Fail, or hand out the stream."""
        await trio.lowlevel.checkpoint()
        if self._errors:
            number = self._errors.pop(0)
            raise OSError(number, os.strerror(number))
        return self._stream


async def test_it_waits_for_descriptors(autojump_clock: trio.testing.MockClock) -> None:
    """Out of descriptors, accept is tried again, and the log says so twice: at the beginning and the end."""
    ours, theirs = trio.socket.socketpair()
    with ours, theirs:
        stream = trio.SocketStream(theirs)
        short = ShortListener([errno.EMFILE, errno.EMFILE, errno.ENFILE], stream)
        listener = PatientListener(short)  # type: ignore[arg-type] # all that is asked of it
        with structlog.testing.capture_logs() as logs:
            assert await listener.accept() is stream
            assert await listener.accept() is stream
        assert [log["event"] for log in logs] == ["cannot accept", "accepting again"]
        assert trio.current_time() == pytest.approx(0.3)


async def test_any_other_error_is_none_to_wait_for() -> None:
    """A listener that is broken is a bug, and said so."""
    ours, theirs = trio.socket.socketpair()
    with ours, theirs:
        listener = PatientListener(ShortListener([errno.EBADF], trio.SocketStream(theirs)))  # type: ignore[arg-type] # as above
        with pytest.raises(OSError, match="descriptor"):
            await listener.accept()
