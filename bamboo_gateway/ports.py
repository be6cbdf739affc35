"""
The seams where something else can be plugged in: agents, outside channels, storage.

A `Protocol` stands here only where two implementations exist. Each has one
contract suite under `tests/contracts` that every adapter runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .protocol.messages import ChannelMessage, Json, TokenUsage
from .session.effects import Change
from .session.session import Session
from .turn import Turn


class Agent(Protocol):
    """An agent is one async function: it is called once a turn and streams its answer through the turn."""

    async def __call__(self, turn: Turn, /) -> TokenUsage | None:
        """
        Answer `turn.message`.

        Cancelled when the turn is aborted. An exception becomes one
        `error{AGENT_ERROR}`; its text is shown to the client only when it is an
        `AgentError`.

        Returns:
            What the turn has cost; None counts as nothing.
        """
        ...


@runtime_checkable
class ToolAgent(Protocol):
    """An agent that also answers commands which the gateway does not know."""

    async def call_tool(self, name: str, args: Json, /) -> Json:
        """
        Run the tool *name*.

        Raises:
            UnknownToolError: There is no such tool.
            AgentError: It failed; the text is shown to the client.
        """
        ...


class Channel(Protocol):
    """A place outside the gateway that messages are sent to (a chat service, a queue, a log)."""

    async def send(self, message: ChannelMessage, /) -> None:
        """
        Pass *message* on.

        An exception becomes `error{CHANNEL_ERROR}` for the sender. What comes
        *from* such a place is given to `gateway.channels.publish`.
        """
        ...


class SessionStorage(Protocol):
    """Where sessions outlive the process."""

    async def load(self) -> Sequence[Session]:
        """Every session that `commit` has saved and not dropped, oldest first."""
        ...

    async def commit(self, changes: Sequence[Change], /) -> None:
        """Make *changes* durable, in order, all or none. Called by one task at a time."""
        ...

    async def aclose(self) -> None:
        """Let go of what it holds; nothing is called after this."""
        ...
