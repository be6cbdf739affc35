"""What a session looks like from outside: the seed's `Session` and `ConnectionHandle`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Literal

import attrs

from ..principal import Family, Principal
from ..protocol.messages import ClientInfo, Json
from .access import Access, SharedAccess, access_of


@attrs.frozen
class ConnectionHandle:
    """
    One connection, as the registry knows it.

    Invariant: an `id` is never used twice, so an old socket's end cannot be
    taken for a newer one's.
    """

    id: str
    user_id: str
    protocol: int = 1
    client: ClientInfo | None = None
    connected_at: float = 0.0
    """Unix seconds."""
    hears: frozenset[Family] = frozenset(Family)
    """What it may be sent; an embedding program's own connections hear all."""


@attrs.frozen
class Session:
    """A snapshot of one session (seed)."""

    id: str
    user_id: str
    created_at: datetime.datetime
    """UTC."""
    last_activity: datetime.datetime
    """UTC: the last chat, event, attach or detach."""
    name: str | None = None
    connections: tuple[ConnectionHandle, ...] = ()
    """Who watches it, in the order in which they came."""
    metadata: Mapping[str, Json] = attrs.field(factory=dict)
    state: Literal["idle", "running"] = "idle"
    run_id: str | None = None
    """The turn that runs."""
    queued: int = 0
    """Chats that wait for their turn."""
    channels: Mapping[str, int] = attrs.field(factory=dict)
    """Those that it has joined: name → number, which no later channel of that name has."""
    shares: Mapping[str, SharedAccess] = attrs.field(factory=dict)
    """User id → what the owner has granted to them."""
    last_seq: int = 0
    epoch: str = ""
    number: int = 0
    """Grows with every session: the order in which they are listed, and the key of what is stored of it."""
    is_temporary: bool = False
    """Does it go with its last watcher? Lists leave it out."""

    @property
    def connection(self) -> ConnectionHandle | None:
        """The newest of the connections (the seed has one)."""
        return self.connections[-1] if self.connections else None

    def access(self, principal: Principal) -> Access | None:
        """What *principal* may do with it; None: to them its id is unknown."""
        return access_of(principal, self.user_id, self.shares)
