"""A talk at a terminal that can be drawn on: an input line below, and above it what is said."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import attrs
import click
import trio

from ..client import Client, ClientError, ClientLimits, Reconnect, RefusedError
from .conversation import Conversation
from .input_history import InputHistory, history_path
from .line_commands import HELP, LINE_COMMANDS, LineCommand, parse_line
from .line_editor import LineEditor
from .session_choice import Choices, read_choices, read_last_words
from .session_picker import SessionPicker
from .talk_view import TalkView
from .target import Target

_LIMITS = ClientLimits(max_message_bytes=64 * 1024 * 1024)
"""Room for some messages of a megabyte, which are twice that as JSON."""

_RECALLED = 6
"""Messages that are shown to who comes back."""

_RECALLED_CHARS = 2000
"""Of each of them."""

_SHOWN_BY_COMMAND = 20
_MAX_SHOWN = 500
"""Messages of one `:history`: the gateway tells no more at once."""

_ENDS = (signal.SIGTERM, signal.SIGHUP)


async def talk(to: Target, reconnect: Reconnect | None) -> int:
    """Talk in one session after the other, until the person leaves; return the exit code."""
    history = InputHistory(history_path(), [to.token])
    while True:
        one = _Talk(to, history)
        await one.run(reconnect)
        if one.following is None:
            return one.status
        to = await one.following(attrs.evolve(to, session=one.session_id))


async def pick(to: Target) -> str | None:
    """
    Let the person pick one of their sessions.

    Raises:
        click.ClickException: There is none.
        ClientError: The gateway does not tell.
    """
    async with attrs.evolve(to, session=None).visit("chat", _LIMITS) as client:
        choices = await read_choices(client)
        if not choices:
            raise click.ClickException("there is no session to come back to; without --pick, a new one opens")
        try:
            return await SessionPicker(Choices(choices)).pick(partial(read_last_words, client, choices))
        except EOFError:
            return None


async def _pick_another(to: Target) -> Target:
    picked = await pick(to)
    return to if picked is None else attrs.evolve(to, session=picked)


async def _begin_anew(to: Target) -> Target:
    return attrs.evolve(to, session=None)


class _Talk:
    """The talk in one session."""

    def __init__(self, to: Target, history: InputHistory) -> None:
        self.status = 0
        """The exit code, if this is the last one."""
        self.following: Callable[[Target], Awaitable[Target]] | None = None
        """How to find the session in which the person wants to go on; None: they leave."""
        self.session_id = ""
        self._to = to
        self._history = history

    async def run(self, reconnect: Reconnect | None) -> None:
        """Talk until the person leaves the session."""
        async with self._to.connect("chat", reconnect, _LIMITS) as client:
            editor = LineEditor(self._history, self._words)
            view = TalkView(editor)
            async with trio.open_nursery() as nursery:
                await nursery.start(editor.run)
                try:
                    await self._converse(client, editor, view)
                finally:
                    view.close()
                    nursery.cancel_scope.cancel()
            self.session_id = client.session_id

    async def _converse(self, client: Client, editor: LineEditor, view: TalkView) -> None:
        seen = await _recall(client, view) if client.connected.resumed else 0
        view.note(_greeting(client, self._to.session))
        conversation = Conversation(client, view, seen=seen)
        with trio.open_signal_receiver(signal.SIGINT, *_ENDS) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(view.run_painter)
                nursery.start_soon(conversation.run_display)
                nursery.start_soon(conversation.run_inquiries)
                interrupts = _Interrupts(editor, view, conversation, nursery)
                nursery.start_soon(interrupts.heed, editor.interrupts)
                nursery.start_soon(self._heed_signals, signals, interrupts)
                await self._say_lines(client, editor, view, conversation)
                nursery.cancel_scope.cancel()

    async def _heed_signals(self, signals: AsyncIterator[int], interrupts: _Interrupts) -> None:
        async for received in signals:
            if received in _ENDS:
                self.status = 128 + received
                interrupts.leave()
            else:
                interrupts.interrupt(has_text=False)

    async def _say_lines(
        self, client: Client, editor: LineEditor, view: TalkView, conversation: Conversation
    ) -> None:
        while (line := await editor.read_line()) is not None:
            command = parse_line(line)
            if command is None:
                view.show_person(line)
                view.wait()
                await conversation.say(line)
                view.rest()
            elif await self._obey(command, client, view):
                return

    async def _obey(self, command: LineCommand, client: Client, view: TalkView) -> bool:
        """Carry out what a line asks for; is that to leave the session?"""
        match command.name:
            case ":quit":
                return True
            case ":new":
                self.following = _begin_anew
                return True
            case ":sessions":
                self.following = _pick_another
                return True
            case ":help":
                view.note(HELP)
            case ":history":
                await _show_history(client, view, command.argument)
            case ":abort":
                await _abort(client, view)
            case unknown:
                view.note(
                    f"there is no {unknown}; :help lists what there is. "
                    "With a blank before it, it is said to the agent"
                )
        return False

    def _words(self) -> Iterable[tuple[str, str]]:
        yield from LINE_COMMANDS.items()
        said = {line.split(maxsplit=1)[0] for line in self._history.get_strings() if line.startswith("/")}
        yield from ((word, "") for word in sorted(said))


class _Interrupts:
    """What Ctrl-C does: it aborts our turn; where that is done already or there is none, it leaves."""

    def __init__(
        self, editor: LineEditor, view: TalkView, conversation: Conversation, nursery: trio.Nursery
    ) -> None:
        self._editor = editor
        self._view = view
        self._conversation = conversation
        self._nursery = nursery

    async def heed(self, presses: AsyncIterator[bool]) -> None:
        """Heed each press of the keys, which tells whether there was anything in the input line."""
        async for has_text in presses:
            self.interrupt(has_text=has_text)

    def interrupt(self, *, has_text: bool) -> None:
        """
        Do what is to be done.

        Raises:
            click.Abort: The answer is not complete, and is not waited for.
        """
        if self._conversation.interrupt(self._nursery):
            for line in self._editor.drop_waiting():
                self._view.note(f"not said: {line}")
        elif self._conversation.is_waiting:
            raise click.Abort
        elif has_text:
            self._editor.clear()
        else:
            self.leave()

    def leave(self) -> None:
        """End the talk."""
        self._nursery.cancel_scope.cancel()


def _greeting(client: Client, wanted: str | None) -> str:
    state = "resumed" if client.connected.resumed else "new"
    unknown = "" if client.connected.resumed or not wanted else f"; the gateway knows no {wanted}"
    return f"session {client.session_id}, {state}{unknown}\n:help says what can be done here; Ctrl-D leaves"


async def _recall(client: Client, view: TalkView) -> int:
    """Show how the conversation has ended so far; return the last `seq` of the session that is in it."""
    try:
        page: Any = await client.command("session.history", {"limit": _RECALLED})
    except RefusedError as error:
        view.note(f"what was said before cannot be shown: {error}")
        return 0
    seen: int | None = page.get("seq")
    # Without that number nobody knows where the events go on that tell the rest.
    messages = [each for each in page["messages"] if seen is not None or each["status"] != "running"]
    if page["first"]:
        view.note(f"{page['first']} older messages; :history shows more")
    view.show_history(messages, _RECALLED_CHARS)
    for chat in page.get("queued", ()):
        view.show_person(chat["content"])
    return seen or 0


async def _show_history(client: Client, view: TalkView, argument: str) -> None:
    if argument and not argument.isdecimal():
        view.note(f":history takes a number of messages, such as :history {_SHOWN_BY_COMMAND}")
        return
    limit = max(1, min(int(argument or _SHOWN_BY_COMMAND), _MAX_SHOWN))
    try:
        page: Any = await client.command("session.history", {"limit": limit})
    except ClientError as error:
        view.note(str(error))
        return
    messages = [each for each in page["messages"] if each["status"] != "running"]
    older = f", after {page['first']} older ones" if page["first"] else ""
    view.note(f"the last {len(messages)} messages{older}:")
    view.show_history(messages)


async def _abort(client: Client, view: TalkView) -> None:
    try:
        await client.command("session.abort")
    except ClientError as error:
        view.note(str(error))
