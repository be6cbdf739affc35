"""`bamboo-gateway chat`: a talk with the agent in a terminal, or from a pipe."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator

import click
import trio

from ..client import Client, Reconnect
from . import target
from .conversation import Conversation
from .duration import format_duration, parse_duration
from .line_reader import LineReader
from .running import run
from .target import Target
from .transcript import Transcript


def _seconds(_: click.Context, __: click.Parameter, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("chat")
@target.options
@click.option(
    "--reconnect",
    default=format_duration(Reconnect().give_up_timeout or 0),
    metavar="DURATION",
    callback=_seconds,
    envvar="BAMBOO_RECONNECT",
    show_envvar=True,
    help="How long to try to come back after a lost connection; 0: not at all.",
)
def command(url: str, token: str | None, session: str | None, reconnect: float) -> None:
    """
    Talk with the agent, line by line.

    Its words go to stdout, tool calls and notes to stderr. Ctrl-C aborts its
    answer; pressed again, or at the prompt, it leaves. From a pipe, each line
    is sent when the one before is answered; the exit code is 1 if one failed.

    A lost connection comes back by itself, and the answer goes on where it was.
    """
    policy = Reconnect(give_up_timeout=reconnect) if reconnect else None
    sys.exit(run(_chat, Target(url, token, session), policy))


async def _chat(to: Target, reconnect: Reconnect | None) -> int:
    """Return the exit code."""
    async with to.connect("chat", reconnect) as client:
        transcript = Transcript()
        transcript.note(_greeting(client, to.session))
        conversation = Conversation(client, transcript)
        is_interactive = sys.stdin.isatty()
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


def _greeting(client: Client, wanted: str | None) -> str:
    if client.connected.resumed:
        return f"session {client.session_id}, resumed"
    unknown = f"; the gateway knows no {wanted}" if wanted else ""
    return f"session {client.session_id}, new{unknown}"
