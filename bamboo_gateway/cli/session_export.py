"""Whole conversations as text for other programs, or for people."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import attrs
import click

from ..protocol import strict_json
from .session_source import Record
from .session_text import moment


@attrs.frozen
class ExportFormat:
    """How a session, and then each of its messages, is written."""

    session: Callable[[Record], str]
    message: Callable[[Record], str]


def _json_line(kind: str) -> Callable[[Record], str]:
    return lambda record: strict_json.dump({kind: record}).decode() + "\n"


def _heading(session: Record) -> str:
    title = session["name"] or session["session_id"]
    return f"# {title}\n\n{session['session_id']} · {moment(session['created_at'])}\n\n"


def _paragraphs(message: Record) -> str:
    mark = "" if message["status"] == "complete" else f" ({message['status']})"
    calls = (
        f"- `{call['tool']}` {strict_json.dump(call.get('args')).decode()} → {call.get('result')}"
        for call in message["tool_calls"]
    )
    parts = [f"## {message['role']}{mark} · {moment(message['ts'])}", *calls]
    if message["content"]:
        parts.append(message["content"])
    return "\n\n".join(parts) + "\n\n"


FORMATS: Mapping[str, ExportFormat] = {
    "jsonl": ExportFormat(_json_line("session"), _json_line("message")),
    "markdown": ExportFormat(_heading, _paragraphs),
}
"""By the name that a user gives."""


@contextmanager
def open_output(path: str, *, force: bool) -> Iterator[TextIO]:
    """
    Open *path* (`-`: stdout) to be written; it gets its name when all is there, and not before.

    Raises:
        click.ClickException: There is such a file already, and nobody has said *force*; or it cannot be made.
    """
    if path == "-":
        yield sys.stdout
        return
    target = Path(path)
    if target.exists() and not force:
        raise click.ClickException(f"{path} exists already; --force writes over it")
    try:
        fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 -- it has a descriptor already
                yield file
        except BaseException:
            Path(name).unlink()
            raise
        Path(name).replace(target)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error
