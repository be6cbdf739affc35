"""Where a person types at a terminal, below what is said there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import trio
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, to_formatted_text
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style

from .app_thread import AppThread, open_terminal

PROMPT = "> "

MAX_WAITING = 16
"""Lines that may wait to be said, while an answer comes."""

_MENU_ROWS = 6

_STYLE = Style.from_dict(
    {
        "prompt": "noinherit",  # it lies on all that stands before the input, and so on the answer that grows
        "sign": "bold",
        "completion-menu": "noinherit",
        "completion-menu.completion": "noinherit",
        "completion-menu.completion.current": "noinherit reverse",
        "completion-menu.meta.completion": "noinherit fg:ansibrightblack",
        "completion-menu.meta.completion.current": "noinherit reverse",
        "scrollbar.background": "noinherit",
        "scrollbar.button": "noinherit reverse",
    }
)


class LineEditor:
    """
    An input line, and above it a part of the screen that changes; what is final scrolls away above both.

    Invariant: lines come out in the order in which they were entered, and what
    is shown appears in the order in which it was given.

    Args:
        history: What was typed before.
        words: What may be completed at the beginning of a line, each with what it means.
    """

    def __init__(self, history: History, words: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._live = ""
        self._lines_send, self._lines = trio.open_memory_channel[str | None](MAX_WAITING + 1)
        self._interrupts_send, self.interrupts = trio.open_memory_channel[bool](1)
        """Presses of Ctrl-C: was there anything in the input line?"""
        self._waiting = 0
        self._trio_token: trio.lowlevel.TrioToken | None = None
        terminal, self._output, colours = open_terminal()
        self._session: PromptSession[str] = PromptSession(
            self._message,
            input=terminal,
            output=self._output,
            color_depth=colours,
            style=_STYLE,
            include_default_pygments_style=False,
            history=history,
            completer=_FirstWord(words),
            complete_while_typing=Condition(self._is_in_first_word),
            reserve_space_for_menu=_MENU_ROWS,
            multiline=True,
            prompt_continuation=" " * len(PROMPT),
            key_bindings=self._keys(),
            enable_suspend=True,
            erase_when_done=True,
        )
        self._session.default_buffer.accept_handler = lambda _: self._accept()
        self._thread = AppThread(self._session.app)

    # ── Trio's side ──────────────────────────────────────────────────────────

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        size = self._output.get_size()
        return size.columns, size.rows

    @property
    def waiting(self) -> int:
        """Lines that were entered and not yet read."""
        return self._waiting

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take lines until cancelled; the terminal is as it was before, then."""
        self._trio_token = trio.lowlevel.current_trio_token()
        try:
            await self._thread.run(task_status=task_status)
        except EOFError:  # the terminal is gone
            self._put(None)

    async def read_line(self) -> str | None:
        """Wait for the next line; None: the person wants to leave."""
        line = await self._lines.receive()
        if line is not None:
            self._waiting -= 1
        return line

    def drop_waiting(self) -> list[str]:
        """Return the lines that were entered and not yet read, and forget them."""
        dropped: list[str] = []
        while True:
            try:
                line = self._lines.receive_nowait()
            except trio.WouldBlock:
                return dropped
            if line is not None:
                self._waiting -= 1
                dropped.append(line)

    def update(self, final: str, live: str) -> None:
        """Print *final* above the input line for good; show *live* between the two, in place of before."""
        self._thread.call(self._update, final, live)

    def clear(self) -> None:
        """Empty the input line."""
        self._thread.call(self._clear)

    # ── the side of the application, in its thread ───────────────────────────

    def _update(self, final: str, live: str) -> None:
        self._live = live
        app = self._session.app
        if not final:
            app.invalidate()
        elif app.is_running and app.context is not None:
            with self._output.in_one_piece():
                app.renderer.erase(leave_alternate_screen=False)
                self._output.write_raw(final.replace("\n", "\r\n"))
                app.render_counter += 1  # or what was shown before would be, once more
                # In its own context, in which prompt_toolkit finds the application.
                app.context.copy().run(app.renderer.render, app, app.layout)

    def _clear(self) -> None:
        self._session.default_buffer.reset()
        self._session.app.invalidate()

    def _message(self) -> StyleAndTextTuples:
        return [*to_formatted_text(ANSI(self._live)), ("class:sign", PROMPT)]

    def _is_in_first_word(self) -> bool:
        return _first_word(self._session.default_buffer.document) is not None

    def _accept(self) -> bool:
        """Take the line; True: it stays, for too many wait already."""
        text = self._session.default_buffer.text
        if not text.strip():
            return False
        if self._waiting >= MAX_WAITING:
            self._output.bell()
            return True
        self._waiting += 1
        self._tell(self._put, text)
        return False

    def _put(self, line: str | None) -> None:
        try:
            self._lines_send.send_nowait(line)
        except trio.WouldBlock:
            assert line is None, "there is room for all that may wait"  # leaving is wanted already

    def _interrupt(self, has_text: bool) -> None:
        with suppress(trio.WouldBlock):  # one is under way
            self._interrupts_send.send_nowait(has_text)

    def _tell(self, function: Callable[..., object], *args: object) -> None:
        assert self._trio_token is not None, "`run` sets it"
        self._trio_token.run_sync_soon(function, *args)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.char_before_cursor == "\\":
                buffer.delete_before_cursor()
                buffer.insert_text("\n")
            else:
                buffer.validate_and_handle()

        @keys.add("escape", "enter")
        def _(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text("\n")

        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            self._tell(self._interrupt, bool(event.current_buffer.text))

        @keys.add("c-d", filter=Condition(lambda: not self._session.default_buffer.text))
        def _(event: KeyPressEvent) -> None:
            self._tell(self._put, None)

        return keys


class _FirstWord(Completer):
    """Completes a word that begins with `:` or `/`, at the very beginning."""

    def __init__(self, words: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._words = words

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Offer the words that begin so."""
        typed = _first_word(document)
        if typed is None:
            return
        for word, meaning in self._words():
            if word.startswith(typed) and word != typed:
                yield Completion(word, start_position=-len(typed), display_meta=meaning)


def _first_word(document: Document) -> str | None:
    """What has been typed of a word that may be completed."""
    text = document.text
    if text[:1] not in (":", "/") or len(text.split(maxsplit=1)) != 1 or text[-1:].isspace():
        return None
    return text if document.is_cursor_at_the_end else None
