"""`bamboo-gateway sessions`: the sessions of a gateway that runs, or of one that does not."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias, TypeVar

import click
import trio
from click.core import ParameterSource

from . import progress, session_text, target
from .export_output import open_output
from .exporter import Exporter
from .plain_text import one_line, to_json
from .running import run
from .session_export import FORMATS
from .session_source import PAGE, Record, SessionSource, UnknownSessionError, newest_messages, open_source
from .target import Target

ResultT = TypeVar("ResultT")

_Command: TypeAlias = Callable[..., None]
_Option: TypeAlias = Callable[[_Command], _Command]

_TOLD = 5
"""Sessions that could not be exported and are told of one by one."""

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
    work: Callable[[SessionSource], Awaitable[ResultT]], url: str, token: str | None, storage: str | None
) -> ResultT:
    typed = click.get_current_context().get_parameter_source("url") is ParameterSource.COMMANDLINE
    if storage is not None and typed:
        raise click.UsageError(
            "--url is a gateway that runs, --storage the file of one that does not; say one"
        )

    async def main() -> ResultT:
        async with open_source(Target(url, token, None), storage) as source:
            try:
                return await work(source)
            except UnknownSessionError as error:
                raise _no_session(str(error)) from None

    return run(main)


def _no_session(*session_ids: str) -> click.ClickException:
    """Say that there are none of these ids."""
    names = ", ".join(map(one_line, session_ids))
    return click.ClickException(f"there is no session {names}; `sessions list` names them")


async def _print(text: str) -> None:
    """
    Write *text* and a line break to stdout.

    In a thread: who reads on in a pager may take minutes, and the gateway lets
    go of a client that does not answer its pings.
    """
    await trio.to_thread.run_sync(click.echo, text)


# ── list ─────────────────────────────────────────────────────────────────────


@command.command("list")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="No more than so many; without it, all.")
@click.option(
    "--after",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Go on where a list with --limit has ended; that has told the number.",
)
@click.option(
    "--search",
    default="",
    metavar="TEXT",
    help="Only those in whose id, name or owner's id this stands, in upper or lower case.",
)
@click.option("--newest", "newest_first", is_flag=True, help="The newest first.")
@_json
@_where
def list_sessions(
    limit: int | None, after: int, search: str, newest_first: bool, as_json: bool, **where: Any
) -> None:
    """
    List sessions, oldest first.

    In a terminal it says how long ago each was last active, elsewhere when.
    """
    wanted = {"newest_first": newest_first, "search": search}
    _with_source(partial(_list, wanted=wanted, limit=limit, after=after, as_json=as_json), **where)


async def _list(
    source: SessionSource, wanted: Mapping[str, Any], limit: int | None, after: int | None, as_json: bool
) -> None:
    left = sys.maxsize if limit is None else limit
    now = int(time.time() * 1000) if sys.stdout.isatty() else None
    count = 0
    while left and after is not None:
        page, after = await source.list(after, min(left, PAGE), **wanted)
        rows = [to_json(each) if as_json else session_text.row(each, now) for each in page]
        if rows:
            heading = [session_text.HEADING] if count == 0 and not as_json else []
            await _print("\n".join([*heading, *rows]))
        count += len(page)
        left -= len(page)
    if count == 0 and not as_json:
        click.echo("there are no such sessions" if wanted["search"] else "there are no sessions", err=True)
    if after is not None:
        click.echo(f"there are more: --after {after}", err=True)


# ── show ─────────────────────────────────────────────────────────────────────


@command.command("show")
@click.argument("session_id", metavar="ID")
@click.option(
    "--messages",
    "count",
    type=click.IntRange(0),
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
    messages, first = await newest_messages(source, session_id, count)
    if as_json:
        await _print(to_json({"session": session, "first": first, "messages": messages}))
        return
    parts = ["\n".join(session_text.details(session))]
    if first:
        parts.append(f"({first} older messages; `sessions export` has all)")
    parts += ["\n".join(session_text.message(message)) for message in messages]
    await _print("\n\n".join(parts))


# ── export ───────────────────────────────────────────────────────────────────


@command.command("export")
@click.argument("session_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="Every session.")
@click.option(
    "--output",
    default="-",
    metavar="FILE|FOLDER/",
    help="Where to: a file for all, or a folder with a file for each; `-` is stdout.",
)
@click.option("--force", is_flag=True, help="Write over files that are there already.")
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

    A file has its name when all of it is there, and not before. The exit code
    is 1 if a session could not be exported; into a folder or to stdout, the
    others are.
    """
    if bool(session_ids) == is_all:
        raise click.UsageError("name sessions, or say --all")
    how = FORMATS[format_name]
    wanted = progress.is_shown() and (output != "-" or not sys.stdout.isatty())
    with open_output(output, how.suffix, force=force) as to:
        chosen = None if is_all else list(dict.fromkeys(session_ids))
        with progress.open_meter(wanted=wanted) as meter:
            exporter = Exporter(how, to, meter if wanted else None)
            _with_source(partial(exporter.export, session_ids=chosen), **where)
        if exporter.failures:
            raise click.ClickException(_failed(exporter.failures))
    if output != "-" and sys.stderr.isatty():
        done = f"{exporter.sessions} sessions with {exporter.messages} messages"
        click.echo(f"{done} are in {output}", err=True)


def _failed(reasons: Sequence[str]) -> str:
    more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    return "; ".join(reasons[:_TOLD]) + more


# ── delete ───────────────────────────────────────────────────────────────────


@command.command("delete")
@_ids
@click.option("--yes", is_flag=True, help="Do not ask.")
@_where
def delete_sessions(session_ids: Sequence[str], yes: bool, **where: Any) -> None:
    """
    Delete sessions with all that was said in them; that cannot be taken back.

    At a terminal it shows them and asks; elsewhere it needs --yes. An id that is
    none makes the exit code 1, and the others are deleted all the same.
    """
    chosen = list(dict.fromkeys(session_ids))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked here whether it is meant; say --yes")
        _ask(_with_source(partial(_find, session_ids=chosen), **where), chosen)
    unknown = _with_source(partial(_delete, session_ids=chosen), **where)
    if unknown:
        raise _no_session(*unknown)


def _ask(found: Sequence[Record], session_ids: Sequence[str]) -> None:
    """
    Ask a person, who sees what it is about. Nobody is connected meanwhile.

    Raises:
        click.ClickException: There is nothing to delete, or it is not meant.
    """
    if not found:
        raise _no_session(*session_ids)
    now = int(time.time() * 1000)
    for line in (session_text.HEADING, *(session_text.row(each, now) for each in found)):
        click.echo(line, err=True)
    which = "this session" if len(found) == 1 else f"these {len(found)} sessions"
    if not click.confirm(f"Delete {which} for ever?", err=True):
        raise click.ClickException("nothing was deleted")


async def _find(source: SessionSource, session_ids: Sequence[str]) -> Sequence[Record]:
    """Those that there are."""
    found: list[Record] = []
    for session_id in session_ids:
        with suppress(UnknownSessionError):
            found.append(await source.get(session_id))
    return found


async def _delete(source: SessionSource, session_ids: Sequence[str]) -> Sequence[str]:
    """Delete those that there are, and return the ids of the others."""
    unknown: list[str] = []
    for session_id in session_ids:
        try:
            await source.delete(session_id)
        except UnknownSessionError:
            unknown.append(session_id)
        else:
            click.echo(f"deleted {one_line(session_id)}")
    return unknown
