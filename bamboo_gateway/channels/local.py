"""Channels inside the gateway: sessions join, and a message reaches every watcher of every one of them."""

from __future__ import annotations

from ..protocol.messages import ChannelMessage
from ..registry import SessionRegistry
from ..session.requests import SendToChannel


class LocalChannel:
    """The registry's side of a channel: it keeps the log and knows who has joined."""

    def __init__(self, registry: SessionRegistry) -> None:
        self._registry = registry

    async def send(self, message: ChannelMessage) -> None:
        """
        Append *message* to the channel that it names.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`, `SESSION_NOT_FOUND`, or `NOT_A_MEMBER`.
        """
        await self._registry.ask(SendToChannel(message))
