"""Ports that a gateway can come back to."""

from __future__ import annotations

import random
import socket


def free_port(rng: random.Random) -> int:
    """A port that stays free between two lives: the system gives those above to outgoing connections."""
    while True:
        port = rng.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
