"""SIGUSR1: what every task of this process is doing, printed while it goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import attrs
import click
import trio

if TYPE_CHECKING:
    from stackscope import Context, Stack


async def run_task_tree_printer(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """
    Print the task tree to stderr at each SIGUSR1, and an empty line, until cancelled.

    Holds everything else up for some milliseconds a connection. Signals that
    come meanwhile are one.
    """
    with trio.open_signal_receiver(signal.SIGUSR1) as signals:
        task_status.started()
        async for _ in signals:
            click.echo(f"{_task_tree()}\n", err=True)


def _task_tree() -> str:
    try:
        from stackscope import extract  # noqa: PLC0415 -- an extra, and rarely asked for
    except ModuleNotFoundError:
        return "SIGUSR1 prints the task tree with stackscope: pip install 'bamboo-gateway[debug]'"
    stack = extract(trio.lowlevel.current_root_task(), recurse_child_tasks=True)
    _redact(stack)
    return str(stack).rstrip()


@attrs.frozen(repr=False)
class _Redacted:
    """Stands where stackscope would show a value."""

    what: str

    def __repr__(self) -> str:
        return f"<{self.what}>"


def _redact(stack: Stack) -> None:
    """Leave functions, lines and types; values, such as the arguments of context managers, may be tokens."""
    if stack.error is not None:
        stack.leaf, stack.error = _Redacted(f"unreadable: {type(stack.error).__name__}"), None
    elif stack.leaf is not None:
        stack.leaf = _Redacted(type(stack.leaf).__name__)
    if not isinstance(stack.root, trio.lowlevel.Task):
        stack.root = _Redacted(type(stack.root).__name__)
    for frame in stack.frames:
        for context in frame.contexts:
            _redact_context(context)


def _redact_context(context: Context) -> None:
    from stackscope import Stack  # noqa: PLC0415 -- as above

    context.description = None
    if context.inner_stack is not None:
        _redact(context.inner_stack)
    for child in context.children:
        if isinstance(child, Stack):
            _redact(child)
        else:
            _redact_context(child)
