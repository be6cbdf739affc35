"""What bounds sessions, and all of them together."""

from __future__ import annotations

import attrs

from ..protocol.messages import Limits
from .log import LogLimits
from .outcomes import OutcomeLimits


@attrs.frozen
class SessionLimits:
    """What bounds each session."""

    log: LogLimits
    history_bytes: int
    """Of the newest part of the conversation, which is in memory."""
    outcomes: OutcomeLimits


@attrs.frozen
class TableLimits:
    """What bounds the table."""

    session: SessionLimits
    total_log_bytes: int
    """Of all logs in memory together."""
    max_sessions: int
    max_channels: int
    max_queued_chats: int
    wire: Limits
    """What `connected` tells of it."""
