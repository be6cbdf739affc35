from __future__ import annotations

import socket

import pytest
import trio
import trio.testing
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from bamboo_gateway.connection.connection import Connection
from bamboo_gateway.connection.outbox import Outbox
from bamboo_gateway.connection.writer import run_writer
from bamboo_gateway.protocol.closing import CloseCode
from tests.connection.raw_client import HANG
from tests.connection.stage import stream_pair

WRITE_TIMEOUT = 20.0


def code_of(connection: Connection) -> CloseCode | None:
    """The code with which it ends, if it does."""
    return connection.closing.code if connection.closing else None


async def test_a_connection_that_falls_behind_is_written_to_until_it_is_live() -> None:
    """What the socket did not take at once arrives when the peer reads, time after time."""
    client, stream = stream_pair(4_096)
    connection = Connection(Outbox(stream.socket.fileno()))
    with trio.fail_after(HANG):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_writer, connection, stream, WRITE_TIMEOUT)
            for _ in range(3):
                connection.outbox.push(b"x" * 100_000)
                connection.outbox.flush()
                assert connection.outbox.behind
                received = 0
                while received < 100_000:
                    received += len(await client.receive_some())
                await wait_all_tasks_blocked()
                assert not connection.outbox.behind
            nursery.cancel_scope.cancel()
    assert connection.closing is None
    await client.aclose()
    await stream.aclose()


async def test_a_client_that_takes_nothing_is_let_go(mock_clock: trio.testing.MockClock) -> None:
    """Without one byte taken in time the connection ends as a slow consumer; before that, it does not."""
    client, stream = stream_pair(4_096)
    connection = Connection(Outbox(stream.socket.fileno()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_writer, connection, stream, WRITE_TIMEOUT)
        connection.outbox.push(b"x" * 100_000)
        connection.outbox.flush()
        await wait_all_tasks_blocked()
        mock_clock.jump(WRITE_TIMEOUT - 0.001)
        await wait_all_tasks_blocked()
        assert code_of(connection) is None
        mock_clock.jump(0.002)
        await wait_all_tasks_blocked()
        assert code_of(connection) == CloseCode.SLOW_CONSUMER
        # It goes on, for whoever wakes up in time to read the goodbye.
        received = 0
        while received < 100_000:
            received += len(await client.receive_some())
        nursery.cancel_scope.cancel()
    await client.aclose()
    await stream.aclose()


async def test_a_client_that_takes_little_is_not(mock_clock: trio.testing.MockClock) -> None:
    """Each byte taken begins the time anew."""
    client, stream = stream_pair(4_096)
    connection = Connection(Outbox(stream.socket.fileno()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_writer, connection, stream, WRITE_TIMEOUT)
        connection.outbox.push(b"x" * 100_000)
        connection.outbox.flush()
        received = 0
        while received < 100_000:
            mock_clock.jump(WRITE_TIMEOUT - 0.001)
            with trio.fail_after(1):
                received += len(await client.receive_some(10_000))
            await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert connection.closing is None
    await client.aclose()
    await stream.aclose()


@pytest.mark.parametrize("is_stalled", [False, True])
async def test_a_broken_socket_ends_the_writer(*, is_stalled: bool) -> None:
    """Whether it waits for work or for the peer, the writer notices, at once."""
    client, stream = stream_pair(4_096)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection = Connection(Outbox(stream.socket.fileno()))
    with trio.fail_after(HANG), pytest.RaisesGroup(trio.BrokenResourceError):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_writer, connection, stream, WRITE_TIMEOUT)
            if is_stalled:
                connection.outbox.push(b"x" * 1_000_000)
                connection.outbox.flush()
            await wait_all_tasks_blocked()
            await client.aclose()
            connection.outbox.push(b"x")
            connection.outbox.flush()
    assert connection.outbox.broken
    await stream.aclose()


async def test_a_stream_without_a_descriptor(autojump_clock: trio.testing.MockClock) -> None:
    """There, all is sent by the writer; one that takes no byte in time cannot be used any more."""
    client, stream = memory_stream_pair()
    connection = Connection(Outbox(None))
    with pytest.RaisesGroup(trio.BrokenResourceError):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_writer, connection, stream, WRITE_TIMEOUT)
            connection.outbox.push(b"hello")
            connection.outbox.flush()
            assert await client.receive_some() == b"hello"
            await wait_all_tasks_blocked()
            assert not connection.outbox.behind
            stream.send_stream.send_all_hook = trio.sleep_forever
            connection.outbox.push(b"lost")
            connection.outbox.flush()
    assert code_of(connection) == CloseCode.SLOW_CONSUMER
    assert trio.current_time() == pytest.approx(WRITE_TIMEOUT)
