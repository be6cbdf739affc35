"""What is said of an error that nobody has foreseen."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click
import structlog

from ..errors import origin
from .plain_text import one_line

log = structlog.get_logger(__name__)

_LENGTH = 300
"""Characters of an error's own text."""


def bug(error: BaseException) -> str:
    """Say in a sentence what *error* was: the first of them, where a nursery has put some together."""
    first = origin(error)
    text = one_line(str(first))
    text = text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
    name = type(first).__name__
    what = f"{name}: {text}" if text else name
    return f"{what}; this is a bug: run it again as `bamboo-gateway --debug …`, and report what that shows"


def show_traceback(error: BaseException) -> None:
    """Write all of it to stderr, without what could move the cursor."""
    for line in traceback.format_exception(error):
        click.echo(_printable(line), err=True, nl=False)


@contextmanager
def logged() -> Iterator[None]:
    """Put a bug that leaves the block into the log: a service's output is all that is left of it."""
    try:
        yield
    except click.ClickException:
        raise
    except (Exception, BaseExceptionGroup):
        log.error("a bug has ended the gateway", exception=traceback.format_exc())
        raise


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() or each == "\n" else "\ufffd" for each in text)
