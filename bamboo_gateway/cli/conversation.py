"""One person's talk with the agent of a session: what was said, and whether the answer is complete."""

from __future__ import annotations

import math
import uuid
from contextlib import suppress
from typing import Protocol

import attrs
import click
import trio

from ..client import Client, ClientError, ClientEvent, NoReplyError, RefusedError
from ..protocol.messages import (
    AgentComplete,
    ChatAccepted,
    Connected,
    Error,
    Gap,
    SessionEnded,
    SessionEvent,
    UserMessage,
)

_PAUSE = 1.0
"""Seconds to wait where the gateway does not say how long."""


class View(Protocol):
    """Where a conversation is shown."""

    def show(self, event: ClientEvent) -> None:
        """Show what happened."""
        ...

    def note(self, text: str) -> None:
        """Say something about the talk rather than in it."""
        ...


@attrs.define(eq=False)
class _Turn:
    """A chat that was sent, until its answer is complete."""

    chat_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    run_id: str | None = None
    taken: trio.Event = attrs.field(factory=trio.Event)
    """The gateway has taken the chat, or will not."""
    begun: trio.Event = attrs.field(factory=trio.Event)
    over: trio.Event = attrs.field(factory=trio.Event)
    is_aborting: bool = False
    is_doubtful: bool = False
    """Events are missing that might have told of its end."""
    gone_at: int | None = None
    """The `seq` at which the gateway knew no more of it: who has read up to there will read nothing more."""


class Conversation:
    """
    Says lines and shows events.

    Invariant: at most one turn of ours is under way; it is known by its chat's
    id before the first of its events can come.

    Args:
        client: Who is connected to the session.
        transcript: Where it is shown.
        is_patient: Say a line again that the gateway has no room for now, until it has.
        seen: The last `seq` of the session that is shown already.
    """

    def __init__(self, client: Client, transcript: View, *, is_patient: bool = False, seen: int = 0) -> None:
        self.has_failed = False
        """Has any line been refused, its turn ended in an error, or its answer lost a part?"""
        self._client = client
        self._transcript = transcript
        self._is_patient = is_patient
        self._turn: _Turn | None = None
        self._shown = seen
        self._seen = 0
        """The last `seq` that was shown of the session."""
        self._doubts_send, self._doubts = trio.open_memory_channel[_Turn](1)

    @property
    def is_waiting(self) -> bool:
        """Is a turn of ours under way?"""
        return self._turn is not None

    async def say(self, line: str) -> None:
        """
        Send *line*, and wait until the agent has answered.

        Raises:
            ClosedError: The connection is over.
        """
        self._turn = turn = _Turn()
        try:
            try:
                accepted = await self._send(line, turn.chat_id)
            finally:
                turn.taken.set()
            turn.run_id = accepted.run_id
            await turn.over.wait()
        except (RefusedError, NoReplyError) as error:
            self._fail(str(error))
        finally:
            self._turn = None

    async def run_display(self) -> None:
        """
        Show what happens in the session.

        Raises:
            ClosedError: The connection is over.
            click.ClickException: The session is.
        """
        async for event in self._client:
            if isinstance(event, SessionEnded):
                raise click.ClickException(f"the session is over: {event.reason}")
            if not self._is_ours(event) and not self._is_shown(event):
                self._transcript.show(event)
            self._follow(event)

    async def run_inquiries(self) -> None:
        """Ask the gateway whether our turn still goes on, whenever what would have told is missing."""
        async for turn in self._doubts:
            await turn.taken.wait()  # until then it has no run to ask for
            with suppress(
                ClientError
            ):  # `run_display` hears of an end; of all else there will be doubt again
                status = await self._client.command("status")
                if status["run_id"] != turn.run_id and not status["queued"]:
                    turn.gone_at = status["last_seq"]
                    self._notice_loss(turn)

    def interrupt(self, nursery: trio.Nursery) -> bool:
        """Have a task of *nursery* abort the turn; False: there is none, or it is being aborted already."""
        turn = self._turn
        if turn is None or turn.is_aborting:
            return False
        turn.is_aborting = True
        nursery.start_soon(self._abort, turn)
        return True

    async def _send(self, line: str, chat_id: str) -> ChatAccepted:
        is_told = False
        while True:
            try:
                return await self._client.chat(line, chat_id=chat_id)
            except RefusedError as error:
                if not self._is_patient or not error.retryable:
                    raise
                if not is_told:
                    self._transcript.note(f"[waiting: {error}]")
                is_told = True
                await trio.sleep(error.retry_after or _PAUSE)

    async def _abort(self, turn: _Turn) -> None:
        await turn.begun.wait()
        try:
            await self._client.command("session.abort", {"run_id": turn.run_id})
        except ClientError as error:
            self._transcript.note(str(error))

    def _is_ours(self, event: ClientEvent) -> bool:
        """Is it our own line, which stands on the screen already?"""
        return isinstance(event, UserMessage) and self._turn is not None and event.id == self._turn.chat_id

    def _is_shown(self, event: ClientEvent) -> bool:
        """Was it shown before, as a part of the history?"""
        return (
            isinstance(event, SessionEvent)
            and event.channel is None
            and (event.seq or math.inf) <= self._shown
        )

    def _follow(self, event: ClientEvent) -> None:
        self._seen = _seen(event, self._seen)
        if isinstance(event, Connected) and not event.resumed:
            self._shown = 0  # it is another log
        turn = self._turn
        if turn is None:
            return
        match event:
            case UserMessage(id=chat_id) if chat_id == turn.chat_id:
                turn.run_id = event.run_id
                turn.begun.set()
            case AgentComplete(run_id=str(run_id)) | Error(run_id=str(run_id)) if run_id == turn.run_id:
                self.has_failed = self.has_failed or isinstance(event, Error)
                turn.over.set()
            case Gap(channel=None):
                self.has_failed = True
                self._doubt(turn)
            case Connected(resumed=False):
                self._doubt(turn)
            case AgentComplete() | Error() if turn.is_doubtful:
                self._doubt(turn)  # what ran before ours is over
            case _:
                pass
        self._notice_loss(turn)

    def _doubt(self, turn: _Turn) -> None:
        turn.is_doubtful = True
        turn.gone_at = None
        with suppress(trio.WouldBlock):  # the last doubt has not been looked into yet
            self._doubts_send.send_nowait(turn)

    def _notice_loss(self, turn: _Turn) -> None:
        if turn.gone_at is not None and self._seen >= turn.gone_at and not turn.over.is_set():
            self._fail("[the rest of the answer is lost]")
            turn.over.set()

    def _fail(self, text: str) -> None:
        self.has_failed = True
        self._transcript.note(text)


def _seen(event: ClientEvent, before: int) -> int:
    """The place in the session's log that *event* leads to from *before*."""
    match event:
        case SessionEvent(seq=int(seq), channel=None):
            return seq
        case Gap(channel=None, earliest=earliest):
            return earliest - 1
        case Connected(resumed=False, last_seq=last_seq):
            return last_seq or 0
        case _:
            return before
