"""What connections need of their gateway."""

from __future__ import annotations

import attrs

from ..channel_manager import ChannelManager
from ..config import GatewayConfig
from ..identity.gatekeeper import Gatekeeper
from ..registry import SessionRegistry
from ..router import MessageRouter
from .pool import ConnectionPool


@attrs.define(eq=False)
class Host:
    """The parts of a gateway behind its connections."""

    config: GatewayConfig
    """Replaced as a whole when the settings are read anew: look here at the moment of use."""
    gatekeeper: Gatekeeper
    pool: ConnectionPool
    registry: SessionRegistry
    router: MessageRouter
    channels: ChannelManager
    is_draining: bool = False
    """Is nobody new let in, because the gateway is about to stop?"""
