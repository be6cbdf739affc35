"""How long a client waits and how much it holds."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class ClientLimits:
    """The bounds of one client; all have a default."""

    connect_timeout: float = 10.0
    """Seconds from the look-up of the host to the gateway's answer to `connect`, each time."""
    reply_timeout: float = 60.0
    """
    Seconds that a chat or a command may take to be answered: more than a gateway gives a tool of its agent,
    and more than one takes to drain (30 s) and to be back. Those without a connection count, too.
    """
    heartbeat_interval: float = 40.0
    """Seconds without a byte until the client pings: a gateway's own pings (30 s) come first, as a rule."""
    heartbeat_timeout: float = 10.0
    """Seconds that the gateway has to answer that ping; then the connection counts as broken."""
    max_message_bytes: int = 16 * 1024 * 1024
    """Size of one message from the gateway: room for a whole history in one answer."""
    max_buffered_bytes: int = 16 * 1024 * 1024
    """Size of the events that may wait to be read."""
