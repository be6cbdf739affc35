"""The command itself: it reads the settings, and prints what the examination finds."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import attrs
import click

from ...errors import ConfigError
from .. import colours, logs
from ..plain_text import to_json
from ..running import run
from . import tolerance
from .examination import Subject, examine
from .finding import Finding, Verdict
from .text import lines, summary

_COLOURS: dict[Verdict, str] = {"well": "green", "warning": "yellow", "fault": "red"}

_COLUMNS = 100
"""As wide as a line is at most."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for each thing looked at.")
@tolerance.options
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **values: Any) -> None:
    """
    Look for what would keep a gateway from its work, and tell how to mend it.

    It takes the options of `serve`, and reads the same variables and file; it
    looks at the versions, the settings, the port, who may come in, the
    certificate, the tokens, the storage and its disk, the agent and the endpoint
    that it asks, the clock, and the limit of open files. It changes nothing. An
    agent of your own is imported for that, as `serve` does.

    ✓ is well, ! may disappoint, ✗ does not work. The exit code is 1 if anything
    does not.
    """
    # What checks have to say is in their findings.
    logs.configure("error", "text", sys.stderr)
    subject = Subject(values, tolerance.noted(ctx), ctx.find_root().command)
    try:
        findings = run(_tell, subject, as_json)
    except ConfigError as error:  # a path of which nobody knows where it leads
        raise click.UsageError(str(error)) from error
    if not as_json:
        click.echo(f"\n{summary(findings)}")
    sys.exit(int(any(each.verdict == "fault" for each in findings)))


async def _tell(subject: Subject, as_json: bool) -> list[Finding]:
    """Print each finding as soon as it is known, and return all."""
    findings: list[Finding] = []
    columns = min(_COLUMNS, shutil.get_terminal_size((_COLUMNS, 0)).columns)

    def tell(finding: Finding) -> None:
        findings.append(finding)
        click.echo(to_json(attrs.asdict(finding)) if as_json else _text(finding, columns))

    await examine(subject, tell)
    return findings


def _text(finding: Finding, columns: int) -> str:
    first, *rest = lines(finding, columns)
    if colours.are_wanted(sys.stdout):
        first = click.style(first[0], fg=_COLOURS[finding.verdict], bold=True) + first[1:]
    return "\n".join([first, *rest])
