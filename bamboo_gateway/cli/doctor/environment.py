"""Are the variables that begin with BAMBOO_ those that somebody reads?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs
import click

from ...agents.echo import EchoAgent
from ...agents.settings import nearest, variable
from .. import figures
from .finding import Finding, warning, well

_ABOUT = "environment"

_PREFIX = "BAMBOO_"


def judge(environ: Iterable[str], known: Iterable[str]) -> Iterator[Finding]:
    """Compare the variables that there are with those that are *known*."""
    ours = sorted(name for name in environ if name.startswith(_PREFIX))
    known = set(known)
    unknown = [name for name in ours if name not in known]
    for name in unknown:
        text = f"nothing reads {name}{_nearest(name, known)}"
        yield warning(_ABOUT, text, f"put its name right, or take it away: unset {name}")
    if not unknown:
        yield well(_ABOUT, f"{figures.counted(len(ours), 'variable')} for the gateway")


def _nearest(name: str, known: Iterable[str]) -> str:
    """Without what all of them begin with, and so have in common with anything."""
    hint = nearest(name.removeprefix(_PREFIX), [each.removeprefix(_PREFIX) for each in known])
    return hint.replace("'", f"'{_PREFIX}", 1)


def known_variables(command: click.Command) -> Iterator[str]:
    """Those that *command*, all that belong to it, and the agents that ship here read."""
    yield from _of_commands(command)
    yield from (variable("echo", field) for field in attrs.fields(EchoAgent) if field.init)
    try:
        from ...agents.openai_settings import OpenAISettings  # noqa: PLC0415
    except ModuleNotFoundError:
        return
    yield from (variable("openai", field) for field in attrs.fields(OpenAISettings))


def _of_commands(command: click.Command) -> Iterator[str]:
    for param in command.params:
        if isinstance(param.envvar, str):
            yield param.envvar
            if param.type.name == "secret":  # a file may be named in its place
                yield f"{param.envvar}_FILE"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            part = command.get_command(context, name)
            if part is not None:
                yield from _of_commands(part)
