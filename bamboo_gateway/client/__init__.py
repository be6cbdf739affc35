"""The client's side of a gateway: `connect`, what comes of it, and the errors that it can run into."""

from .client import Client, connect
from .errors import ClientError, ClosedError, ConnectError, NoReplyError, RefusedError
from .events import ClientEvent, Disconnected
from .limits import ClientLimits
from .link import ClientStatistics
from .reconnect import Reconnect

__all__ = [
    "Client",
    "ClientError",
    "ClientEvent",
    "ClientLimits",
    "ClientStatistics",
    "ClosedError",
    "ConnectError",
    "Disconnected",
    "NoReplyError",
    "Reconnect",
    "RefusedError",
    "connect",
]
