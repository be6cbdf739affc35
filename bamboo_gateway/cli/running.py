"""The way from a command into Trio and back, where foreseen failures become what click can print."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import trio

from ..client import ClientError
from ..errors import InvalidMessageError, origin

ResultT = TypeVar("ResultT")

_FORESEEN = (
    click.ClickException,
    click.Abort,
    ClientError,
    InvalidMessageError,
    BrokenPipeError,
    KeyboardInterrupt,
)
"""What is told in a line. Anything else is a bug, and is worth its traceback."""


def run(main: Callable[..., Awaitable[ResultT]], *args: object) -> ResultT:
    """
    Run *main* under Trio.

    Raises:
        click.ClickException: It failed as it may.
        click.Abort: It was interrupted.
    """
    try:
        # At checkpoints alone: between the making of a coroutine and its `await`, Ctrl-C leaves a warning.
        return trio.run(main, *args, restrict_keyboard_interrupt_to_checkpoints=True)
    except _FORESEEN as error:
        raise _told(error) from error
    except BaseExceptionGroup as group:
        foreseen, unforeseen = group.split(_FORESEEN)
        if foreseen is None or unforeseen is not None:
            raise
        raise _told(origin(foreseen)) from group


def _told(error: BaseException) -> BaseException:
    match error:
        case ClientError() | InvalidMessageError():
            return click.ClickException(str(error))
        case KeyboardInterrupt():
            return click.Abort()
        case _:
            return error
