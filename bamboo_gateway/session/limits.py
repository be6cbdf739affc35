"""What bounds the table: all sessions, each one, and each principal."""

from __future__ import annotations

import attrs

from ..principal import Principal, Quotas
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
    quotas: Quotas
    """What each principal is held to that has no quota of its own; None or 0: nothing."""
    wire: Limits
    """What `connected` tells of it."""

    def quotas_of(self, principal: Principal) -> Quotas:
        """What *principal* is held to; None: nothing. An operator is held to nothing at all."""
        if principal.is_operator:
            return Quotas()
        own, usual = principal.quotas, self.quotas
        return Quotas(
            max_sessions=_nearest(own.max_sessions, usual.max_sessions),
            max_channels=_nearest(own.max_channels, usual.max_channels),
            max_queued_chats=_nearest(own.max_queued_chats, usual.max_queued_chats),
        )


def _nearest(own: int | None, usual: int | None) -> int | None:
    """One's own limit goes before the usual one; 0, in either, is none."""
    return (usual if own is None else own) or None
