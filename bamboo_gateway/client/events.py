"""What comes out of a client: the gateway's events, and what the client itself has to say between them."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from ..protocol.messages import GatewayEvent


@attrs.frozen
class Disconnected:
    """
    The connection is lost, and the client tries to come back.

    Once it has, `Connected` follows, and then what was missed. If it cannot, the
    iteration ends with a `ClosedError`.
    """

    code: int
    """The close code; 1006 where the connection broke without a word."""
    reason: str
    """What was said of it, or what broke; may be empty."""


ClientEvent: TypeAlias = GatewayEvent | Disconnected
"""What an iteration over a client yields."""
