"""
A client that goes on where it was when its connection breaks.

Start a gateway (`make serve`), then

    .venv/bin/python examples/client.py

and break the connection in mid-answer, by switching the network off, say. The client waits a moment, comes
back by itself, and the answer goes on: nothing is lost, and nothing is said twice.
"""

from __future__ import annotations

import trio

from bamboo_gateway.client import Client, Disconnected, Reconnect, connect
from bamboo_gateway.protocol import AgentComplete, AgentToken, Connected, Error, Gap

TEXT = " ".join(str(number) for number in range(1, 501))
"""Ten seconds of the echo agent."""


async def main(url: str = "ws://127.0.0.1:18790", text: str = TEXT) -> None:
    """Chat once, however often the connection breaks."""
    async with connect(url, reconnect=Reconnect(give_up_timeout=60.0)) as client:
        accepted = await client.chat(text)
        await show_answer(client, accepted.run_id)


async def show_answer(client: Client, run_id: str | None) -> None:
    """Print one turn, and what happens to the connection meanwhile."""
    async for event in client:
        match event:
            case AgentToken(run_id=run) if run == run_id:
                print(event.token, end="", flush=True)
            case Disconnected():
                print(f"\n(lost: {event.reason})")
            case Connected(resumed=True):
                print("(back)")
            case Gap(channel=None) | Connected():
                raise SystemExit("the gateway has lost a part of the answer")
            case AgentComplete(run_id=run) if run == run_id:
                print(f"\n{event.usage.total_tokens} tokens")
                return
            case Error(run_id=run) if run == run_id:
                raise SystemExit(f"\n{event.code}: {event.message}")
            case _:
                pass  # other turns and channels; each kind of event is a class of `bamboo_gateway.protocol`


if __name__ == "__main__":
    trio.run(main)
