"""How long a client waits and how much it holds."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class ClientLimits:
    """The bounds of one connection; all have a default."""

    connect_timeout: float = 10.0
    """Seconds from the look-up of the host to the gateway's answer to `connect`."""
    reply_timeout: float = 30.0
    """Seconds that the gateway has to answer a chat or a command: more than it gives a tool of its agent."""
    max_message_bytes: int = 16 * 1024 * 1024
    """Size of one message from the gateway: room for a whole history in one answer."""
    max_buffered_bytes: int = 16 * 1024 * 1024
    """Size of the events that may wait to be read."""
