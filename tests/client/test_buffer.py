from __future__ import annotations

import pytest
import trio
from trio.testing import Sequencer, wait_all_tasks_blocked

from bamboo_gateway.client import ClosedError
from bamboo_gateway.client.buffer import EventBuffer
from bamboo_gateway.protocol import Pong


async def test_events_come_out_as_they_went_in() -> None:
    """Order is kept, and the buffer knows how many wait."""
    buffer = EventBuffer(max_bytes=100)
    for number in range(3):
        await buffer.put(Pong(number), 10)
    assert (len(buffer), buffer.size_bytes) == (3, 30)
    assert [await buffer.get() for _ in range(3)] == [Pong(0), Pong(1), Pong(2)]


async def test_get_waits_for_an_event(autojump_clock: trio.testing.MockClock) -> None:
    """A reader of an empty buffer sleeps until something comes."""
    buffer = EventBuffer(max_bytes=100)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(buffer.put, Pong(1), 10)
        assert await buffer.get() == Pong(1)


async def test_put_waits_for_room() -> None:
    """A full buffer holds up who fills it, until enough was read."""
    buffer = EventBuffer(max_bytes=20)
    await buffer.put(Pong(1), 10)
    await buffer.put(Pong(2), 10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(buffer.put, Pong(3), 15)
        await wait_all_tasks_blocked()
        assert len(buffer) == 2
        await buffer.get()
        await wait_all_tasks_blocked()
        assert len(buffer) == 1
        await buffer.get()
        assert await buffer.get() == Pong(3)


async def test_a_single_event_larger_than_the_buffer_passes() -> None:
    """What alone is too large waits for an empty buffer, and not for ever."""
    buffer = EventBuffer(max_bytes=1)
    await buffer.put(Pong(1), 1000)
    assert await buffer.get() == Pong(1)


async def test_close_lets_what_is_left_be_read_first() -> None:
    """The end comes after the last event, to every reader and each time."""
    buffer = EventBuffer(max_bytes=100)
    await buffer.put(Pong(1), 10)
    buffer.close(ClosedError(1001, "bye"))
    assert await buffer.get() == Pong(1)
    for _ in range(2):
        with pytest.raises(ClosedError, match="bye"):
            await buffer.get()


async def test_close_wakes_those_who_wait() -> None:
    """A reader of an empty buffer learns of the end at once."""
    buffer = EventBuffer(max_bytes=100)

    async def read() -> None:
        with pytest.raises(ClosedError, match="bye"):
            await buffer.get()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        buffer.close(ClosedError(1001, "bye"))


async def test_a_cancelled_get_takes_nothing() -> None:
    """Cancelled while an event is there, or while none is, a reader loses none."""
    buffer = EventBuffer(max_bytes=100)
    await buffer.put(Pong(1), 10)
    with trio.CancelScope() as scope:
        scope.cancel()
        await buffer.get()
    assert scope.cancelled_caught
    assert await buffer.get() == Pong(1)


async def test_get_is_a_checkpoint() -> None:
    """A reader of a full buffer lets other tasks run."""
    buffer = EventBuffer(max_bytes=100)
    await buffer.put(Pong(1), 10)
    await buffer.put(Pong(2), 10)
    sequence = Sequencer()

    async def be_beside() -> None:
        async with sequence(0):
            pass

    async with trio.open_nursery() as nursery:
        nursery.start_soon(be_beside)
        await buffer.get()
        await buffer.get()
        async with sequence(1):
            pass
