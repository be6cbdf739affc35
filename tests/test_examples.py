"""The examples do what they say, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
import trio

from bamboo_gateway import AgentError, Gateway, GatewayConfig, Turn
from bamboo_gateway.agents import load_agent
from bamboo_gateway.client import Client, connect
from bamboo_gateway.protocol import AgentToken, Error
from examples import agent, by_hand, client, embed, outside_channel, two_tabs
from tests.client.proxy import Cut, proxy

ANY_PORT = GatewayConfig(bind="127.0.0.1:0")


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Keep log lines away from what the examples print."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
async def url(nursery: trio.Nursery) -> AsyncIterator[str]:
    """A gateway with the echo agent, as `make serve` starts it."""
    gateway = Gateway(ANY_PORT, agent=load_agent("echo"))
    [address] = await nursery.start(gateway.serve)
    yield f"ws://{address}"
    await gateway.stop()


@pytest.fixture
async def embed_url(nursery: trio.Nursery) -> AsyncIterator[str]:
    """The program with a gateway inside, as it runs until Ctrl-C."""
    [address] = await nursery.start(embed.main, ANY_PORT)
    yield f"ws://{address}"
    nursery.cancel_scope.cancel()


async def read_tokens(reader: Client, count: int) -> list[str]:
    """The texts of the next *count* tokens."""
    texts: list[str] = []
    while len(texts) < count:
        event = await anext(reader)
        if isinstance(event, AgentToken):
            texts.append(event.token)
    return texts


async def read_error(reader: Client) -> str:
    """The text of the next error."""
    while not isinstance(event := await anext(reader), Error):
        pass
    return event.message


async def test_embedded_gateway_pushes_to_one_session_and_to_everybody(
    embed_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who ordered a job reads each of its steps, and everybody reads that it is done."""
    assert capsys.readouterr().out == f"serving on {embed_url}\n"
    async with connect(embed_url) as owner, connect(embed_url) as bystander:
        await owner.chat("1")
        steps = ["a job of 1 steps is queued\n", "step 1 of 1\n", "a job of 1 steps is done\n"]
        assert await read_tokens(owner, 3) == steps
        assert await read_tokens(bystander, 1) == steps[-1:]


async def test_embedded_gateway_survives_a_deleted_session(
    embed_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job whose session is gone goes on to its end."""
    async with connect(embed_url) as owner, connect(embed_url) as bystander:
        await owner.chat("1")
        await owner.command("session.delete")
        assert await read_tokens(bystander, 1) == ["a job of 1 steps is done\n"]
    assert "nobody to report to: SESSION_NOT_FOUND" in capsys.readouterr().out


async def test_embedded_gateway_says_what_a_job_needs(embed_url: str) -> None:
    """A chat that orders no job is answered with what would."""
    async with connect(embed_url) as owner:
        await owner.chat("many")
        assert await read_error(owner) == "say how many steps the job has, such as 3"


async def test_agent_adds_up_what_was_spent(capsys: pytest.CaptureFixture[str]) -> None:
    """The agent answers from this message and from those before it, and its tool is seen at work."""
    await agent.main()
    assert capsys.readouterr().out.splitlines() == [
        "> tea 3, cake 4",
        "[add: 7] 7 now, 7 in all. (7 tokens)",
        "> a book for 20",
        "[add: 20] 20 now, 27 in all. (6 tokens)",
    ]


async def test_agent_runs_by_its_name_and_says_what_it_cannot_read(nursery: trio.Nursery) -> None:
    """`--agent python:examples.agent:agent` finds it, and a chat without amounts gets its remedy."""
    gateway = Gateway(ANY_PORT, agent=load_agent("python:examples.agent:agent"))
    [address] = await nursery.start(gateway.serve)
    async with connect(f"ws://{address}") as reader:
        await reader.chat("much")
        assert await read_error(reader) == "say what you have spent, such as: tea 3, cake 4"
    await gateway.stop()


async def test_client_goes_on_when_its_connection_breaks(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is whole, and the loss and the return are told in its midst."""
    words = " ".join(str(number) for number in range(40))
    async with proxy(url, [Cut(down_bytes=3000)]) as network:
        await client.main(network.url, words)
    before, lost, back, *after = capsys.readouterr().out.splitlines(keepends=True)
    assert lost == "(lost: it broke off without a close frame)\n"
    assert back == "(back)\n"
    assert "".join([before.removesuffix("\n"), *after]) == f"{words}\n80 tokens\n"


async def test_client_stops_at_an_error(nursery: trio.Nursery) -> None:
    """The reason is the last word."""

    async def fail_after_a_token(turn: Turn) -> None:
        await turn.token("one ")
        raise AgentError("no more today")

    gateway = Gateway(ANY_PORT, agent=fail_after_a_token)
    [address] = await nursery.start(gateway.serve)
    with pytest.raises(SystemExit, match="AGENT_ERROR: no more today"):
        await client.main(f"ws://{address}")
    await gateway.stop()


async def test_by_hand_resumes_in_mid_answer(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Over two connections it reads the whole answer, and nothing of it twice."""
    await by_hand.main(url)
    assert capsys.readouterr().out.splitlines() == [
        "(chat_accepted)",
        "(user_message)",
        "(agent_start)",
        "one two three four five six",
        "12 tokens",
    ]


async def test_by_hand_stops_at_an_error(nursery: trio.Nursery) -> None:
    """Where the answer cannot be had, the client ends with the reason instead of waiting for it."""

    async def fail_after_a_token(turn: Turn) -> None:
        await turn.token("one ")
        raise AgentError("no more today")

    gateway = Gateway(ANY_PORT, agent=fail_after_a_token)
    [address] = await nursery.start(gateway.serve)
    with pytest.raises(SystemExit, match="no more today"):
        await by_hand.main(f"ws://{address}")
    await gateway.stop()


async def test_outside_channel_goes_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    """What a session says in the channel comes back to it, and so does the answer from outside."""
    await outside_channel.main()
    # The outside hears it first, so its answer may even be the first to come.
    assert sorted(capsys.readouterr().out.splitlines()) == ["bot: ANYBODY HERE?", "local: anybody here?"]


async def test_two_tabs_see_the_same_until_a_third_takes_over(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each tab reads every token, and both are told why they must go."""
    await two_tabs.main(url)
    said = capsys.readouterr().out.splitlines()
    for tab in ("first", "second"):
        assert [line for line in said if line.startswith(f"{tab}: ")] == [
            f"{tab}: bamboo ",
            f"{tab}: grows ",
            f"{tab}: fast",
            f"{tab}: the connection is closed: 4003, a newer connection took the session for itself",
        ]
