from __future__ import annotations

from bamboo_gateway.agents.echo import EchoAgent
from bamboo_gateway.channels.local import LocalChannel
from bamboo_gateway.ports import Agent, Channel, SessionStorage, ToolAgent
from bamboo_gateway.protocol.messages import Json, TokenUsage
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn


async def answer(turn: Turn) -> TokenUsage:
    """An agent, as simple as it can be."""
    return TokenUsage()


class Handyman:
    """An agent with tools."""

    async def __call__(self, turn: Turn) -> None:
        """Say nothing."""

    async def call_tool(self, name: str, args: Json) -> Json:
        """Do nothing."""
        return None


def test_an_agent_with_tools_is_told_by_its_method() -> None:
    """A plain function is an agent without tools; whoever has `call_tool` is offered commands, too."""
    plain: Agent = answer
    handy: Agent = Handyman()
    assert not isinstance(plain, ToolAgent)
    assert isinstance(handy, ToolAgent)


def test_the_adapters_fit_their_ports() -> None:
    """What ships with the gateway can be passed where a port is asked for: the type checker judges it."""
    agents: list[Agent] = [EchoAgent(), answer, Handyman()]
    channel: type[Channel] = LocalChannel
    storage: SessionStorage = MemoryStorage()
    assert (len(agents), channel, isinstance(storage, MemoryStorage)) == (3, LocalChannel, True)
