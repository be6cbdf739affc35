"""Many clients of one server, driven by one thread."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from .client import Client
from .speech import PLAIN, Speech

STALL_TIMEOUT = 30.0
"""Seconds without one message: something has broken, and to wait on would hide it."""

MANY = 64
"""Clients that connect at a time: fewer than the shortest queue of a listening socket among the peers."""


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
            for client in _wait(self._selector, f"{count} messages"):
                count -= sum(on_message(client, message) for message in client.read())


@contextmanager
def open_crowd(
    port: int, connections: int, *, speech: Speech = PLAIN, many: int = MANY, **connect: Any
) -> Iterator[Crowd]:
    """Connect *connections* clients, *many* at a time, which say *connect*; hang up at the end."""
    with open_crowd_of(port, [connect] * connections, speech=speech, many=many) as crowd:
        yield crowd


@contextmanager
def open_crowd_of(
    port: int, connects: Iterable[Mapping[str, Any]], *, speech: Speech = PLAIN, many: int = MANY
) -> Iterator[Crowd]:
    """Connect one client for each of *connects*, and in their order."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        waiting = stack.enter_context(selectors.DefaultSelector())
        clients: list[Client] = []

        def wait_for(most: int) -> None:
            while len(waiting.get_map()) > most:
                for client in _wait(waiting, "answers to connect"):
                    if client.go_on():
                        waiting.unregister(client.socket)
                        selector.register(client.socket, selectors.EVENT_READ, client)

        for connect in connects:
            wait_for(many - 1)
            client = Client(port, speech, patient=False, **connect)
            stack.enter_context(client.socket)
            clients.append(client)
            waiting.register(client.socket, selectors.EVENT_READ, client)
        wait_for(0)
        yield Crowd(clients, selector)


def _wait(selector: selectors.BaseSelector, what: str) -> Iterator[Client]:
    """Yield the clients that something has come for."""
    ready = selector.select(STALL_TIMEOUT)
    if not ready:
        raise TimeoutError(f"{what} are missing")
    for key, _ in ready:
        yield key.data
