"""The bounds of an answer in time and space, seen through the agent."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bamboo_gateway.agents.body import MAX_EVENT_BYTES
from tests.agents.asking import agent_for, failure, silent_after
from tests.agents.conversation import conversation
from tests.agents.endpoint import EVENT_STREAM, Asked, Reply, endpoint, events, forever, raw, said

WAIT = b": wait\n\n"
LAST_TOKEN = b'data: {"choices": [{"delta": {"content": "done"}}]}\n\n'


@pytest.mark.parametrize(
    ("before", "setting"),
    [
        (raw(b""), "first_byte_timeout"),
        (raw(EVENT_STREAM), "first_byte_timeout"),
        (events(said("so")), "chunk_timeout"),
    ],
    ids=["no-head", "no-body", "no-end"],
)
async def test_silence_is_given_up(before: Reply, setting: str, mock_clock: MockClock) -> None:
    """An endpoint that says nothing, or only a head, or stops in the middle is left, and not asked again."""
    error = await failure(silent_after(before, mock_clock, 5), **{setting: 5.0})
    assert error == "the model endpoint sent nothing for 5 s"


async def test_an_endpoint_that_goes_on_is_not_given_up(mock_clock: MockClock) -> None:
    """The time begins anew with each piece; a comment is a sign of life, too."""

    async def slow(stream: trio.SocketStream, asked: Asked) -> None:
        await stream.send_all(EVENT_STREAM)
        for piece in (WAIT, WAIT, LAST_TOKEN):
            await wait_all_tasks_blocked(0.01)
            mock_clock.jump(4)
            await stream.send_all(piece)
        await stream.send_all(b"data: [DONE]\n\n")

    async with (
        endpoint(slow) as script,
        conversation(agent_for(script.url, first_byte_timeout=5.0, chunk_timeout=5.0)) as talk,
    ):
        assert (await talk.say("hello")).text == "done"


@pytest.mark.parametrize("piece", [b"x" * 65536, b"data: x\n" * 8192], ids=["line", "event"])
async def test_nothing_endless_is_taken_in(piece: bytes) -> None:
    """A line or an event without end is left before it fills the memory."""
    error = await failure(forever(EVENT_STREAM, piece))
    assert error == f"the model endpoint sent an event of more than {MAX_EVENT_BYTES} bytes"


async def test_a_long_answer_is_no_endless_event() -> None:
    """The bound is on one event, not on the answer."""
    tokens = ["x" * (MAX_EVENT_BYTES // 4)] * 6
    async with (
        endpoint(events(*map(said, tokens), "[DONE]")) as script,
        conversation(agent_for(script.url)) as talk,
    ):
        assert (await talk.say("hello")).tokens == tokens
