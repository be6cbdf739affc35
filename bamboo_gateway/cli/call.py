"""`bamboo-gateway call`: one command, its result on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import click

from ..agents.settings import nearest
from ..client import Client, RefusedError
from ..errors import ErrorCode, InvalidMessageError
from ..protocol import strict_json
from ..protocol.messages import MAX_ID_LENGTH, Json
from . import target
from .plain_text import to_json
from .running import run
from .target import Target


def _name(_: click.Context, __: click.Parameter, name: str) -> str:
    if not 0 < len(name) <= MAX_ID_LENGTH:
        raise click.BadParameter(f"a name has 1 to {MAX_ID_LENGTH} characters")
    return name


def _json(_: click.Context, __: click.Parameter, text: str) -> Json:
    try:
        return strict_json.parse(text)
    except InvalidMessageError as error:
        raise click.BadParameter(str(error)) from None


@click.command("call")
@click.argument("name", callback=_name)
@click.argument("args", metavar="[JSON]", default="null", callback=_json)
@target.options
def command(name: str, args: Json, url: str, token: str | None, session: str | None) -> None:
    """
    Run the command NAME of a gateway and print its result as JSON.

    JSON are its arguments, an object. `bamboo-gateway call help` lists the
    commands and what they take; an argument that the command does not take is
    refused, and nothing is run. Without --session it runs in a session of its
    own, which is gone afterwards.
    """
    result = run(_call, Target(url, token, session), name, args)
    click.echo(to_json(result))


async def _call(to: Target, name: str, args: Json) -> Json:
    async with to.visit("call") as client:
        if to.session is not None and not client.connected.resumed:
            raise click.ClickException(f"the gateway knows no session {to.session!r}")
        if isinstance(args, dict) and args:
            await _refuse_unknown(client, name, args)
        return await client.command(name, args)


async def _refuse_unknown(client: Client, name: str, args: Mapping[str, Json]) -> None:
    """
    Refuse arguments that the gateway would pass over, as it has to for the sake of newer clients.

    Who types one by hand has mistyped it. What an agent's own tool takes nobody
    but the agent knows.
    """
    try:
        help_text = cast(Any, await client.command("help", {"name": name}))
    except RefusedError as error:
        if error.code == ErrorCode.UNKNOWN_COMMAND:
            return
        raise
    known = help_text["commands"][0]["args"]
    for key in args:
        if key not in known:
            takes = ", ".join(known) or "no arguments"
            raise click.UsageError(f"{name} takes {takes}, and no {key!r:.80}{nearest(key, known)}")
