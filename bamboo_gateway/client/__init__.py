"""The client's side of a gateway: `connect`, and the errors that it can run into."""

from .client import Client, connect
from .errors import ClientError, ClosedError, ConnectError, NoReplyError, RefusedError
from .limits import ClientLimits

__all__ = [
    "Client",
    "ClientError",
    "ClientLimits",
    "ClosedError",
    "ConnectError",
    "NoReplyError",
    "RefusedError",
    "connect",
]
