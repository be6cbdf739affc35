"""The command itself: a screen in a terminal, a report for whoever reads it once."""

from __future__ import annotations

import shutil
import sys

import click

from .. import target
from ..duration_type import DurationType
from ..plain_text import to_json
from ..running import run
from ..target import Target
from .drawing import report
from .monitor import LIMITS, first_state, run_monitor, second_state
from .record import as_record
from .state import State

_PLAIN_COLUMNS = 120
"""As wide as a report is that is not read in a terminal."""


@click.command("top")
@click.option(
    "--interval",
    type=DurationType(least=0.1, fault="at least a tenth of a second lies between two looks"),
    default="1s",
    metavar="DURATION",
    help="How long from one look at the gateway to the next.",
)
@click.option("--once", is_flag=True, help="Print one report, and end; so it is where stdout is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
@target.gateway_options
def command(interval: float, once: bool, as_json: bool, url: str, token: str | None) -> None:
    """
    Watch what a gateway is doing: connections, sessions, rates and delays.

    Numbers take the scope `metrics`, the list of connections `admin`, that of
    sessions `sessions:read` (one's own) or `admin` (all); what the token lacks is
    said, and the rest is shown. Rates and delays are those of the last interval.

    Keys: q quits, s and c show sessions or connections, the arrows scroll, p
    pauses. A lost connection comes back by itself.
    """
    to = Target(url, token, None)
    if as_json or once or not sys.stdout.isatty() or _is_dumb():
        state = run(_look_twice, to, interval)
        click.echo(to_json(as_record(state)) if as_json else _text(state))
    else:
        run(run_monitor, to, interval)


def _is_dumb() -> bool:
    """Is it a terminal that can only write on?"""
    import os  # noqa: PLC0415

    return os.environ.get("TERM", "dumb") in {"dumb", "unknown"}


async def _look_twice(to: Target, interval: float) -> State:
    async with to.visit("top", LIMITS) as client:
        return await second_state(client, await first_state(client, to.url, interval))


def _text(state: State) -> str:
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PLAIN_COLUMNS
    return "\n".join("".join(part for part, _ in line).rstrip() for line in report(state, columns))
