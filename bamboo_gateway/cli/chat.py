"""`bamboo-gateway chat`: a talk with the agent in a terminal, or from a pipe."""

from __future__ import annotations

import os
import sys
from typing import Any

import attrs
import click

from ..client import ConnectError, Reconnect, RefusedError
from ..errors import ErrorCode
from . import target
from .chat_plain import talk_plainly
from .duration import format_duration
from .duration_type import DurationType
from .plain_text import one_line
from .running import run
from .session_choice import read_choices
from .target import Target


@click.command("chat")
@target.options
@click.option("--last", "is_last", is_flag=True, help="Come back to the session that was used last.")
@click.option("--pick", "is_picked", is_flag=True, help="Pick one of your sessions from a list.")
@click.option("--create", is_flag=True, help="Open a new session where there is none of the id of --session.")
@click.option("--plain", is_flag=True, help="No Markdown, no input line with a history: lines as they come.")
@click.option(
    "--reconnect",
    default=format_duration(Reconnect().give_up_timeout or 0),
    metavar="DURATION",
    type=DurationType(least=0.0),
    envvar="BAMBOO_RECONNECT",
    show_envvar=True,
    help="How long to try to come back after a lost connection; 0: not at all.",
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    url: str,
    token: str | None,
    session: str | None,
    reconnect: float,
    **flags: bool,
) -> None:
    """
    Talk with the agent, line by line.

    At a terminal its words are laid out as Markdown while they come; `:help`
    there says what else can be done. Ctrl-C aborts its answer; pressed again,
    or at the empty prompt, it leaves.

    From a pipe each line is sent when the one before is answered. The agent's
    words, as they are, go to stdout, tool calls and notes to stderr; the exit
    code is 1 if a line failed. A line for which there is no room now
    (RATE_LIMITED, QUEUE_FULL) waits until there is.

    A lost connection comes back by itself, and the answer goes on where it was.
    """
    policy = Reconnect(give_up_timeout=reconnect) if reconnect else None
    to = Target(url, token, session)
    is_drawn = not flags["plain"] and _can_be_drawn_on()
    chosen = [name for name in ("last", "picked") if flags[f"is_{name}"]]
    typed = ctx.get_parameter_source("session") is click.core.ParameterSource.COMMANDLINE
    if len(chosen) + typed > 1:
        raise click.UsageError("--session, --last and --pick each say which session; give one of them")
    if flags["is_picked"] and not is_drawn:
        raise click.UsageError(
            "--pick needs a terminal; `sessions list` lists the sessions, --session ID takes one"
        )
    sys.exit(run(_chat_or_hint, to, policy, flags, is_drawn))


async def _chat_or_hint(*args: Any) -> int:
    """Chat; where that cannot begin, say what can be done."""
    try:
        return await _chat(*args)
    except ConnectError as error:
        if not str(error).startswith("cannot reach"):
            raise
        raise click.ClickException(
            f"{error}; --url says where the gateway is, and `bamboo-gateway serve` starts one"
        ) from error
    except RefusedError as error:
        if error.code != ErrorCode.UNAUTHORIZED:
            raise
        raise click.ClickException(
            f"{error}; show one with BAMBOO_TOKEN or --token; "
            "`bamboo-gateway token create --user NAME` makes them"
        ) from error


async def _chat(to: Target, reconnect: Reconnect | None, flags: dict[str, bool], is_drawn: bool) -> int:
    """Return the exit code."""
    if flags["is_last"]:
        to = await _last(to)
    elif to.session is not None and not flags["is_picked"] and not flags["create"]:
        await _require(to)
    if not is_drawn:
        return await talk_plainly(to, reconnect)
    from .chat_terminal import pick, talk  # noqa: PLC0415 -- a pipe needs neither rich nor prompt_toolkit

    if flags["is_picked"]:
        picked = await pick(to)
        if picked is None:
            raise click.Abort
        to = attrs.evolve(to, session=picked)
    return await talk(to, reconnect)


async def _require(to: Target) -> None:
    """
    See that the session is there: a gateway would open a new one in its place.

    Raises:
        click.ClickException: It is not.
    """
    async with to.visit("chat") as client:
        if not client.connected.resumed:
            raise click.ClickException(
                f"there is no session {one_line(str(to.session))}, or it is somebody else's; `bamboo-gateway "
                "sessions list` lists yours, and --create opens a new one in its place"
            )


async def _last(to: Target) -> Target:
    async with attrs.evolve(to, session=None).visit("chat") as client:
        choices = await read_choices(client)
    if not choices:
        raise click.ClickException("there is no session to come back to; without --last, a new one opens")
    return attrs.evolve(to, session=choices[0].session_id)


def _can_be_drawn_on() -> bool:
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return is_terminal and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")
