from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.client import ClosedError, RefusedError
from bamboo_gateway.client.requests import Requests
from bamboo_gateway.protocol import (
    Chat,
    ChatAccepted,
    Command,
    CommandError,
    CommandResult,
    Error,
    GatewayEvent,
    Pong,
)


def chat(key: str) -> Chat:
    """A chat with this id."""
    return Chat("hello", "s", id=key)


def command(key: str) -> Command:
    """A command with this id."""
    return Command("ping", None, id=key)


async def test_an_answer_finds_its_request() -> None:
    """Each of several requests gets the answer that has its id."""
    requests = Requests(comes_back=True)
    with requests.expect(chat("a"), ChatAccepted) as a, requests.expect(command("b"), CommandResult) as b:
        assert requests.settle(CommandResult("ping", ok=True, id="b", result=1))
        assert requests.settle(ChatAccepted("s", "run", id="a"))
        assert await a.wait() == ChatAccepted("s", "run", id="a")
        assert (await b.wait()).result == 1


async def test_an_error_with_the_id_of_a_request_refuses_it() -> None:
    """A refusal is an exception with the gateway's code."""
    requests = Requests(comes_back=True)
    with requests.expect(chat("a"), ChatAccepted) as reply:
        assert requests.settle(Error("QUEUE_FULL", "later", id="a", retryable=True, retry_after=2.5))
        with pytest.raises(RefusedError) as error:
            await reply.wait()
    assert error.value.code == "QUEUE_FULL"
    assert error.value.retryable
    assert error.value.retry_after == 2.5


@pytest.mark.parametrize(
    "refusal",
    [
        Error("STOPPING", "not now", id="a", retryable=True),
        CommandResult("ping", ok=False, id="a", error=CommandError("STOPPING", "not now")),
    ],
)
async def test_a_gateway_that_is_about_to_stop_has_not_answered(refusal: Error | CommandResult) -> None:
    """The next one is asked again, with the same id; but who has none to come is told."""
    requests = Requests(comes_back=True)
    with requests.expect(command("a"), CommandResult) as reply:
        assert await requests.next_unsent() == command("a")
        assert requests.settle(refusal)
        assert not reply.is_answered
        requests.rewind()
        assert await requests.next_unsent() == command("a")
        assert requests.settle(CommandResult("ping", ok=True, id="a"))
        assert (await reply.wait()).ok

    requests = Requests(comes_back=False)
    with requests.expect(command("a"), CommandResult) as reply:
        assert requests.settle(refusal)
        assert reply.is_answered


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
    requests = Requests(comes_back=True)
    with requests.expect(chat("a"), ChatAccepted):
        assert not requests.settle(event)


def test_an_answer_that_comes_too_late_answers_nobody() -> None:
    """Once nobody waits any more, an id means nothing."""
    requests = Requests(comes_back=True)
    with requests.expect(chat("a"), ChatAccepted):
        pass
    assert not requests.settle(ChatAccepted("s", "run", id="a"))


def test_an_id_is_waited_for_once_at_a_time() -> None:
    """Two requests of one id could not be told apart; one after the other, they can."""
    requests = Requests(comes_back=True)
    with (
        requests.expect(chat("a"), ChatAccepted),
        pytest.raises(ValueError, match="'a' is still waited for"),
        requests.expect(chat("a"), ChatAccepted),
    ):
        pass
    with requests.expect(chat("a"), ChatAccepted):
        pass


async def test_close_tells_those_who_wait_and_those_who_come_later() -> None:
    """Nobody waits for what cannot come."""
    requests = Requests(comes_back=True)

    async def ask(request_id: str) -> None:
        with (
            pytest.raises(ClosedError, match="bye"),
            requests.expect(chat(request_id), ChatAccepted) as reply,
        ):
            await reply.wait()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask, "a")
        nursery.start_soon(ask, "b")
        await wait_all_tasks_blocked()
        requests.close(ClosedError(1001, "bye"))
    await ask("c")


async def test_requests_are_sent_in_the_order_in_which_they_were_made() -> None:
    """Each one once; and who sends waits for the next."""
    requests = Requests(comes_back=True)
    sent: list[str | None] = []

    async def send() -> None:
        while True:
            sent.append((await requests.next_unsent()).id)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        with requests.expect(chat("a"), ChatAccepted), requests.expect(command("b"), CommandResult):
            await wait_all_tasks_blocked()
            with requests.expect(chat("c"), ChatAccepted):
                await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert sent == ["a", "b", "c"]


async def test_a_new_connection_begins_with_what_is_unanswered() -> None:
    """In the old order, ahead of what is newer; without what was answered, or is waited for no longer."""
    requests = Requests(comes_back=True)
    with (
        requests.expect(chat("a"), ChatAccepted),
        requests.expect(command("b"), CommandResult),
        requests.expect(chat("d"), ChatAccepted),
    ):
        with requests.expect(chat("c"), ChatAccepted):
            for _ in range(4):
                await requests.next_unsent()
        requests.settle(CommandResult("ping", ok=True, id="b"))
        requests.rewind()
        with requests.expect(chat("e"), ChatAccepted):
            assert [(await requests.next_unsent()).id for _ in range(3)] == ["a", "d", "e"]


async def test_what_is_answered_or_given_up_before_it_was_sent_is_not_sent() -> None:
    """A late answer to what was sent over the last connection, and a caller who was cancelled."""
    requests = Requests(comes_back=True)
    with requests.expect(chat("a"), ChatAccepted), requests.expect(chat("c"), ChatAccepted):
        with requests.expect(chat("b"), ChatAccepted):
            pass
        requests.settle(ChatAccepted("s", id="a"))
        assert (await requests.next_unsent()).id == "c"
    assert len(requests) == 0
