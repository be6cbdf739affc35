"""Which family each event belongs to: the whole table, and what is in none of its rows."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.principal import Family
from bamboo_gateway.protocol.examples import EXAMPLES
from bamboo_gateway.protocol.messages import (
    AgentToken,
    ChannelMessage,
    Error,
    Gap,
    GatewayEvent,
    LoggedEvent,
    Presence,
)
from bamboo_gateway.session.audience import EVENT_FAMILIES, family_of_log, may_be_sent, may_follow
from bamboo_gateway.session.log import BROADCAST, Log
from tests.session.tables import EPOCH, SESSION_LIMITS, handle
