"""Every client pings, and pings again when the pong has come."""

from __future__ import annotations

from collections import Counter

from ..client import Client
from ..crowd import Crowd
from .workload import Workload

PING = b'{"type":"ping","timestamp":1795415952682}'


def run(crowd: Crowd, repeats: int) -> None:
    """Let each client ping *repeats* times."""
    pongs: Counter[Client] = Counter()

    def answer(client: Client, message: bytes) -> bool:
        assert b'"pong"' in message, message
        pongs[client] += 1
        if pongs[client] < repeats:
            client.send(PING)
        return True

    for client in crowd.clients:
        client.send(PING)
    crowd.receive(len(crowd.clients) * repeats, answer)


WORKLOAD = Workload("ping and pong, one under way for each client", "ping", run)
