"""`bamboo-gateway status`: how a gateway is, in one screen."""

from __future__ import annotations

import sys

import attrs
import click

from . import colours, target
from .duration_type import DurationType
from .gateway_status import GatewayStatus, look
from .plain_text import to_json
from .running import run
from .status_text import LABEL_WIDTH, lines
from .target import Target

_COLOURS = {"plain": None, "good": "green", "bad": "red"}


@click.command("status")
@click.option(
    "--timeout",
    type=DurationType(),
    default="5s",
    metavar="DURATION",
    help="How long to wait for each answer.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@target.gateway_options
def command(timeout: float, as_json: bool, url: str, token: str | None) -> None:
    """
    Tell how a gateway is, and what to do if it is not well.

    The exit code is 0 if it is ready for clients, and 1 if it is not, or cannot
    be reached: fit for a health check, which needs no token. Its statistics take
    the scope `metrics`.
    """
    status = run(look, Target(url, token, None), timeout)
    click.echo(to_json(attrs.asdict(status)) if as_json else _text(status))
    sys.exit(0 if status.is_ready else 1)


def _text(status: GatewayStatus) -> str:
    paints = colours.are_wanted(sys.stdout)
    return "\n".join(
        f"{line.label:<{LABEL_WIDTH}} "
        + (click.style(line.text, fg=_COLOURS[line.tone]) if paints else line.text)
        for line in lines(status)
    )
