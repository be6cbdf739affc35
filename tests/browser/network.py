"""The network between a browser and its gateway, in the hand of a test: cut, and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Thread

import trio

from tests.client.proxy import Proxy, proxy


class Network:
    """
    A proxy that runs in a thread of its own, beside Playwright.

    Taking a page offline in Chromium leaves its open WebSocket alone; this does not.
    """

    def __init__(self, the_proxy: Proxy, token: trio.lowlevel.TrioToken) -> None:
        self._proxy = the_proxy
        self._token = token

    @property
    def page(self) -> str:
        """Where browsers go."""
        return self._proxy.url.replace("ws://", "http://") + "/"

    @property
    def accepted(self) -> int:
        """Connections that it let through so far."""
        return self._proxy.accepted

    def cut(self) -> None:
        """Cut what is open, and hang up on whoever comes, until `mend`."""
        self._run(self._proxy.break_off)

    def mend(self) -> None:
        """Let through whoever comes."""
        self._run(self._proxy.mend)

    def _run(self, function: Callable[[], None]) -> None:
        trio.from_thread.run_sync(function, trio_token=self._token)


@contextmanager
def network(url: str) -> Iterator[Network]:
    """Stand before the gateway at *url* for as long as the block lasts."""
    ready: Queue[tuple[Network, trio.Event]] = Queue()

    async def run() -> None:
        over = trio.Event()
        async with proxy(url) as the_proxy:
            ready.put((Network(the_proxy, trio.lowlevel.current_trio_token()), over))
            await over.wait()

    thread = Thread(target=trio.run, args=(run,), daemon=True)
    thread.start()
    the_network, over = ready.get(timeout=30)
    try:
        yield the_network
    finally:
        the_network._run(over.set)
        thread.join(30)
