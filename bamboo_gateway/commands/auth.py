"""The command on a connection's own identity: its arguments, its result, and how it is carried out."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..session.live import milliseconds
from ..token_record import scope_names
from .context import CommandContext


@attrs.frozen
class RefreshArgs:
    """The new token."""

    auth: str = attrs.field(repr=False)
    """Of the same user; the connection keeps what it had if it is not."""


@attrs.frozen
class Identity:
    """Who this connection is."""

    user_id: str
    scopes: Sequence[str]
    expires_at: int | None
    """Unix milliseconds: when the connection closes (4006); null: never."""


async def refresh(context: CommandContext, args: RefreshArgs) -> Identity:
    """Answer `auth.refresh`."""
    principal = await context.services.reauthenticate(context.caller.connection_id, args.auth)
    expires_at = None if principal.expires_at is None else milliseconds(principal.expires_at)
    return Identity(principal.user_id, scope_names(principal.scopes), expires_at)
