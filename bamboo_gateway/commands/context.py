"""What a command can reach for its caller: the registry, the channels and the gateway's own report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeVar

import attrs

from ..channel_manager import ChannelManager
from ..histogram import HistogramSnapshot
from ..principal import Principal
from ..protocol.messages import ClientInfo, Limits
from ..registry import SessionRegistry
from ..session.requests import Caller, Request
from ..session_catalog import SessionCatalog

ReplyT = TypeVar("ReplyT")


class GatewayReport(Protocol):
    """What the gateway says of itself."""

    @property
    def version(self) -> str:
        """Of the package."""
        ...

    @property
    def started_at(self) -> float:
        """Unix seconds."""
        ...

    @property
    def limits(self) -> Limits:
        """What clients are held to."""
        ...

    def statistics(self) -> object:
        """Its statistics, as attrs values."""
        ...

    def histograms(self) -> Mapping[str, HistogramSnapshot]:
        """How long things took since its start, in seconds, by name."""
        ...


class Reauthenticate(Protocol):
    """Gives a connection another principal of the same user."""

    async def __call__(self, connection_id: str | None, token: str, /) -> Principal:
        """
        Let the connection go on as whoever *token* belongs to.

        Raises:
            GatewayError: That will not do; all stays as it was.
        """
        ...


@attrs.frozen
class ConnectionInfo:
    """A connection whose `connect` was accepted."""

    connection_id: str
    user_id: str
    """Whose it is."""
    session_id: str | None
    """The session that it was last connected to."""
    protocol: int
    client: ClientInfo | None
    """What it says of itself."""
    address: str
    """Whence it came: an IP address, or `unix`; empty: unknown."""
    connected_at: int
    """Unix milliseconds: its last `connect`."""
    state: Literal["live", "behind"]
    """Has it all that was said, or is it catching up?"""
    waiting_bytes: int
    """What its socket has yet to take, of what was given to it."""


class ListConnections(Protocol):
    """Tells who is connected."""

    def __call__(self, after: int, limit: int, /) -> tuple[Sequence[ConnectionInfo], int | None]:
        """At most *limit* connections behind number *after*, oldest first; and the next *after*, if any."""
        ...


@attrs.frozen
class Services:
    """The parts of the gateway that commands use."""

    registry: SessionRegistry
    catalog: SessionCatalog
    channels: ChannelManager
    report: GatewayReport
    reauthenticate: Reauthenticate
    list_connections: ListConnections


@attrs.frozen
class CommandContext:
    """One command's caller, and the session that it names outside its arguments."""

    services: Services
    caller: Caller
    session_id: str | None

    def session(self, argument: str | None) -> str | None:
        """The session meant: by the arguments, by the message, or (None) the connection's own."""
        return argument if argument is not None else self.session_id

    async def ask(self, request: Request[ReplyT]) -> ReplyT:
        """
        Ask the registry.

        Raises:
            GatewayError: It refused.
        """
        return await self.services.registry.ask(request)
