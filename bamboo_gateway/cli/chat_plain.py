"""A talk line by line: from a pipe, and at a terminal that cannot be drawn on or shall not be."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator

import click
import trio

from ..client import Reconnect
from .conversation import Conversation
from .line_reader import LineReader
from .target import Target
from .transcript import Transcript


async def talk_plainly(to: Target, reconnect: Reconnect | None) -> int:
    """Return the exit code."""
    async with to.connect("chat", reconnect) as client:
        transcript = Transcript()
        transcript.note(_greeting(client.session_id, to.session, is_resumed=client.connected.resumed))
        is_interactive = sys.stdin.isatty()
        conversation = Conversation(client, transcript, is_patient=not is_interactive)
        with trio.open_signal_receiver(signal.SIGINT) as interrupts:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(conversation.run_display)
                nursery.start_soon(conversation.run_inquiries)
                nursery.start_soon(_obey, interrupts, conversation, nursery)
                await _say_lines(conversation, transcript if is_interactive else None)
                nursery.cancel_scope.cancel()
    if is_interactive:
        click.echo(err=True)  # the shell's prompt shall not stand behind ours
    return int(conversation.has_failed and not is_interactive)


async def _obey(interrupts: AsyncIterator[int], conversation: Conversation, nursery: trio.Nursery) -> None:
    async for _ in interrupts:
        if conversation.interrupt(nursery):
            continue
        if conversation.is_waiting:
            raise click.Abort
        nursery.cancel_scope.cancel()


async def _say_lines(conversation: Conversation, prompter: Transcript | None) -> None:
    reader = LineReader(sys.stdin.fileno())
    while True:
        if prompter:
            prompter.prompt()
        line = await reader.read_line()
        if prompter:
            prompter.hear()
        if line is None:
            return
        if line.strip():
            await conversation.say(line)


def _greeting(session_id: str, wanted: str | None, *, is_resumed: bool) -> str:
    if is_resumed:
        return f"session {session_id}, resumed"
    unknown = f"; the gateway knows no {wanted}" if wanted else ""
    return f"session {session_id}, new{unknown}"
