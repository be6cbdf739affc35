"""The openai agent against a scripted endpoint on a real socket."""

from __future__ import annotations

import pytest
import trio

from tests.agents.asking import KEY, agent_for, failure
from tests.agents.conversation import HANG, conversation
from tests.agents.endpoint import (
    DONE,
    EVENT_STREAM,
    Asked,
    Reply,
    answer,
    endpoint,
    events,
    hang,
    raw,
    said,
    status,
    used,
)


async def test_a_token_is_there_before_the_next_is_written() -> None:
    """The answer streams: nobody waits for its end."""
    async with endpoint(hang(said("wait for"))) as script, conversation(agent_for(script.url)) as talk:
        await talk.begin("hello")
        assert (await talk.answer(lambda answer: bool(answer.tokens))).text == "wait for"


async def test_the_conversation_goes_along() -> None:
    """Each chat is asked with the answers before it."""
    async with (
        endpoint(answer("4", "2"), answer("yes")) as script,
        conversation(agent_for(script.url)) as talk,
    ):
        await talk.say("how many?")
        await talk.say("sure?")
    assert script.asked[1].body["messages"] == [
        {"role": "user", "content": "how many?"},
        {"role": "assistant", "content": "42"},
        {"role": "user", "content": "sure?"},
    ]


@pytest.mark.parametrize(
    "reply",
    [
        events(said("a"), said("b", "stop"), used(11, 2), DONE),
        events(said("a"), said("b", "stop"), used(11, 2)),
        events(said("a"), said("b"), used(11, 2), DONE),
        events(said("a"), said("b", "length"), used(11, 2), DONE, "{ignored"),
        events({"choices": [{"delta": {}}]}, said("a"), said("b", "stop"), used(11, 2), DONE),
        raw(EVENT_STREAM + b': thinking\r\n\r\nid: 1\r\n\r\nevent: x\r\n'
            b'data: {"choices":[{"delta":{"content":"ab"},\r\n'
            b'data: "finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":2}}\r\n\r\n'),
    ],
    ids=["by-the-book", "no-done", "no-finish-reason", "after-done", "role-first", "comments-and-lines"],
)  # fmt: skip
async def test_every_endpoint_ends_in_its_own_way(reply: Reply) -> None:
    """An answer is whole with `[DONE]` or with a finish reason, and its usage may come anywhere."""
    async with endpoint(reply) as script, conversation(agent_for(script.url)) as talk:
        answer = await talk.say("hello")
    assert (answer.text, answer.usage.total_tokens) == ("ab", 13)


async def test_line_separators_inside_a_token_end_no_line() -> None:
    """U+2028 and its like are text to an event stream."""
    text = "a\u2028b\x85c\x0bd"
    async with endpoint(answer(text)) as script, conversation(agent_for(script.url)) as talk:
        assert (await talk.say("hello")).text == text


async def test_turns_do_not_wait_for_each_other() -> None:
    """Two sessions ask at once; one that hangs does not hold up the other."""
    async with endpoint(hang(said("one")), answer("two")) as script:
        agent = agent_for(script.url)
        async with conversation(agent) as left, conversation(agent) as right:
            await left.begin("hello")
            await left.answer(lambda answer: bool(answer.tokens))
            assert (await right.say("hello")).text == "two"


# ── a bad one ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "says"),
    [("{broken", "sent no JSON: "), ("[1, 2]", "sent a chunk that is no object")],
)
async def test_events_that_make_no_sense_are_an_error(data: str, says: str) -> None:
    """An event that is no chunk ends the turn, and nothing is asked again."""
    assert says in await failure(events(said("half"), data, DONE))


async def test_an_answer_that_is_cut_off_is_an_error() -> None:
    """What has been said stays, the turn fails, and nothing is asked twice."""
    async with endpoint(events(said("half an"))) as script, conversation(agent_for(script.url)) as talk:
        answer = await talk.say("hello")
        assert (answer.text, len(script.asked)) == ("half an", 1)
    assert answer.error == "the model endpoint broke off in mid-answer"


async def test_a_failure_reported_inside_the_stream_is_an_error() -> None:
    """Some endpoints begin with 200 and tell of their failure later."""
    reply = events(said("half"), {"error": {"message": f"overloaded by {KEY}", "code": 503}})
    assert await failure(reply) == "the model endpoint broke off: overloaded by [key]"
    assert (
        await failure(events({"error": {"code": 1}})) == "the model endpoint broke off: it does not say why"
    )


async def test_a_filtered_answer_is_an_error() -> None:
    """An answer that the endpoint's filter has stopped is not passed off as whole."""
    assert "content filter stopped the answer" in await failure(events(said("", "content_filter"), DONE))


# ── once more ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code", [429, 500, 502, 503, 529])
async def test_a_passing_failure_is_asked_again(code: int) -> None:
    """Too many requests or a server's error: the next attempt does, and the client sees one clean answer."""
    async with endpoint(status(code), answer("fine")) as script, conversation(agent_for(script.url)) as talk:
        assert (await talk.say("hello")).text == "fine"
        assert len(script.asked) == 2


async def test_a_lasting_failure_is_told() -> None:
    """After `max_attempts` the last reply is the error."""
    replies = [status(500, "first"), status(500, "second"), status(429, {"error": {"message": "third"}})]
    error = await failure(*replies, max_attempts=3)
    assert error == "the model endpoint answered 429 Too Many Requests: third"


async def test_retry_after_is_obeyed_within_bounds() -> None:
    """An endpoint that asks for more patience than there is is left; the client reads how much it was."""
    error = await failure(status(429, "busy", retry_after="31"), max_retry_interval=30.0)
    assert error == "the model endpoint answered 429 Too Many Requests: busy (retry after 31 s)"


# ── leaving ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said_before", [[], ["so"]], ids=["before", "inside"])
async def test_an_aborted_turn_hangs_up(said_before: list[str]) -> None:
    """Cancelled before or inside an answer, the agent closes its connection: the endpoint need not go on."""
    left = trio.Event()

    async def watched(stream: trio.SocketStream, asked: Asked) -> None:
        await hang(*map(said, said_before))(stream, asked)
        left.set()

    async with endpoint(watched) as script, conversation(agent_for(script.url)) as talk:
        await talk.begin("hello")
        await script.arrived.wait()
        await talk.answer(lambda answer: answer.tokens == said_before)
        await talk.abort()
        with trio.fail_after(HANG):
            await left.wait()


async def test_an_abort_between_attempts_asks_no_more() -> None:
    """A turn that waits for its next attempt ends like any other."""
    agent_settings = {"retry_interval": 1000.0, "max_retry_interval": 1000.0}
    async with endpoint(status(500)) as script, conversation(agent_for(script.url, **agent_settings)) as talk:
        await talk.begin("hello")
        await script.arrived.wait()
        await talk.abort()
        assert len(script.asked) == 1
