from __future__ import annotations

import pytest
import trio

from bamboo_gateway.client.nursery import open_background_nursery


async def test_leaving_the_block_ends_its_tasks() -> None:
    """A task that would run for ever does not hold up the block."""
    async with open_background_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    """Whether it is an error or a group of them: nothing is wrapped around it."""

    async def raise_it(error: BaseException) -> None:
        async with open_background_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise error

    for error in (KeyError("plain"), ExceptionGroup("of its own", [KeyError("inner")]), SystemExit(1)):
        with pytest.raises(type(error)) as caught:
            await raise_it(error)
        assert caught.value is error


async def test_cancellation_passes_through() -> None:
    """A scope around the block still catches what it cancelled."""
    with trio.CancelScope() as scope:
        async with open_background_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_task_that_fails_is_not_hidden() -> None:
    """A bug behind the block is raised from it."""

    async def fail() -> None:
        raise KeyError("bug")

    with pytest.RaisesGroup(KeyError):
        async with open_background_nursery() as nursery:
            nursery.start_soon(fail)
            await trio.sleep_forever()
