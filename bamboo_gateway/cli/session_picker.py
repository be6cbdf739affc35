"""A list on the terminal in which a person picks one of their sessions."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import trio
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, VSplit, Window

from .app_thread import AppThread, open_terminal
from .session_choice import Choices

_MAX_ROWS = 12
_ROWS_AROUND = 6
"""The line above, the one below, and what the shell shows."""

_HELP = "Up, Down, Enter; type to filter; Esc leaves"


class SessionPicker:
    """Shows *choices*, and gives the terminal back as it was."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        terminal, self._output, colours = open_terminal()
        self._buffer = Buffer(multiline=False, on_text_changed=lambda buffer: choices.type(buffer.text))
        asking = VSplit(
            [
                Window(FormattedTextControl("Come back to: "), dont_extend_width=True),
                Window(BufferControl(self._buffer), height=1),
            ]
        )
        app: Application[str | None] = Application(
            Layout(
                HSplit(
                    [
                        Window(height=1),
                        asking,
                        Window(FormattedTextControl(self._rows), dont_extend_height=True),
                        Window(FormattedTextControl([("fg:ansibrightblack", _HELP)]), height=1),
                    ]
                )
            ),
            key_bindings=self._keys(),
            input=terminal,
            output=self._output,
            color_depth=colours,
            erase_when_done=True,
        )
        app.ttimeoutlen = 0.05  # Esc alone, and not the beginning of an arrow key
        app.timeoutlen = 0.05
        self._app = app

    async def pick(self, prepare: Callable[[], Awaitable[None]]) -> str | None:
        """
        Wait until a session is picked, and return its id; None: the person leaves.

        *prepare* is called meanwhile; when it returns, the list is drawn anew.

        Raises:
            EOFError: The terminal is gone.
        """
        thread = AppThread(self._app)

        async def complete() -> None:
            await prepare()
            thread.call(self._app.invalidate)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(complete)
            picked = await thread.run()
            nursery.cancel_scope.cancel()
        return picked

    def _rows(self) -> StyleAndTextTuples:
        size = self._output.get_size()
        rows = max(1, min(_MAX_ROWS, size.rows - _ROWS_AROUND))
        shown, first = self._choices.window(rows)
        now = int(time.time() * 1000)
        chosen = self._choices.chosen
        lines: StyleAndTextTuples = []
        for choice in shown:
            is_chosen = choice is chosen
            row = f"{'>' if is_chosen else ' '} {choice.row(size.columns - 3, now)}\n"
            lines.append(("reverse" if is_chosen else "", row))
        total = len(self._choices.shown)
        if not total:
            lines.append(("fg:ansibrightblack", "  no session matches\n"))
        elif total > len(shown):
            lines.append(("fg:ansibrightblack", f"  {first + 1}–{first + len(shown)} of {total}\n"))
        return lines

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("up")
        @keys.add("c-p")
        def _(event: KeyPressEvent) -> None:
            self._choices.move(-1)

        @keys.add("down")
        @keys.add("c-n")
        def _(event: KeyPressEvent) -> None:
            self._choices.move(1)

        @keys.add("pageup")
        def _(event: KeyPressEvent) -> None:
            self._choices.move(-_MAX_ROWS)

        @keys.add("pagedown")
        def _(event: KeyPressEvent) -> None:
            self._choices.move(_MAX_ROWS)

        @keys.add("enter")
        def _(event: KeyPressEvent) -> None:
            if self._choices.chosen is not None:
                event.app.exit(result=self._choices.chosen.session_id)

        @keys.add("escape")
        @keys.add("c-c")
        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            event.app.exit(result=None)

        return keys
