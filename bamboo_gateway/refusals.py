"""Who was turned away at the door, and why; and whose messages came too fast."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import attrs


class HandshakeFailure(enum.StrEnum):
    """Why a socket became no connection; a closed set, for each is the label of a metric."""

    TLS = "tls"
    TIMEOUT = "timeout"
    GONE = "gone"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    ORIGIN = "origin"
    UNAUTHORIZED = "unauthorized"
    LOCKED_OUT = "locked_out"
    FULL = "full"
    STOPPING = "stopping"


HANDSHAKE_FAILURES: Mapping[HandshakeFailure, str] = {
    HandshakeFailure.TLS: "The TLS handshake failed.",
    HandshakeFailure.TIMEOUT: "The request was not there in time.",
    HandshakeFailure.GONE: "The client went away before it was answered.",
    HandshakeFailure.MALFORMED: "The request is no WebSocket upgrade and nothing else that is understood.",
    HandshakeFailure.TOO_LARGE: "The request's head has too many bytes or headers.",
    HandshakeFailure.ORIGIN: "A web page of a foreign origin.",
    HandshakeFailure.UNAUTHORIZED: "The token in a header is wrong.",
    HandshakeFailure.LOCKED_OUT: "Too many wrong tokens came from its address.",
    HandshakeFailure.FULL: "The gateway, or its share for one address, is full.",
    HandshakeFailure.STOPPING: "The gateway stops.",
}
"""What each means."""

Bound: TypeAlias = Literal["connection", "principal"]
"""Whose messages a second are limited."""

BOUNDS: tuple[Bound, ...] = get_args(Bound)


@attrs.frozen
class RefusalStatistics:
    """How many were refused since the start."""

    handshakes: dict[HandshakeFailure, int]
    """By reason."""
    rate_limited: dict[Bound, int]
    """Messages, by the limit that they exceeded."""


class Refusals:
    """Counts who was refused; every reason has its number from the start."""

    def __init__(self) -> None:
        self._handshakes: Counter[HandshakeFailure] = Counter()
        self._rate_limited: Counter[Bound] = Counter()

    def count_handshake(self, reason: HandshakeFailure) -> None:
        """One more socket became no connection."""
        self._handshakes[reason] += 1

    def count_rate_limited(self, bound: Bound) -> None:
        """One more message came too fast for its connection, or for all of its principal's together."""
        self._rate_limited[bound] += 1

    def statistics(self) -> RefusalStatistics:
        """Count them."""
        return RefusalStatistics(
            {reason: self._handshakes[reason] for reason in HandshakeFailure},
            {bound: self._rate_limited[bound] for bound in BOUNDS},
        )
