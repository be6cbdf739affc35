"""Which family each event belongs to, so that a connection is sent only what its principal may hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..principal import Family
from ..protocol import messages
from ..protocol.messages import GatewayEvent
from .log import BROADCAST, Log
from .session import ConnectionHandle


def family_of_log(channel: str | None) -> Family:
    """The family of a log by the name of its channel; None: it is a session's."""
    if channel is None:
        return Family.SESSION
    return Family.BROADCAST if channel == BROADCAST else Family.CHANNEL


def _anybody(event: Any) -> Family | None:
    """It answers, or tells a connection of itself."""
    return None


def _session(event: Any) -> Family | None:
    return Family.SESSION


def _log(event: Any) -> Family | None:
    """It stands in a log, or speaks of one."""
    return family_of_log(event.channel)


def _answer_or_entry(event: Any) -> Family | None:
    return None if event.seq is None else family_of_log(event.channel)


EVENT_FAMILIES: Mapping[type, Callable[[Any], Family | None]] = {
    messages.Connected: _anybody,
    messages.AgentToken: _log,
    messages.AgentToolStart: _log,
    messages.AgentToolComplete: _log,
    messages.AgentComplete: _log,
    messages.Error: _answer_or_entry,
    messages.Pong: _anybody,
    messages.ChatAccepted: _anybody,
    messages.AgentStart: _log,
    messages.UserMessage: _log,
    messages.CommandResult: _anybody,
    messages.ChannelMessage: _log,
    messages.Gap: _log,
    messages.SessionEnded: _anybody,
    messages.Presence: _session,
    messages.Shutdown: _anybody,
}
"""Class of an event → its family; None: whoever is connected may be sent it."""


def may_be_sent(event: GatewayEvent, connection: ConnectionHandle) -> bool:
    """May *connection* be sent *event*? Of a kind that is in no row, nobody may."""
    find = EVENT_FAMILIES.get(type(event))
    if find is None:
        return False
    family = find(event)
    return family is None or family in connection.hears


def may_follow(log: Log, connection: ConnectionHandle) -> bool:
    """May *connection* be sent what is in *log*?"""
    return family_of_log(log.channel) in connection.hears
