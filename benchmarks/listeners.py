"""Watchers of streams, which time each token on its way."""

from __future__ import annotations

import re
import selectors
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import quantiles

import attrs

from .client import MAX_RECEIVE_BYTES, Client
from .crowd import STALL_TIMEOUT, open_crowd
from .server import Server

_TOKEN = re.compile(rb'"token":"([0-9]+) ')
_END = b'"type":"agent_complete"'


@attrs.frozen
class Answers:
    """What all sessions together were answered."""

    seconds: float
    """From the first chat to the last answer's end."""
    cpu: float
    """Seconds of the server's."""
    latencies: Sequence[int]
    """Nanoseconds from each token's being said to its being read here."""
    load: float
    """The share of one core that it took to read: where it nears 1, latencies are this process's own."""

    def percentile(self, percent: int) -> float:
        """Milliseconds within which so many percent of the tokens came."""
        return quantiles(self.latencies, n=100)[percent - 1] / 1e6


@attrs.frozen
class Sessions:
    """Sessions of one server, each with one listener."""

    server: Server
    clients: Sequence[Client]

    def ask(self, count: int, interval: float = 0.0, *, silently: bool = False) -> Answers:
        """Have each session's agent say *count* tokens, *interval* seconds apart; listen to all at once."""
        before = self.server.cpu_time()
        content = f"{count} {interval}" + " silent" * silently
        seconds, latencies, load = _ask_all(self.clients, content)
        expected = 0 if silently else count * len(self.clients)
        assert len(latencies) == expected, f"{len(latencies)} tokens have come, and not {expected}"
        return Answers(seconds, self.server.cpu_time() - before, latencies, load)


@contextmanager
def open_sessions(server: Server, sessions: int) -> Iterator[Sessions]:
    """Connect, and have each agent say something, for whatever is done only once."""
    # What comes late comes as it was, too, and not with its neighbours joined: it is counted.
    with open_crowd(server.port, sessions, protocol=2, replay="exact") as crowd:
        opened = Sessions(server, crowd.clients)
        opened.ask(1)
        yield opened


class Audience:
    """Listeners of one server, which all hear what is broadcast; `open_audience` makes them."""

    def __init__(self, clients: Sequence[Client], selector: selectors.BaseSelector) -> None:
        self.clients = clients
        self._selector = selector
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, Listener(client))

    def push(self, events: int, interval: float = 0.0) -> Sequence[int]:
        """Have so many *events* broadcast, *interval* seconds apart; returns all deliveries' times."""
        latencies: list[int] = []
        args = {"events": events, "interval": interval}
        self.clients[0].say(type="command", name="emit", args=args)
        while (missing := events * len(self.clients) - len(latencies)) > 0:
            ready = self._selector.select(STALL_TIMEOUT)
            if not ready:
                raise TimeoutError(f"{missing} events have not come")
            for key, _ in ready:
                key.data.read(latencies)
        return latencies


@contextmanager
def open_audience(port: int, connections: int) -> Iterator[Audience]:
    """Connect."""
    with open_crowd(port, connections, protocol=2) as crowd, selectors.DefaultSelector() as selector:
        audience = Audience(crowd.clients, selector)
        audience.push(1)  # once for whatever is done only once
        yield audience


class Listener:
    """
    One session's watcher.

    It reads no frames, but looks for what it wants in what comes, for its own work would count as delay.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.socket = client.socket
        self._rest = b"".join(client.taken())

    def chat(self, content: str) -> None:
        """Ask."""
        self.client.say(type="chat", session_id=self.client.connected["session_id"], content=content)

    def read(self, latencies: list[int]) -> bool:
        """Receive once, and time what has come; returns whether the answer has ended."""
        data = self.socket.recv(MAX_RECEIVE_BYTES)
        now = time.monotonic_ns()
        if not data:
            raise ConnectionError("the server hung up")
        data = self._rest + data
        end = 0
        for token in _TOKEN.finditer(data):
            latencies.append(now - int(token[1]))
            end = token.end()
        has_ended = data.find(_END, end) >= 0
        self._rest = b"" if has_ended else data[end:]
        return has_ended


def _ask_all(clients: Sequence[Client], content: str) -> tuple[float, Sequence[int], float]:
    latencies: list[int] = []
    with selectors.DefaultSelector() as selector:
        listeners = [Listener(client) for client in clients]
        for listener in listeners:
            selector.register(listener.socket, selectors.EVENT_READ, listener)
        started, used = time.monotonic(), time.process_time()
        for listener in listeners:
            listener.chat(content)
        _read(selector, len(listeners), latencies)
        seconds = time.monotonic() - started
        return seconds, latencies, (time.process_time() - used) / seconds


def _read(selector: selectors.BaseSelector, missing: int, latencies: list[int]) -> None:
    while missing:
        ready = selector.select(STALL_TIMEOUT)
        if not ready:
            raise TimeoutError(f"{missing} answers have not ended")
        for key, _ in ready:
            missing -= key.data.read(latencies)
