"""One person's talk with the agent of a session: what was said, and whether the answer is complete."""

from __future__ import annotations

import uuid

import attrs
import click
import trio

from ..client import Client, ClientError, RefusedError
from ..protocol.messages import AgentComplete, Error, GatewayEvent, SessionEnded, UserMessage
from .transcript import Transcript


@attrs.define(eq=False)
class _Turn:
    """A chat that was sent, until its answer is complete."""

    chat_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    run_id: str | None = None
    begun: trio.Event = attrs.field(factory=trio.Event)
    over: trio.Event = attrs.field(factory=trio.Event)
    is_aborting: bool = False


class Conversation:
    """
    Says lines and shows events.

    Invariant: at most one turn of ours is under way; it is known by its chat's
    id before the first of its events can come.
    """

    def __init__(self, client: Client, transcript: Transcript) -> None:
        self.has_failed = False
        """Has any line been refused, or its turn ended in an error?"""
        self._client = client
        self._transcript = transcript
        self._turn: _Turn | None = None

    @property
    def is_waiting(self) -> bool:
        """Is a turn of ours under way?"""
        return self._turn is not None

    async def say(self, line: str) -> None:
        """
        Send *line*, and wait until the agent has answered.

        Raises:
            ClientError: The connection is over, or the gateway does not answer.
        """
        self._turn = turn = _Turn()
        try:
            await self._client.chat(line, chat_id=turn.chat_id)
            await turn.over.wait()
        except RefusedError as error:
            self._transcript.note(str(error))
            self.has_failed = True
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
            if not self._is_ours(event):
                self._transcript.show(event)
            self._follow(event)

    def interrupt(self, nursery: trio.Nursery) -> bool:
        """Have a task of *nursery* abort the turn; False: there is none, or it is being aborted already."""
        turn = self._turn
        if turn is None or turn.is_aborting:
            return False
        turn.is_aborting = True
        nursery.start_soon(self._abort, turn)
        return True

    async def _abort(self, turn: _Turn) -> None:
        await turn.begun.wait()
        try:
            await self._client.command("session.abort", {"run_id": turn.run_id})
        except ClientError as error:
            self._transcript.note(str(error))

    def _is_ours(self, event: GatewayEvent) -> bool:
        """Is it our own line, which stands on the screen already?"""
        return isinstance(event, UserMessage) and self._turn is not None and event.id == self._turn.chat_id

    def _follow(self, event: GatewayEvent) -> None:
        turn = self._turn
        if turn is None:
            return
        if isinstance(event, UserMessage) and event.id == turn.chat_id:
            turn.run_id = event.run_id
            turn.begun.set()
        elif (
            isinstance(event, AgentComplete | Error)
            and turn.run_id is not None
            and event.run_id == turn.run_id
        ):
            self.has_failed = self.has_failed or isinstance(event, Error)
            turn.over.set()
