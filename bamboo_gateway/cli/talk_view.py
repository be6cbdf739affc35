"""A session as a person reads it in a terminal that can be drawn on: Markdown, cards, and what grows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs
import trio
from rich.text import Text

from ..client import ClientEvent
from ..errors import ErrorCode
from ..protocol.messages import (
    AgentComplete,
    AgentStart,
    AgentToken,
    AgentToolComplete,
    AgentToolStart,
    Connected,
    Error,
    Gap,
    UserMessage,
)
from . import rich_text
from .cards import Card, State, spell_seconds
from .markdown_pieces import Piece, Pieces
from .past_answer import parts_of
from .plain_text import plain
from .scroll import Scroll
from .transcript import note_of

PAINT_INTERVAL = 0.1
"""Seconds between two pictures: as fast as a person reads, and a bound to what they cost."""

_STATUS_INTERVAL = 1.0
"""Seconds between two pictures in which nothing has changed but the time."""

_RETURN_TIMEOUT = 0.5
"""Seconds without an event after which a connection that came back has missed nothing."""

_ROWS_BELOW = 9
"""Rows for the input line, what is completed there, and the blank ones."""


class Screen(Protocol):
    """What can be printed on for good, and has a part at its end that changes."""

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        ...

    @property
    def waiting(self) -> int:
        """Lines that were entered and wait to be said."""
        ...

    def update(self, final: str, live: str) -> None:
        """Print *final* for good, and show *live* behind it, in place of before."""
        ...


class TalkView:
    """
    Shows a talk on *screen*.

    Invariant: what is final is printed once, in the order in which it came, and
    all that is known of the rest is in the part that changes.
    """

    def __init__(self, screen: Screen, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._clock = clock
        self._scroll = Scroll()
        self._pieces = Pieces()
        self._tools: dict[str, AgentToolStart] = {}
        """Calls that run, by their ids."""
        self._began: dict[str, int] = {}
        """When turns began that run, in Unix milliseconds."""
        self._waits_since: float | None = None
        self._back_since: float | None = None
        """The connection came back then; the next event says whether anything is missing."""
        self._changed = trio.Event()

    # ── what happens ─────────────────────────────────────────────────────────

    def show(self, event: ClientEvent) -> None:
        """Show what happened."""
        if isinstance(event, Gap):
            self._back_since = None
        self._tell_return()
        match event:
            case AgentStart(run_id=str(run_id), ts=int(ts)):
                self._began[run_id] = ts
            case AgentToken():
                self._print_words(self._pieces.feed(event.token))
            case AgentToolStart() | AgentToolComplete() | UserMessage():
                self._end_words()
                self._show_between(event)
            case AgentComplete() | Error(run_id=str()):
                self._end_answer(event)
            case Connected(resumed=True):
                self._back_since = self._clock()
            case _:
                if text := note_of(event):
                    self.note(f"… {text.strip('[]')}")
        self._changed.set()

    def note(self, text: str) -> None:
        """Say something about the talk rather than in it."""
        self._scroll.add("note", Text(plain(text), "dim"), self._columns)
        self._changed.set()

    def show_person(self, text: str, who: str | None = None) -> None:
        """Show what a person has said; None: whoever sits here."""
        head = Text(f"{who}: ", "bold cyan") if who else Text("> ", "bold")
        said = Text(plain(text).strip("\n"), "" if who else "bold")
        self._scroll.add("person", rich_text.indented(head, said), self._columns)
        self._changed.set()

    def show_history(self, messages: Sequence[Mapping[str, Any]], max_chars: int | None = None) -> None:
        """
        Show messages as `session.history` tells them; an answer that runs goes on to grow.

        Of each, the last *max_chars* characters; None: all.
        """
        for message in messages:
            if message["role"] == "user":
                self.show_person(
                    "".join(part for part in parts_of(message, max_chars) if isinstance(part, str))
                )
            else:
                self._show_past(message, max_chars)
        self._changed.set()

    def wait(self) -> None:
        """An answer is waited for."""
        self._waits_since = self._clock()
        self._changed.set()

    def rest(self) -> None:
        """None is."""
        self._waits_since = None
        self._changed.set()

    # ── the screen ───────────────────────────────────────────────────────────

    async def run_painter(self) -> None:
        """Bring the screen up to date whenever something has changed, and not too often."""
        while True:
            with trio.move_on_after(self._patience):
                await self._changed.wait()
            self.paint()
            await trio.sleep(PAINT_INTERVAL)

    def paint(self) -> None:
        """Bring the screen up to date."""
        self._changed = trio.Event()
        if self._back_since is not None and self._clock() >= self._back_since + _RETURN_TIMEOUT:
            self._tell_return()
        live = self._live()
        self._screen.update(self._scroll.take(), live)

    def close(self) -> None:
        """Show for good what there is: nothing more comes."""
        self._tell_return()
        self._end_words()
        self.rest()
        self.paint()

    @property
    def _patience(self) -> float:
        """Seconds until the picture is to change though nothing happens."""
        if self._back_since is not None:
            return _RETURN_TIMEOUT
        return math.inf if self._waits_since is None else _STATUS_INTERVAL

    @property
    def _columns(self) -> int:
        # Some terminals break a line that is exactly as wide as they are.
        return max(self._screen.size[0] - 1, 20)

    def _live(self) -> str:
        """The part that changes: what grows, the tools that run, and what is waited for."""
        piece = self._pieces.rest
        shown: list[str] = []
        if piece.source.strip():
            words = rich_text.render(rich_text.markdown(piece.markdown), self._columns)
            shown += self._scroll.lead("words", has_gap=piece.has_gap).splitlines()
            shown += words.splitlines()
        for call in self._tools.values():
            card = Card(call.tool, call.args).render(self._columns)
            shown += rich_text.render(card, self._columns).splitlines()
        rows = max(self._screen.size[1] - _ROWS_BELOW, 3)
        shown = [*shown[-rows:], *self._status()]
        return "\n".join(shown) + "\n" * (1 + bool(shown))

    def _status(self) -> Iterator[str]:
        if self._waits_since is None:
            return
        text = f"… {self._clock() - self._waits_since:.0f} s, Ctrl-C aborts"
        if waiting := self._screen.waiting:
            text += f"; {waiting} more {'line waits' if waiting == 1 else 'lines wait'}"
        yield from ("", rich_text.render(Text(text, "dim"), self._columns).rstrip("\n"))

    # ── an answer ────────────────────────────────────────────────────────────

    def _print_words(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if piece.source.strip():
                what = rich_text.markdown(piece.markdown)
                self._scroll.add("words", what, self._columns, has_gap=piece.has_gap)

    def _end_words(self) -> None:
        if self._pieces.rest.source:
            self._print_words(self._pieces.finish())
            self._scroll.end_paragraph()

    def _show_between(self, event: AgentToolStart | AgentToolComplete | UserMessage) -> None:
        """Show what stands between words."""
        match event:
            case AgentToolStart():
                self._tools[event.tool_call_id or event.tool] = event
            case AgentToolComplete():
                self._end_tool(event)
            case UserMessage():
                self.show_person(event.content, "somebody else")

    def _end_tool(self, event: AgentToolComplete) -> None:
        start = self._tools.pop(event.tool_call_id or event.tool, None)
        seconds = None
        if start is not None and start.ts is not None and event.ts is not None:
            seconds = (event.ts - start.ts) / 1000
        args = None if start is None else start.args
        self._print_card(Card(event.tool, args, event.result, _state(event.ok), seconds))

    def _print_card(self, card: Card) -> None:
        self._scroll.add("card", card.render(self._columns), self._columns)

    def _end_answer(self, event: AgentComplete | Error) -> None:
        self._end_words()
        for call in self._tools.values():
            self._print_card(Card(call.tool, call.args, "it did not come back", "failed"))
        self._tools.clear()
        began = self._began.pop(event.run_id or "", None)
        seconds = (event.ts - began) / 1000 if began is not None and event.ts is not None else None
        if isinstance(event, Error):
            self._print_failure(event.code, event.message)
        else:
            usage = event.usage
            self._print_usage(usage.prompt_tokens, usage.completion_tokens, seconds)

    def _print_usage(self, prompt: int, completion: int, seconds: float | None) -> None:
        tokens = f"{prompt} + {completion} tokens" if prompt or completion else ""
        duration = "" if seconds is None else spell_seconds(seconds)
        if text := ", ".join(each for each in (tokens, duration) if each):
            self._scroll.add("usage", Text(text, "dim"), self._columns)

    def _print_failure(self, code: str, message: str) -> None:
        if code == ErrorCode.AGENT_ABORTED:
            what = Text("✗ aborted", "yellow")
        else:
            what = Text.assemble((f"✗ {plain(code)}: ", "bold red"), (plain(message), "red"))
        self._scroll.add("note", what, self._columns)

    # ── the past ─────────────────────────────────────────────────────────────

    def _show_past(self, message: Mapping[str, Any], max_chars: int | None) -> None:
        is_running = message["status"] == "running"
        for part in parts_of(message, max_chars):
            if isinstance(part, str):
                self._print_words(self._pieces.feed(part))
                continue
            self._end_words()
            if is_running and part.get("result") is None:
                start = AgentToolStart("", part["tool"], tool_call_id=part["id"], args=part.get("args"))
                self._tools[part["id"]] = attrs.evolve(start, ts=part.get("started_at"))
            else:
                self._print_card(_past_card(part))
        if is_running:
            self._began[message["run_id"]] = message["ts"]
            return
        self._end_words()
        if message["status"] != "complete":
            error = message.get("error") or {"code": message["status"], "message": "its end is missing"}
            self._print_failure(error["code"], error["message"])
        elif usage := message.get("usage"):
            self._print_usage(usage["prompt_tokens"], usage["completion_tokens"], None)

    def _tell_return(self) -> None:
        if self._back_since is not None:
            self._back_since = None
            self.note("… reconnected, nothing was lost")


def _state(ok: bool | None) -> State:
    return "failed" if ok is False else "done"


def _past_card(call: Mapping[str, Any]) -> Card:
    result = call.get("result")
    state: State = "failed" if result is None else _state(call.get("ok"))
    started, completed = call.get("started_at"), call.get("completed_at")
    seconds = (completed - started) / 1000 if started is not None and completed is not None else None
    return Card(
        call["tool"], call.get("args"), "it did not come back" if result is None else result, state, seconds
    )
