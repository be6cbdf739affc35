"""A session as a person reads it in a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from typing import Any

import click

from ..client import ClientEvent, Disconnected
from ..protocol import strict_json
from ..protocol.messages import (
    AgentComplete,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    ChannelMessage,
    Connected,
    Error,
    Gap,
    Shutdown,
    UserMessage,
)
from . import colours
from .plain_text import plain

_WIDTH = 200
"""Characters that a note shows of arguments or a result."""

_PROMPT = "> "


class Transcript:
    """
    Writes the agent's words to stdout, and notes of all else to stderr.

    Invariant: a note begins on a line of its own; so does what follows it.
    """

    def __init__(self) -> None:
        self._is_in_line = False
        self._is_asking = False
        self._is_terminal = sys.stdout.isatty()
        self._has_colours = colours.are_wanted(sys.stderr)

    def show(self, event: ClientEvent) -> None:
        """Show what happened."""
        if isinstance(event, AgentToken):
            self._say(event.token)
        if isinstance(event, AgentComplete | Error):
            self._end_line()
        if (text := note_of(event)) is not None:
            self.note(text)

    def note(self, text: str) -> None:
        """Say something about the talk rather than in it."""
        if self._is_terminal:
            self._end_line()
        text = plain(text)
        text = click.style(text, dim=True) if self._has_colours else text
        click.echo(f"\n{text}\n{_PROMPT}" if self._is_asking else text, err=True, nl=not self._is_asking)

    def prompt(self) -> None:
        """Ask for a line; a note that comes before `hear` asks again."""
        self._end_line()
        self._is_asking = True
        click.echo(_PROMPT, err=True, nl=False)

    def hear(self) -> None:
        """The line has come."""
        self._is_asking = False

    def _say(self, text: str) -> None:
        # Not `click.echo`: into a file it leaves out what looks like a colour.
        sys.stdout.write(plain(text) if self._is_terminal else text)
        sys.stdout.flush()
        self._is_in_line = not text.endswith("\n")

    def _end_line(self) -> None:
        if self._is_in_line:
            click.echo()
            self._is_in_line = False


def note_of(event: ClientEvent) -> str | None:
    """What is said of an event, other than its own words; None: nothing."""
    note = _NOTES.get(type(event))
    return None if note is None else note(event)


def _tool_start(event: AgentToolStart) -> str:
    args = "" if event.args is None else strict_json.dump(event.args).decode()
    return f"[{event.tool} {_short(args)}]"


def _tool_complete(event: AgentToolComplete) -> str:
    outcome = "failed" if event.ok is False else "answered"
    return f"[{event.tool} {outcome}: {_short(event.result)}]"


def _gap(event: Gap) -> str:
    if event.requested < event.earliest:
        return f"[events {event.requested} to {event.earliest - 1} are no longer to be had]"
    # Its numbers were counted anew, so nobody can say how many are missing.
    return "[the gateway has lost events, and counts them anew]"


def _connected(event: Connected) -> str:
    if event.resumed:
        return "[reconnected, session resumed]"
    return f"[reconnected, but the session is lost; {event.session_id} is a new one]"


def _short(text: str) -> str:
    return textwrap.shorten(text, _WIDTH, placeholder=" …")


_NOTES: dict[type, Callable[[Any], str]] = {
    AgentToolStart: _tool_start,
    AgentToolComplete: _tool_complete,
    Error: lambda event: f"{event.code}: {event.message}",
    UserMessage: lambda event: f"[somebody else: {_short(event.content)}]",
    ChannelMessage: lambda event: f"[{event.channel}: {_short(event.content)}]",
    Gap: _gap,
    Disconnected: lambda event: f"[connection lost: {event.reason or event.code}; reconnecting]",
    Connected: _connected,
    Shutdown: lambda event: f"[announced: {event.reason}]",
}
"""What is said of an event; of others, nothing is."""
