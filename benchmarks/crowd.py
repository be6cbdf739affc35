"""Many clients of one server, driven by one thread."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .client import Client

STALL_TIMEOUT = 30.0
"""Seconds without one message: something has broken, and to wait on would hide it."""


class Crowd:
    """Connected clients; `open_crowd` makes them."""

    def __init__(self, clients: list[Client], selector: selectors.BaseSelector) -> None:
        self.clients = clients
        self._selector = selector

    def receive(self, count: int, on_message: Callable[[Client, bytes], bool]) -> None:
        """
        Read until *on_message*, called with each message, has counted *count* of them by returning True.

        Raises:
            TimeoutError: Nothing came for `STALL_TIMEOUT`.
        """
        while count > 0:
            ready = self._selector.select(STALL_TIMEOUT)
            if not ready:
                raise TimeoutError(f"{count} messages are missing")
            for key, _ in ready:
                client: Client = key.data
                count -= sum(on_message(client, message) for message in client.read())


@contextmanager
def open_crowd(port: int, connections: int, **connect: Any) -> Iterator[Crowd]:
    """Connect *connections* clients, which say *connect*, and hang up when the block is left."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients: list[Client] = []
        for _ in range(connections):
            client = Client(port, **connect)
            stack.enter_context(client.socket)
            selector.register(client.socket, selectors.EVENT_READ, client)
            clients.append(client)
        yield Crowd(clients, selector)
