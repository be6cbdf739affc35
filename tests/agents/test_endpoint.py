"""What the endpoint is asked, and what is made of a reply that is no answer, seen through the agent."""

from __future__ import annotations

import gzip
import socket

import pytest
from structlog.testing import capture_logs
from trio.testing import MockClock

from bamboo_gateway.agents.endpoint import MAX_QUOTE_LENGTH, Endpoint
from bamboo_gateway.agents.openai_settings import OpenAISettings
from bamboo_gateway.errors import ConfigError
from tests.agents.asking import KEY, agent_for, failure, silent_after
from tests.agents.conversation import conversation
from tests.agents.endpoint import DONE, Reply, answer, endpoint, events, raw, said, status

NONSENSE: dict[str, tuple[Reply, str]] = {
    "no-http": (raw(b"\x00\x01\x02 what is HTTP?\r\n\r\n"), "the connection to the model endpoint failed"),
    "nothing": (raw(b""), "Server disconnected without sending a response"),
    "no-stream": (status(200, {"choices": []}), "with a stream of events but with application/json: {"),
    "html": (status(200, "<html>", kind="text/html; charset=utf-8"), "a stream of events but with text/html"),
    "gzip": (status(200, kind="text/event-stream", content_encoding="gzip"), "text/event-stream in gzip"),
    "empty": (status(204), "answered 204 No Content"),
    "moved": (
        status(307, location="http://elsewhere/v1"),
        "307 Temporary Redirect: it has moved to http://e",
    ),
}

FAILURES: dict[str, Reply] = {
    "html": status(400, " <!DOCTYPE html><p>", kind="text/html"),
    "gzip": status(400, gzip.compress(b"text").decode("latin-1"), content_encoding="gzip"),
    "cut": status(400, content_length="10"),
}


def test_an_address_that_httpx_cannot_read_is_refused() -> None:
    """What passes for a URL elsewhere, and is none to the client, fails at the start."""
    with pytest.raises(ConfigError, match=r"base_url: .* is no URL: Invalid non-printable"):
        Endpoint(OpenAISettings(model="m", base_url="http://\x00/v1"))


async def test_it_asks_for_one_streamed_completion() -> None:
    """The request is what the API's reference says, with the key in its header."""
    async with (
        endpoint(answer("hi")) as script,
        conversation(agent_for(f"{script.url}/", system_prompt="Be brief.")) as talk,
    ):
        await talk.say("hello")
    [asked] = script.asked
    assert asked.target == "/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_the_endpoint_is_asked_in_the_trace_of_the_chat() -> None:
    """Each attempt carries both headers; a chat without a valid trace has neither."""
    parent, state = f"00-{'a' * 32}-{'b' * 16}-01", "vendor=1"
    async with (
        endpoint(status(503), answer("hi")) as script,
        conversation(agent_for(script.url)) as talk,
    ):
        await talk.say("hello", {"traceparent": parent, "tracestate": state})
        await talk.say("hello", {"traceparent": "00-xyz", "tracestate": state})
        await talk.say("hello")
    traces = [(asked.headers.get("traceparent"), asked.headers.get("tracestate")) for asked in script.asked]
    assert traces == [(parent, state), (parent, state), (None, None), (None, None)]


async def test_an_endpoint_may_do_without_key_and_usage() -> None:
    """Without a key there is no header for it; `usage="omit"` does not ask for usage, which counts as 0."""
    async with (
        endpoint(events(said("hi", "stop"), DONE)) as script,
        conversation(agent_for(script.url, api_key=None, usage="omit")) as talk,
    ):
        usage = (await talk.say("hello")).usage
    assert "authorization" not in script.asked[0].headers
    assert "stream_options" not in script.asked[0].body
    assert usage.total_tokens == 0


@pytest.mark.parametrize(("reply", "says"), NONSENSE.values(), ids=list(NONSENSE))
async def test_nonsense_is_an_error_at_once(reply: Reply, says: str) -> None:
    """What is no answer is not asked for again; the error says what came instead."""
    assert says in await failure(reply)


async def test_a_refusal_is_an_error_at_once() -> None:
    """A 4xx is told with the endpoint's own words, and asking again would not change them."""
    error = await failure(status(404, {"error": {"message": "no model m"}}))
    assert error == "the model endpoint answered 404 Not Found: no model m"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": "text"}, "text"),
        ({"message": "text"}, "text"),
        ({"detail": "text"}, "text"),
        ({"detail": [1]}, '{"detail": [1]}'),
        ("no JSON\r\n at\x00all", "no JSON at all"),
        ({"error": {"message": f"key {KEY} is wrong"}}, "key [key] is wrong"),
        ("x" * 100_000, "x" * MAX_QUOTE_LENGTH + "…"),
    ],
)
async def test_the_endpoints_words_are_made_fit(body: object, words: str) -> None:
    """They are found in the shapes that are about, told in one line, cut, and never hold the key."""
    assert await failure(status(400, body)) == f"the model endpoint answered 400 Bad Request: {words}"


@pytest.mark.parametrize("reply", FAILURES.values(), ids=list(FAILURES))
async def test_words_that_cannot_be_read_are_left_out(reply: Reply) -> None:
    """A page of HTML, compressed bytes or a body that is cut off leave the status."""
    assert await failure(reply) == "the model endpoint answered 400 Bad Request"


async def test_words_that_do_not_come_are_not_waited_for(mock_clock: MockClock) -> None:
    """A refusal whose reason never comes is told without it."""
    reply = silent_after(status(400, content_length="10"), mock_clock, 5)
    assert await failure(reply, first_byte_timeout=5) == "the model endpoint answered 400 Bad Request"


async def test_a_short_key_is_a_word_like_any_other() -> None:
    """A key as short as `none` is no secret worth garbling an error for."""
    assert (await failure(status(400, "none such"), api_key="none")).endswith(": none such")


async def test_an_endpoint_that_is_not_there_is_told(unused_port: int) -> None:
    """A refused connection is tried again, and then told."""
    agent = agent_for(f"http://127.0.0.1:{unused_port}", max_attempts=2)
    with capture_logs() as logs:
        async with conversation(agent) as talk:
            error = (await talk.say("hello")).error
    assert error.startswith("the model endpoint cannot be reached: ")
    assert [log["attempt"] for log in logs if "again" in log["event"]] == [1]


async def test_a_connection_that_does_not_come_about_is_told() -> None:
    """A host that does not answer costs `connect_timeout`, not more."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):  # the queue of connections is full then, and nobody takes one
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with conversation(agent_for(url, max_attempts=1, connect_timeout=0.05)) as talk:
            assert (await talk.say("hello")).error == "the model endpoint took no connection for 0.05 s"


@pytest.fixture
def unused_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def test_the_key_is_in_no_repr_and_no_log() -> None:
    """Neither the agent, nor its settings, nor what is logged of a failure shows the key or the chat."""
    with capture_logs() as logs:
        await failure(status(500, f"{KEY} said: hello"), status(500, "hello"), max_attempts=2)
    agent = agent_for("http://127.0.0.1:1")
    assert logs
    assert not any(secret in f"{logs}{agent!r}" for secret in (KEY, "hello"))
    assert "model='m'" in repr(agent)
