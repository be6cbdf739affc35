"""The command on all connections: its arguments, its result, and how it is carried out."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from attrs.validators import ge, le

from .context import CommandContext, ConnectionInfo
from .session import MAX_PAGE


@attrs.frozen
class ConnectionArgs:
    """Which page."""

    limit: int = attrs.field(default=50, validator=[ge(1), le(MAX_PAGE)])
    after: int = attrs.field(default=0, validator=ge(0))
    """`next` of the page before; 0: from the oldest on."""


@attrs.frozen
class ConnectionList:
    """Connections, oldest first."""

    connections: Sequence[ConnectionInfo]
    next: int | None
    """`after` for the next page; null: this is the last."""


async def list_connections(context: CommandContext, args: ConnectionArgs) -> ConnectionList:
    """Answer `connection.list`."""
    return ConnectionList(*context.services.list_connections(args.after, args.limit))
