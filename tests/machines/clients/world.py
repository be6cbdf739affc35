"""A gateway with a scripted agent, as the guest of a state machine, and the sockets that lead to it."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway import AgentError, Gateway, GatewayConfig, Turn
from tests.machines.clients.model import LOG_EVENTS, MAX_QUEUED, token
from tests.machines.harness import TrioGuest

MAX_CONNECTIONS = 5
TOKEN = "sesame"

SOCKET_BYTES = 4096
"""Of the gateway's side: a client that does not read is soon behind."""

ResultT = TypeVar("ResultT")

CONFIG = GatewayConfig(
    bind="127.0.0.1:0",
    auth_token=TOKEN,
    max_connections=MAX_CONNECTIONS,
    max_unauthenticated_per_address=0,
    max_queued_chats=MAX_QUEUED,
    log_max_events=LOG_EVENTS,
    log_max_bytes=2**30,
)
"""The time-outs are the defaults: here, time passes in no time."""


class ScriptedAgent:
    """Does what the letters of a chat tell it; see `model.Run`."""

    def __init__(self) -> None:
        self._held: dict[str, trio.Event] = {}

    async def __call__(self, turn: Turn) -> None:
        """Answer one chat."""
        for position, step in enumerate(turn.message.content):
            match step:
                case "h":
                    await self._hold(turn.session.id)
                case "H":
                    async with turn.tool("tool"):
                        await self._hold(turn.session.id)
                case "T":
                    async with turn.tool("tool"):
                        pass
                case "x":
                    raise AgentError("as it was told")
                case _:
                    await turn.token(token(step, turn.message.id or "", position))

    def release(self, session_id: str) -> None:
        """Let the turn of a session go on."""
        self._held.pop(session_id).set()

    async def _hold(self, session_id: str) -> None:
        self._held[session_id] = trio.Event()
        await self._held[session_id].wait()


class World:
    """
    The gateway and the tasks that serve its clients.

    Invariant: when a call has returned, nothing is left to do before a client
    says or reads something or time passes.
    """

    def __init__(self) -> None:
        self.agent = ScriptedAgent()
        self.gateway = Gateway(CONFIG, agent=self.agent)
        self.epoch = ""
        """Of all logs; a client need not have read of it."""
        self._guest = TrioGuest()
        self._streams = self._guest.run(self._start)

    def call(self, function: Callable[..., Awaitable[ResultT]], *args: Any) -> ResultT:
        """Call an async function, and wait for all that comes of it."""
        result = self._guest.run(function, *args)
        self.settle()
        return result

    def settle(self) -> None:
        """Wait until every task waits."""
        self._guest.run(wait_all_tasks_blocked)

    def dial(self, *, in_place: bool) -> socket.socket:
        """
        Open a connection; return the client's end.

        Unless *in_place*, the gateway's end shows no file descriptor, as one with
        TLS would not.
        """
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        self._guest.run(self._serve, theirs, in_place)
        self.settle()
        return ours

    def stop_serving(self) -> None:
        """Stop what serves the clients, as who stops a gateway does."""
        self._guest.run(self._cancel_streams)

    def close(self) -> None:
        """Stop the gateway."""
        try:
            self._guest.run(self.gateway.stop)
        finally:
            self._guest.close()

    async def _start(self) -> trio.Nursery:
        nursery = self._guest.nursery
        await nursery.start(self.gateway.serve)
        await self.gateway.channels.create("a")
        await self.gateway.channels.create("b")
        first = await self.gateway.sessions.create("nobody")
        await self.gateway.sessions.delete(first.id)
        self.epoch = first.epoch
        streams: trio.Nursery = await nursery.start(_hold_nursery)
        return streams

    async def _serve(self, end: socket.socket, in_place: bool) -> None:
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(end))
        whole = stream if in_place else trio.StapledStream(stream, stream)
        self._streams.start_soon(self.gateway.serve_stream, whole)

    async def _cancel_streams(self) -> None:
        self._streams.cancel_scope.cancel()
        await wait_all_tasks_blocked()


async def _hold_nursery(*, task_status: trio.TaskStatus[trio.Nursery]) -> None:
    async with trio.open_nursery() as nursery:
        task_status.started(nursery)
        await trio.sleep_forever()
