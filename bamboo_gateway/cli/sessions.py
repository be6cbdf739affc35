"""`bamboo-gateway sessions`: the sessions of a gateway that runs, or of one that does not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, TextIO, TypeAlias

import click

from ..protocol import strict_json
from . import session_text, target
from .running import run
from .session_export import FORMATS, ExportFormat, open_output
from .session_source import (
    Record,
    SessionSource,
    UnknownSessionError,
    every_message,
    every_session,
    open_source,
)
from .target import Target

_Command: TypeAlias = Callable[..., None]
_Option: TypeAlias = Callable[[_Command], _Command]

_storage: _Option = click.option(
    "--storage",
    metavar="STORAGE",
    help="Look into the file of a gateway that does not run, instead: `sqlite:PATH`, or `sqlite:`.",
)
_json: _Option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
_ids: _Option = click.argument("session_ids", metavar="ID...", nargs=-1, required=True)


@click.group("sessions")
def command() -> None:
    """
    List, show, export and delete sessions.

    They are those of a gateway that runs (--url), or, with --storage, of the
    file of one that does not.
    """


def _where(function: _Command) -> _Command:
    return target.gateway_options(_storage(function))


def _with_source(
    work: Callable[[SessionSource], Awaitable[None]], url: str, token: str | None, storage: str | None
) -> None:
    async def main() -> None:
        async with open_source(Target(url, token, None), storage) as source:
            try:
                await work(source)
            except UnknownSessionError as error:
                raise click.ClickException(
                    f"there is no session {error}; `sessions list` names them"
                ) from None

    run(main)


# ── list ─────────────────────────────────────────────────────────────────────


@command.command("list")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="No more than so many.")
@_json
@_where
def list_sessions(limit: int | None, as_json: bool, **where: Any) -> None:
    """List sessions, oldest first."""
    _with_source(partial(_list, limit=limit, as_json=as_json), **where)


async def _list(source: SessionSource, limit: int | None, as_json: bool) -> None:
    count = 0
    async with aclosing(every_session(source)) as sessions:
        async for session in sessions:
            if not as_json and count == 0:
                click.echo(session_text.HEADING)
            click.echo(strict_json.dump(session) if as_json else session_text.row(session))
            count += 1
            if count == limit:
                return
    if not as_json and count == 0:
        click.echo("there are no sessions", err=True)


# ── show ─────────────────────────────────────────────────────────────────────


@command.command("show")
@click.argument("session_id", metavar="ID")
@click.option(
    "--messages",
    "count",
    type=click.IntRange(0, 500),
    default=20,
    metavar="N",
    help="How many of the newest messages of its conversation.",
)
@_json
@_where
def show_session(session_id: str, count: int, as_json: bool, **where: Any) -> None:
    """Show a session and the end of its conversation."""
    _with_source(partial(_show, session_id=session_id, count=count, as_json=as_json), **where)


async def _show(source: SessionSource, session_id: str, count: int, as_json: bool) -> None:
    session = await source.get(session_id)
    messages: Sequence[Record] = ()
    first = 0
    if count:
        messages, first = await source.history(session_id, count, None)
    if as_json:
        click.echo(strict_json.dump({"session": session, "first": first, "messages": messages}))
        return
    for line in session_text.details(session):
        click.echo(line)
    if first:
        click.echo(f"\n({first} older messages; `sessions export` has all)")
    for message in messages:
        click.echo()
        for line in session_text.message(message):
            click.echo(line)


# ── export ───────────────────────────────────────────────────────────────────


@command.command("export")
@click.argument("session_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every session.")
@click.option("--output", default="-", metavar="FILE", help="Where to; `-` is stdout.")
@click.option("--force", is_flag=True, help="Write over FILE, if there is one.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    metavar="|".join(FORMATS),
    default="jsonl",
    help="A JSON object a line, or text for people.",
)
@_where
def export_sessions(
    session_ids: Sequence[str], is_all: bool, output: str, force: bool, format_name: str, **where: Any
) -> None:
    """
    Export whole conversations.

    As jsonl: a line {"session": …} for each session, as `session.get` shows it,
    then a line {"message": …} for each of its messages, oldest first, as
    `session.history` shows them.
    """
    if bool(session_ids) == is_all:
        raise click.UsageError("name sessions, or say --all")
    with open_output(output, force=force) as file:
        exporting = partial(_export, session_ids=session_ids, file=file, how=FORMATS[format_name])
        _with_source(exporting, **where)


async def _export(source: SessionSource, session_ids: Sequence[str], file: TextIO, how: ExportFormat) -> None:
    shows_progress = file is not sys.stdout and sys.stderr.isatty()
    sessions = messages = 0
    async for session in _chosen(source, session_ids):
        file.write(how.session(session))
        sessions += 1
        async for message in every_message(source, session["session_id"]):
            file.write(how.message(message))
            messages += 1
        if shows_progress:
            click.echo(f"\r{sessions} sessions, {messages} messages", err=True, nl=False)
    if shows_progress:
        click.echo(err=True)


async def _chosen(source: SessionSource, session_ids: Sequence[str]) -> AsyncIterator[Record]:
    if not session_ids:
        async for session in every_session(source):
            yield session
    for session_id in session_ids:
        yield await source.get(session_id)


# ── delete ───────────────────────────────────────────────────────────────────


@command.command("delete")
@_ids
@click.option("--yes", is_flag=True, help="Do not ask.")
@_where
def delete_sessions(session_ids: Sequence[str], yes: bool, **where: Any) -> None:
    """Delete sessions with all that was said in them; that cannot be taken back."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked here whether it is meant; say --yes")
        click.confirm(f"Delete {len(session_ids)} session(s) for ever?", abort=True, err=True)
    _with_source(partial(_delete, session_ids=session_ids), **where)


async def _delete(source: SessionSource, session_ids: Sequence[str]) -> None:
    unknown: list[str] = []
    for session_id in session_ids:
        try:
            await source.delete(session_id)
        except UnknownSessionError:
            unknown.append(session_id)
        else:
            click.echo(f"deleted {session_id}")
    if unknown:
        raise click.ClickException(f"there is no session {', '.join(unknown)}")
