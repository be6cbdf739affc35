"""The command that speaks to everybody: its arguments, its result, and how it is carried out."""

from __future__ import annotations

import attrs

from ..idempotency import Operation
from ..protocol.messages import ChannelMessage, Json
from ..session.log import BROADCAST
from ..session.requests import BroadcastEvent
from .context import CommandContext


@attrs.frozen
class BroadcastArgs:
    """What everybody shall read."""

    content: str
    metadata: dict[str, Json] | None = None


@attrs.frozen
class BroadcastSent:
    """Where it stands."""

    seq: int
    """Its place in the log of broadcasts."""


async def broadcast(context: CommandContext, args: BroadcastArgs) -> Operation:
    """Answer `broadcast`; the message names its sender, and not the session that it was sent from."""
    user_id = context.caller.principal.user_id
    message = ChannelMessage(BROADCAST, args.content, user_id=user_id, metadata=args.metadata)
    return Operation(BroadcastEvent(message), BroadcastSent)
