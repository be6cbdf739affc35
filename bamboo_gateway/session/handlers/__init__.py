"""What each request does: a function of the state, one module for each noun."""

from __future__ import annotations

from . import channels, connections, events, once, sessions, turns
from .state import Handlers

HANDLERS: Handlers = {
    **sessions.HANDLERS,
    **connections.HANDLERS,
    **events.HANDLERS,
    **turns.HANDLERS,
    **channels.HANDLERS,
    **once.HANDLERS,
}
"""Of every kind of request."""
