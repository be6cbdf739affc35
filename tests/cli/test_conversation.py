from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
import pytest
import trio

from bamboo_gateway.cli.conversation import Conversation
from bamboo_gateway.cli.transcript import Transcript
from bamboo_gateway.client import Client, ClosedError, connect
from tests.client.peer import Peer, peer
from tests.client.served import served


@asynccontextmanager
async def conversation(client: Client) -> AsyncIterator[tuple[Conversation, trio.Nursery]]:
    """A conversation whose events are shown, and a nursery for what else is to run."""
    talk = Conversation(client, Transcript())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.run_display)
        yield talk, nursery
        nursery.cancel_scope.cancel()


async def until_running(client: Client) -> None:
    """Wait until the agent is at work."""
    while (await client.command("status"))["state"] != "running":
        await trio.lowlevel.checkpoint()


async def test_say_returns_when_the_answer_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    """One line after the other, each answered in full."""
    async with served() as (_, url), connect(url) as client, conversation(client) as (talk, _):
        await talk.say("hello there")
        assert capsys.readouterr().out == "hello there\n"
        await talk.say("and again")
        assert capsys.readouterr().out == "and again\n"
        assert not talk.has_failed
        assert not talk.is_waiting


async def test_a_failed_turn_is_told_and_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    """The next line is answered all the same."""
    async with served() as (_, url), connect(url) as client, conversation(client) as (talk, _):
        await talk.say("/fail on purpose")
        assert "AGENT_ERROR: on purpose" in capsys.readouterr().err
        await talk.say("hello")
        assert talk.has_failed


async def test_a_refused_line_is_told_and_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    """A chat that the gateway does not take waits for no answer."""
    async with (
        served(max_queued_chats=0) as (_, url),
        connect(url) as client,
        connect(url, session_id=client.session_id) as other,
        conversation(client) as (talk, _),
    ):
        await other.chat("/sleep 60")
        await talk.say("hello")
        assert "QUEUE_FULL" in capsys.readouterr().err
        assert talk.has_failed


async def test_what_others_say_is_shown_and_what_we_said_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Several people can sit at one session."""
    async with (
        served() as (_, url),
        connect(url) as client,
        connect(url, session_id=client.session_id) as other,
        conversation(client) as (talk, _),
    ):
        await other.chat("hello from here")
        await talk.say("my own words")
        out, err = capsys.readouterr()
    assert out == "hello from here\nmy own words\n"
    assert err == "[somebody else: hello from here]\n"


async def test_interrupt_aborts_the_turn(capsys: pytest.CaptureFixture[str]) -> None:
    """`say` returns, and the talk goes on."""
    async with served() as (_, url), connect(url) as client, conversation(client) as (talk, nursery):

        async def interrupt() -> None:
            await until_running(client)
            assert talk.is_waiting
            assert talk.interrupt(nursery)
            assert not talk.interrupt(nursery)  # the second time is for leaving

        nursery.start_soon(interrupt)
        await talk.say("/sleep 60")
        assert "AGENT_ABORTED" in capsys.readouterr().err
        await talk.say("hello")
        assert capsys.readouterr().out == "hello\n"


async def test_interrupt_aborts_no_turn_but_ours() -> None:
    """While nothing of ours is under way there is nothing to abort, whatever others have asked for."""
    async with (
        served() as (_, url),
        connect(url) as client,
        connect(url, session_id=client.session_id) as other,
        conversation(client) as (talk, nursery),
    ):
        await other.chat("/sleep 60")
        assert not talk.interrupt(nursery)


async def test_the_end_of_the_session_ends_the_talk() -> None:
    """A deleted session answers nothing more; the reason is told."""
    async with served() as (_, url), connect(url) as client, connect(url) as other:
        with pytest.RaisesGroup(pytest.RaisesExc(click.ClickException, match="the session was deleted")):
            async with conversation(client) as (talk, nursery):
                nursery.start_soon(talk.say, "/sleep 60")
                await until_running(client)
                await other.command("session.delete", session_id=client.session_id)
                await trio.sleep_forever()


async def test_the_end_of_the_connection_ends_the_talk() -> None:
    """Whoever waits for an answer is not left waiting."""
    async with served() as (gateway, url), connect(url) as client:
        with pytest.RaisesGroup(pytest.RaisesExc(ClosedError, match="1001")):
            async with conversation(client) as (talk, nursery):
                nursery.start_soon(talk.say, "/sleep 60")
                await until_running(client)
                await gateway.stop()
                await trio.sleep_forever()


async def test_an_abort_that_fails_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is still waited for."""

    async def refuse_to_abort(the_peer: Peer) -> None:
        await the_peer.greet()
        chat = await the_peer.hear()
        await the_peer.say("chat_accepted", session_id="s", run_id="r", id=chat["id"])
        await the_peer.say("user_message", session_id="s", content="", id=chat["id"], run_id="r", seq=1)
        abort = await the_peer.hear()
        assert (abort["name"], abort["args"]) == ("session.abort", {"run_id": "r"})
        await the_peer.say("error", code="LIMIT_EXCEEDED", message="not now", id=abort["id"])
        await the_peer.say("agent_complete", session_id="s", usage={}, run_id="other", seq=2)
        await the_peer.say("agent_complete", session_id="s", usage={}, run_id="r", seq=3)
        await the_peer.hear_close()

    async with peer(refuse_to_abort) as url, connect(url) as client, conversation(client) as (talk, nursery):
        nursery.start_soon(talk.say, "hello")
        while not talk.interrupt(nursery):
            await trio.lowlevel.checkpoint()
        while talk.is_waiting:
            await trio.lowlevel.checkpoint()
        assert not talk.has_failed
    assert capsys.readouterr().err == "LIMIT_EXCEEDED: not now\n"
