"""The names of the messages on the wire: one table for each direction, in both dialects."""

from __future__ import annotations

import enum

import attrs

from . import messages


class Dialect(enum.StrEnum):
    """How a message names its kind; the first frame of a client decides it for the connection's life."""

    # A StrEnum, because each delivery looks a frame up by its dialect, and a plain Enum hashes in Python.
    TAGGED = "tagged"
    """`{"type":"ping","timestamp":1}`"""
    SERDE = "serde"
    """`{"Ping":{"timestamp":1}}`: what the seed's bare derive means."""


@attrs.frozen
class Tag:
    """The two names of one kind of message."""

    tagged: str
    serde: str

    def name(self, dialect: Dialect) -> str:
        """The name in *dialect*."""
        return self.tagged if dialect is Dialect.TAGGED else self.serde


CLIENT_TAGS: dict[type, Tag] = {
    messages.Connect: Tag("connect", "Connect"),
    messages.Chat: Tag("chat", "Chat"),
    messages.Command: Tag("command", "Command"),
    messages.Ping: Tag("ping", "Ping"),
}
"""Client → gateway."""

EVENT_TAGS: dict[type, Tag] = {
    messages.Connected: Tag("connected", "Connected"),
    messages.AgentToken: Tag("agent_token", "AgentToken"),
    messages.AgentToolStart: Tag("agent_tool_start", "AgentToolStart"),
    messages.AgentToolComplete: Tag("agent_tool_complete", "AgentToolComplete"),
    messages.AgentComplete: Tag("agent_complete", "AgentComplete"),
    messages.Error: Tag("error", "Error"),
    messages.Pong: Tag("pong", "Pong"),
    messages.ChatAccepted: Tag("chat_accepted", "ChatAccepted"),
    messages.AgentStart: Tag("agent_start", "AgentStart"),
    messages.UserMessage: Tag("user_message", "UserMessage"),
    messages.CommandResult: Tag("command_result", "CommandResult"),
    messages.ChannelMessage: Tag("channel_message", "ChannelMessage"),
    messages.Gap: Tag("gap", "Gap"),
    messages.SessionEnded: Tag("session_ended", "SessionEnded"),
    messages.Presence: Tag("presence", "Presence"),
    messages.Shutdown: Tag("shutdown", "Shutdown"),
}
"""Gateway → client."""
