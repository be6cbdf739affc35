from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.client import ClosedError, RefusedError
from bamboo_gateway.client.replies import Replies
from bamboo_gateway.protocol import ChatAccepted, CommandResult, Error, GatewayEvent, Pong


async def test_an_answer_finds_its_request() -> None:
    """Each of several requests gets the answer that has its id."""
    replies = Replies()
    with replies.expect("a", ChatAccepted) as a, replies.expect("b", CommandResult) as b:
        assert replies.settle(CommandResult("ping", ok=True, id="b", result=1))
        assert replies.settle(ChatAccepted("s", "run", id="a"))
        assert await a.wait() == ChatAccepted("s", "run", id="a")
        assert (await b.wait()).result == 1


async def test_an_error_with_the_id_of_a_request_refuses_it() -> None:
    """A refusal is an exception with the gateway's code."""
    replies = Replies()
    with replies.expect("a", ChatAccepted) as reply:
        assert replies.settle(Error("QUEUE_FULL", "later", id="a", retryable=True))
        with pytest.raises(RefusedError) as error:
            await reply.wait()
    assert error.value.code == "QUEUE_FULL"
    assert error.value.retryable


@pytest.mark.parametrize(
    "event",
    [
        Pong(1),
        ChatAccepted("s", "run"),
        ChatAccepted("s", "run", id="b"),
        CommandResult("ping", ok=True, id="a"),
        Error("AGENT_ERROR", "failed", id="a", seq=3),
        Error("INVALID_MESSAGE", "what?"),
    ],
)
def test_what_answers_nobody_is_left_to_others(event: GatewayEvent) -> None:
    """Another kind, another id, none, or the end of a turn: no answer to this request."""
    replies = Replies()
    with replies.expect("a", ChatAccepted):
        assert not replies.settle(event)


def test_an_answer_that_comes_too_late_answers_nobody() -> None:
    """Once nobody waits any more, an id means nothing."""
    replies = Replies()
    with replies.expect("a", ChatAccepted):
        pass
    assert not replies.settle(ChatAccepted("s", "run", id="a"))


def test_an_id_is_waited_for_once_at_a_time() -> None:
    """Two requests of one id could not be told apart; one after the other, they can."""
    replies = Replies()
    with (
        replies.expect("a", ChatAccepted),
        pytest.raises(ValueError, match="'a' is still waited for"),
        replies.expect("a", ChatAccepted),
    ):
        pass
    with replies.expect("a", ChatAccepted):
        pass


async def test_close_tells_those_who_wait_and_those_who_come_later() -> None:
    """Nobody waits for what cannot come."""
    replies = Replies()

    async def ask(request_id: str) -> None:
        with pytest.raises(ClosedError, match="bye"), replies.expect(request_id, ChatAccepted) as reply:
            await reply.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "a")
        nursery.start_soon(ask, "b")
        await wait_all_tasks_blocked()
        replies.close(ClosedError(1001, "bye"))
    await ask("c")
