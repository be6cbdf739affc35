"""Who speaks, and what they may do: pure values that the server alone makes."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs


class Scope(enum.StrEnum):
    """What a principal may do; granted by the server, whatever a client claims."""

    CHAT = "chat"
    SESSIONS_READ = "sessions:read"
    SESSIONS_WRITE = "sessions:write"
    CHANNELS = "channels"
    BROADCAST = "broadcast"
    METRICS = "metrics"
    ADMIN = "admin"
    """Everything, and every session, whoever it belongs to."""


class Family(enum.StrEnum):
    """The kinds of logs that a connection may be allowed to hear, each as a whole."""

    SESSION = "session"
    CHANNEL = "channel"
    BROADCAST = "broadcast"


FAMILY_SCOPES: Mapping[Family, frozenset[Scope]] = {
    Family.SESSION: frozenset({Scope.CHAT, Scope.SESSIONS_READ}),
    Family.CHANNEL: frozenset({Scope.CHANNELS}),
    Family.BROADCAST: frozenset(Scope) - {Scope.METRICS},
}
"""Family → the scopes of which one is enough to hear it; others are heard by `admin` alone."""


@attrs.frozen
class Quotas:
    """What one principal is held to; None: what the gateway's settings say for all, 0: no limit."""

    message_rate: float | None = None
    """Messages a second, over all its connections."""
    max_sessions: int | None = None
    max_channels: int | None = None
    max_queued_chats: int | None = None
    """Over all its sessions."""


@attrs.frozen
class Principal:
    """Who speaks: the owner of the sessions that it makes."""

    user_id: str
    scopes: frozenset[Scope] = frozenset()
    """Without any, nothing is allowed."""
    expires_at: float | None = None
    """Unix seconds; from then on it is nobody."""
    quotas: Quotas = Quotas()
    token_id: str | None = None
    """The public name of the token that it has shown, where there is one."""
    token_digest: str | None = attrs.field(default=None, repr=False)
    """What tells that token from the one that it was rotated into."""

    @property
    def is_operator(self) -> bool:
        """Does it see every session? So do the embedding program, and who holds the gateway's one token."""
        return Scope.ADMIN in self.scopes

    def may(self, scopes: frozenset[Scope]) -> bool:
        """Has it one of *scopes*? An operator has all."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(scopes)

    def hears(self, family: Family) -> bool:
        """May it be sent what is in logs of *family*?"""
        return self.may(FAMILY_SCOPES.get(family, frozenset()))

    def owns(self, user_id: str | None) -> bool:
        """Does what belongs to *user_id* (None: to nobody) belong to this principal, too?"""
        return self.is_operator or self.user_id == user_id


LOCAL = Principal("local", frozenset(Scope))
"""The embedding program, who holds the gateway's one token, and anybody where nothing is asked."""


@attrs.frozen
class Credentials:
    """What a client shows of itself; never logged as a whole."""

    token: str | None = attrs.field(default=None, repr=False)
    """From the first message, the header `Authorization: Bearer`, or the subprotocol `bamboo.bearer.…`."""
    address: str = ""
    """Whence: an IP address, or `unix`."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Of the request, by their names in lower case."""
