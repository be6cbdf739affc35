"""
One session in two tabs: both see the whole answer, until a third takes the session for itself.

Start a gateway (`make serve`), then

    .venv/bin/python examples/two_tabs.py
"""

from __future__ import annotations

import trio

from bamboo_gateway.client import Client, ClosedError, connect
from bamboo_gateway.protocol import AgentComplete, AgentToken


async def main(url: str = "ws://127.0.0.1:18790") -> None:
    """Open two tabs, chat in the first, and let a third send both away."""
    async with connect(url) as first, connect(url, session_id=first.session_id) as second:
        await first.chat("bamboo grows fast")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(show_answer, "first", first)
            nursery.start_soon(show_answer, "second", second)
        async with connect(url, session_id=first.session_id, exclusive=True):
            await show_end("first", first)
            await show_end("second", second)


async def show_answer(tab: str, client: Client) -> None:
    """Print the turn that runs, token by token as it comes."""
    async for event in client:
        if isinstance(event, AgentToken):
            print(f"{tab}: {event.token}")
        elif isinstance(event, AgentComplete):
            return


async def show_end(tab: str, client: Client) -> None:
    """Read until the gateway closes the connection, and print why it did."""
    try:
        async for _ in client:
            pass
    except ClosedError as closed:
        print(f"{tab}: {closed}")


if __name__ == "__main__":
    trio.run(main)
