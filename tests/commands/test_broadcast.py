"""The command `broadcast`."""

from __future__ import annotations

import attrs

from bamboo_gateway.protocol.messages import ChannelMessage, Command
from bamboo_gateway.router import Response
from tests.commands.test_session import client


async def test_it_is_an_entry_in_the_log_of_broadcasts() -> None:
    """With who says it and what comes with it; not with the session, which is nobody else's business."""
    async with client() as ann:
        assert await ann.get("broadcast.send", content="tea", metadata={"a": 1}) == {"seq": 1}
        assert await ann.get("broadcast.send", content="cake") == {"seq": 2}
        said = [attrs.evolve(event, ts=None) for event in ann.stage.events["*"]]
        assert said == [
            ChannelMessage("*", "tea", user_id="ann", metadata={"a": 1}, seq=1),
            ChannelMessage("*", "cake", user_id="ann", seq=2),
        ]


async def test_it_is_said_once() -> None:
    """Whoever says it again under its id is told where it stands."""
    async with client() as ann:
        command = Command("broadcast.send", {"content": "tea"}, id="m1")
        first = await ann.stage.router.route(ann.caller, command)
        again = await ann.stage.router.route(ann.caller, command)
        assert isinstance(first, Response)
        assert first == again
        assert len(ann.stage.events["*"]) == 1
