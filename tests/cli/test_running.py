from __future__ import annotations

import click
import pytest
import trio

from bamboo_gateway.cli.running import run
from bamboo_gateway.client import ClosedError, ConnectError
from bamboo_gateway.errors import InvalidMessageError


async def raise_in_nursery(error: BaseException) -> None:
    """As a task of a command does it."""
    async with trio.open_nursery() as outer, trio.open_nursery() as inner:
        outer.start_soon(trio.sleep_forever)
        inner.start_soon(raise_it, error)


async def raise_it(error: BaseException) -> None:
    """As a command does it."""
    raise error


@pytest.mark.parametrize("main", [raise_it, raise_in_nursery])
@pytest.mark.parametrize(
    "error", [ConnectError("why"), InvalidMessageError("why"), click.ClickException("why")]
)
def test_a_foreseen_failure_is_told_in_a_line(main: object, error: Exception) -> None:
    """Wherever it comes from, it becomes what click prints, with its own text."""
    with pytest.raises(click.ClickException) as caught:
        run(main, error)  # type: ignore[arg-type]  # both are such functions
    assert caught.value.format_message() == "why"
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("main", [raise_it, raise_in_nursery])
def test_an_interrupt_is_an_abort(main: object) -> None:
    """Ctrl-C ends a command without a word."""
    with pytest.raises(click.Abort):
        run(main, KeyboardInterrupt())  # type: ignore[arg-type]  # both are such functions


@pytest.mark.parametrize("main", [raise_it, raise_in_nursery])
def test_a_broken_pipe_is_left_to_click(main: object) -> None:
    """`… | head` ends quietly; click knows how."""
    with pytest.raises(BrokenPipeError):
        run(main, BrokenPipeError())  # type: ignore[arg-type]  # both are such functions


def test_of_two_failures_the_first_is_told() -> None:
    """One line is one failure."""

    async def fail_twice() -> None:
        raise ExceptionGroup("both", [ClosedError(1001, "first"), ConnectError("second")])

    with pytest.raises(click.ClickException, match="1001, first"):
        run(fail_twice)


def test_a_bug_keeps_its_traceback() -> None:
    """What nobody foresaw is not hidden, not even beside something foreseen."""
    with pytest.raises(ZeroDivisionError):
        run(raise_it, ZeroDivisionError())
    with pytest.RaisesGroup(pytest.RaisesGroup(ZeroDivisionError)):
        run(raise_in_nursery, ZeroDivisionError())

    async def fail_twice() -> None:
        raise ExceptionGroup("both", [ConnectError("why"), ZeroDivisionError()])

    with pytest.RaisesGroup(ConnectError, ZeroDivisionError):
        run(fail_twice)


def test_a_result_is_returned() -> None:
    """`run` is `trio.run` where nothing fails."""

    async def add(one: int, other: int) -> int:
        return one + other

    assert run(add, 1, 2) == 3
