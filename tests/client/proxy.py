"""The network between a client and its gateway, in the hand of a test, which cuts it where it likes."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from bamboo_gateway.client.endpoint import Endpoint

CHUNK_BYTES = 4096


@attrs.frozen
class Cut:
    """When a connection is cut, and how."""

    down_bytes: int | None = None
    """After so many bytes from the gateway; None: never."""
    up_bytes: int | None = None
    """After so many bytes to it."""
    is_reset: bool = False
    """Both ends find the connection reset, rather than at its end."""


class Proxy:
    """
    Accepts connections and passes bytes on.

    Invariant: neither end is passed a byte beyond the cut of its connection.
    """

    def __init__(self, target: str, cuts: Iterable[Cut] = ()) -> None:
        self.url = ""
        self.accepted = 0
        """Connections that it let through."""
        self.is_down = False
        """Every connection is hung up on."""
        self._target = Endpoint.parse(target)
        self._cuts: Iterator[Cut] = iter(cuts)
        self._open: set[trio.CancelScope] = set()

    def break_off(self) -> None:
        """Cut what is open, and hang up on whoever comes, until `mend`."""
        self.is_down = True
        for scope in self._open:
            scope.cancel()

    def mend(self) -> None:
        """Let through whoever comes."""
        self.is_down = False

    async def serve(self, stream: trio.SocketStream) -> None:
        """Connect one client."""
        async with stream:
            if self.is_down:
                return
            self.accepted += 1
            cut = next(self._cuts, Cut())
            async with await self._target.open_stream() as upstream:
                assert isinstance(upstream, trio.SocketStream)
                try:
                    await self._pass_on(stream, upstream, cut)
                finally:
                    if cut.is_reset:
                        for end in (stream, upstream):
                            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _pass_on(self, client: trio.SocketStream, gateway: trio.SocketStream, cut: Cut) -> None:
        """Pass bytes both ways until either is through."""
        async with trio.open_nursery() as nursery:
            self._open.add(nursery.cancel_scope)
            try:
                nursery.start_soon(_copy, gateway, client, cut.down_bytes, nursery.cancel_scope)
                await _copy(client, gateway, cut.up_bytes, nursery.cancel_scope)
            finally:
                self._open.remove(nursery.cancel_scope)


async def _copy(
    source: trio.SocketStream, sink: trio.SocketStream, left_bytes: int | None, scope: trio.CancelScope
) -> None:
    try:
        while left_bytes != 0:
            data = await source.receive_some(CHUNK_BYTES if left_bytes is None else left_bytes)
            if not data:
                break
            await sink.send_all(data)
            left_bytes = None if left_bytes is None else left_bytes - len(data)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # the other end is told by the end of its own connection
    scope.cancel()


@asynccontextmanager
async def proxy(target: str, cuts: Iterable[Cut] = ()) -> AsyncIterator[Proxy]:
    """Stand before the gateway at *target*; the first connection gets the first of *cuts*, and so on."""
    the_proxy = Proxy(target, cuts)
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, the_proxy.serve, 0, host="127.0.0.1")
        [listener] = await nursery.start(serve)
        the_proxy.url = f"ws://127.0.0.1:{listener.socket.getsockname()[1]}"
        yield the_proxy
        nursery.cancel_scope.cancel()
