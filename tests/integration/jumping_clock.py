"""An echo agent in whose process the wall clock jumps, by as many seconds as its tool `jump` is told."""

from __future__ import annotations

import time

from bamboo_gateway.errors import UnknownToolError
from bamboo_gateway.protocol.messages import Json
from tests.integration.hostile_agent import HostileAgent

_real_time = time.time
_offset = 0.0


def _time() -> float:
    return _real_time() + _offset


class JumpingAgent(HostileAgent):
    """Is loaded before the gateway is made, which is given this clock."""

    async def call_tool(self, name: str, args: Json) -> Json:
        """
        Let the clock jump.

        Raises:
            UnknownToolError: It is another tool, and no other agent's either.
        """
        global _offset  # noqa: PLW0603 -- there is one wall clock
        if name != "jump":
            return await super().call_tool(name, args)
        if not isinstance(args, dict) or not isinstance(args["by"], (int, float)):
            raise UnknownToolError("jump by how many seconds?")
        _offset += args["by"]
        return _time()


time.time = _time
agent = JumpingAgent()
