"""Why sockets come to nothing before there is a connection: the one table of reasons."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class HandshakeFailure(enum.StrEnum):
    """Why a socket came to nothing; a closed set, for each is the label of a metric."""

    TLS = "tls"
    TIMEOUT = "timeout"
    GONE = "gone"
    HEAD = "head"
    HTTP = "http"
    UPGRADE = "upgrade"
    ORIGIN = "origin"
    UNAUTHORIZED = "unauthorized"
    RATE_LIMITED = "rate_limited"
    FORBIDDEN = "forbidden"
    CAPACITY = "capacity"
    DRAINING = "draining"
    FAILED = "failed"


HANDSHAKE_FAILURES: Mapping[HandshakeFailure, str] = {
    HandshakeFailure.TLS: "It spoke no TLS, or none that was accepted.",
    HandshakeFailure.TIMEOUT: "The request was not there in time, or its answer was not taken.",
    HandshakeFailure.GONE: "The client went away before it was answered.",
    HandshakeFailure.HEAD: "The request is no HTTP/1.1, or its head has too many bytes or headers.",
    HandshakeFailure.HTTP: "It asked for a path or a method that there is not.",
    HandshakeFailure.UPGRADE: "It is no upgrade to WebSocket as RFC 6455 has it.",
    HandshakeFailure.ORIGIN: "A web page of a foreign origin.",
    HandshakeFailure.UNAUTHORIZED: "The token in a header is wrong.",
    HandshakeFailure.RATE_LIMITED: "Too many wrong tokens came from its address.",
    HandshakeFailure.FORBIDDEN: "The token has not the scope for what it asked for.",
    HandshakeFailure.CAPACITY: "The gateway, or the share of one address, is full.",
    HandshakeFailure.DRAINING: "The gateway is about to stop.",
    HandshakeFailure.FAILED: "A bug; the log has the traceback.",
}
"""What each means."""
