"""
An agent with a tool and a memory: it adds up what you spend, in this message and in all before it.

    .venv/bin/bamboo-gateway serve --agent python:examples.agent:agent

serves it, run from the folder above this one; `.venv/bin/python examples/agent.py` lets it answer two chats
and ends.
"""

from __future__ import annotations

import trio

from bamboo_gateway import AgentError, Gateway, GatewayConfig, Turn
from bamboo_gateway.client import connect
from bamboo_gateway.protocol import AgentComplete, AgentToken, AgentToolComplete, TokenUsage


async def agent(turn: Turn) -> TokenUsage:
    """Answer a chat such as `tea 3, cake 4`."""
    spent = amounts(turn.message.content)
    if not spent:
        # Ends the turn with `error{AGENT_ERROR}` and this text; the session lives on.
        raise AgentError("say what you have spent, such as: tea 3, cake 4")
    async with turn.tool("add", spent) as call:  # every watcher sees the call begin and end
        call.result = sum(spent)
    before = [message.content for message in turn.history if message.role == "user"]
    total = sum(spent) + sum(sum(amounts(content)) for content in before)
    words = f"{sum(spent)} now, {total} in all.".split()
    for word in words:
        await turn.token(word + " ")  # a model's tokens, in real life
    return TokenUsage(len(spent), len(words), len(spent) + len(words))


def amounts(text: str) -> list[int]:
    """Every whole number in *text*."""
    return [int(word) for word in text.replace(",", " ").split() if word.isdecimal()]


async def main() -> None:
    """Serve the agent, and talk to it as a client does."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=agent)
    async with trio.open_nursery() as nursery:
        [address] = await nursery.start(gateway.serve)
        async with connect(f"ws://{address}") as client:
            for content in ("tea 3, cake 4", "a book for 20"):
                print(f"> {content}")
                await client.chat(content)
                async for event in client:
                    if isinstance(event, AgentToolComplete):
                        print(f"[{event.tool}: {event.result}]", end=" ")
                    elif isinstance(event, AgentToken):
                        print(event.token, end="")
                    elif isinstance(event, AgentComplete):
                        print(f"({event.usage.total_tokens} tokens)")
                        break
        await gateway.stop()


if __name__ == "__main__":
    trio.run(main)
