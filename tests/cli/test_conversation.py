from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import click
import pytest
import structlog
import trio

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.agents.echo import EchoAgent
from bamboo_gateway.cli.conversation import Conversation
from bamboo_gateway.cli.transcript import Transcript
from bamboo_gateway.client import Client, ClientLimits, ClosedError, Reconnect, connect
from bamboo_gateway.storage.memory import MemoryStorage
from tests.client.peer import HANG, Message, Peer, in_turn, peer
from tests.client.proxy import Cut, proxy
from tests.client.served import served

SOON = Reconnect(first_interval=0.001, max_interval=0.01, give_up_timeout=HANG)

LOST = "[connection lost: it broke off without a close frame; reconnecting]\n"
BACK = "[reconnected, session resumed]\n"


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Keep log lines away from what is said."""
    with structlog.testing.capture_logs():
        yield


@asynccontextmanager
async def conversation(
    client: Client, *, is_patient: bool = False, seen: int = 0
) -> AsyncIterator[tuple[Conversation, trio.Nursery]]:
    """A conversation whose events are shown, and a nursery for what else is to run."""
    talk = Conversation(client, Transcript(), is_patient=is_patient, seen=seen)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk.run_display)
        nursery.start_soon(talk.run_inquiries)
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


async def test_a_patient_one_says_a_refused_line_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Until there is room for it; that it waits is told once, and nothing has failed."""

    async def play(the_peer: Peer) -> None:
        await greet(the_peer)
        refusal = {"code": "QUEUE_FULL", "message": "later", "retryable": True}
        refused = [await refuse(the_peer, retry_after=seconds, **refusal) for seconds in (0.001, 0.002)]
        taken = await take_chat(the_peer)
        assert {chat["id"] for chat in refused} == {taken["id"]}
        await the_peer.say("agent_complete", run_id="r", seq=2, **DONE)
        await refuse(the_peer, code="FORBIDDEN", message="never")
        await the_peer.hear_close()

    async with (
        peer(play) as url,
        connect(url) as client,
        conversation(client, is_patient=True) as (talk, _),
    ):
        outcomes = []
        for _ in range(2):
            await talk.say("hello")
            outcomes.append(talk.has_failed)
        assert outcomes == [False, True]
    assert capsys.readouterr().err == "[waiting: QUEUE_FULL: later]\nFORBIDDEN: never\n"


async def test_what_is_shown_already_is_not_shown_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The history was asked for after the first events had come."""

    async def play(the_peer: Peer) -> None:
        await greet(the_peer)
        for seq, word in enumerate(("one", "two", "three"), 1):
            await the_peer.say("agent_token", session_id="s", token=word, run_id="x", seq=seq)
        await the_peer.say("channel_message", channel="news", content="rain", seq=1)
        await take_chat_at(the_peer, 4)
        await the_peer.say("agent_complete", run_id="r", seq=5, **DONE)
        await the_peer.hear_close()

    async with peer(play) as url, connect(url) as client, conversation(client, seen=2) as (talk, _):
        await talk.say("hello")
    assert capsys.readouterr() == ("three\n", "[news: rain]\n")


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
    async with served() as (gateway, url), connect(url, reconnect=None) as client:
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


# ── over a network that breaks ───────────────────────────────────────────────


async def test_an_answer_goes_on_over_a_lost_connection(capsys: pytest.CaptureFixture[str]) -> None:
    """No word is lost or doubled, and the person is told of the loss and of the return."""
    async with (
        served() as (_, url),
        proxy(url, [Cut(down_bytes=5000)]) as network,
        connect(network.url, reconnect=SOON) as client,
        conversation(client) as (talk, _),
    ):
        await talk.say("/tokens 100")
        assert not talk.has_failed
        assert client.statistics().reconnects == 1
    out, err = capsys.readouterr()
    assert out == "".join(f"{number} " for number in range(1, 101)) + "\n"
    assert err == LOST + BACK


async def test_a_line_that_is_said_without_a_connection_is_answered_when_it_is_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever types does not have to type it again."""
    async with (
        served() as (_, url),
        proxy(url) as network,
        connect(network.url, reconnect=SOON) as client,
        conversation(client) as (talk, nursery),
    ):
        network.break_off()
        nursery.start_soon(talk.say, "hello")
        await trio.testing.wait_all_tasks_blocked()
        network.mend()
        while talk.is_waiting:
            await trio.lowlevel.checkpoint()
        assert not talk.has_failed
    assert capsys.readouterr().out == "hello\n"


@pytest.mark.parametrize("keeps_sessions", [True, False])
async def test_an_answer_that_a_restart_has_ended_is_not_waited_for(
    keeps_sessions: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line has failed; the next one is answered."""
    storage = MemoryStorage()
    async with trio.open_nursery() as gateways:
        first = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=EchoAgent(word_interval=0), storage=storage)
        [address] = await gateways.start(first.serve)
        async with (
            connect(f"ws://{address}", reconnect=SOON) as client,
            conversation(client) as (talk, nursery),
        ):
            nursery.start_soon(talk.say, "/sleep 60")
            await until_running(client)
            await first.stop()
            second = Gateway(
                GatewayConfig(bind=str(address)),
                agent=EchoAgent(word_interval=0),
                storage=storage if keeps_sessions else None,
            )
            await gateways.start(second.serve)
            while talk.is_waiting:
                await trio.lowlevel.checkpoint()
            assert talk.has_failed
            await talk.say("hello")
        await second.stop()
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "hello"
    assert "[connection lost: the gateway stops; reconnecting]\n" in err
    assert "[reconnected" in err


async def greet(the_peer: Peer, **fields: object) -> None:
    """Let a client in, or let it in again."""
    await the_peer.greet(**{"epoch": "e", "last_seq": 0} | fields)


async def refuse(the_peer: Peer, **error: object) -> Message:
    """Refuse a chat."""
    chat = await the_peer.hear()
    await the_peer.say("error", id=chat["id"], **error)
    return chat


async def take_chat(the_peer: Peer) -> Message:
    """Accept a chat; its turn is `r`."""
    return await take_chat_at(the_peer, 1)


async def take_chat_at(the_peer: Peer, seq: int) -> Message:
    """The same, as the entry *seq* of the log."""
    chat = await the_peer.hear()
    await the_peer.say("chat_accepted", session_id="s", run_id="r", id=chat["id"])
    await the_peer.say("user_message", session_id="s", content="", id=chat["id"], run_id="r", seq=seq)
    return chat


async def tell_status(the_peer: Peer, run_id: str | None, last_seq: int, queued: int = 0) -> None:
    """Answer `status`."""
    asked = await the_peer.hear()
    assert asked["name"] == "status"
    status = {"run_id": run_id, "queued": queued, "last_seq": last_seq}
    await the_peer.say("command_result", name="status", ok=True, id=asked["id"], result=status)


GAP = {"requested": 2, "earliest": 9, "latest": 9, "epoch": "e", "session_id": "s"}
DONE = {"session_id": "s", "usage": {}}


async def test_an_answer_with_a_gap_has_failed_and_is_read_to_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a script is given is not the whole answer, and its exit code says so."""

    async def play(the_peer: Peer) -> None:
        await greet(the_peer)
        await take_chat(the_peer)
        await the_peer.say("gap", **GAP)
        await tell_status(the_peer, "r", last_seq=9)
        await the_peer.say("agent_token", session_id="s", token="the end", run_id="r", seq=9)
        await the_peer.say("agent_complete", run_id="r", seq=10, **DONE)
        await the_peer.hear_close()

    async with peer(play) as url, connect(url) as client, conversation(client) as (talk, _):
        await talk.say("hello")
        assert talk.has_failed
    assert capsys.readouterr() == ("the end\n", "[events 2 to 8 are no longer to be had]\n")


async def test_an_end_that_is_missing_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    """The gateway knows no more of the turn: what there is of it is shown, and then it is over."""

    async def play(the_peer: Peer) -> None:
        await greet(the_peer)
        await take_chat(the_peer)
        await the_peer.say("gap", **GAP)
        await tell_status(the_peer, None, last_seq=9)
        await the_peer.say("agent_token", session_id="s", token="words", run_id="r", seq=9)
        await the_peer.hear_close()

    async with peer(play) as url, connect(url) as client, conversation(client) as (talk, _):
        await talk.say("hello")
        assert talk.has_failed
    assert capsys.readouterr() == (
        "words",
        "[events 2 to 8 are no longer to be had]\n[the rest of the answer is lost]\n",
    )


async def test_a_turn_that_may_still_wait_behind_another_is_waited_for() -> None:
    """It is asked for again when that one is over."""

    async def play(the_peer: Peer) -> None:
        await greet(the_peer)
        await take_chat(the_peer)
        await the_peer.say("gap", **GAP)
        await tell_status(the_peer, "other", last_seq=9, queued=1)
        await the_peer.say("agent_complete", run_id="other", seq=9, **DONE)
        await tell_status(the_peer, None, last_seq=9)
        await the_peer.hear_close()

    async with peer(play) as url, connect(url) as client, conversation(client) as (talk, _):
        await talk.say("hello")
        assert talk.has_failed


async def test_a_line_that_the_gateway_does_not_answer_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """The next one may fare better."""

    async def play(the_peer: Peer) -> None:
        await greet(the_peer)
        await the_peer.hear()
        await take_chat(the_peer)
        await the_peer.say("agent_complete", run_id="r", seq=2, **DONE)
        await the_peer.hear_close()

    limits = ClientLimits(reply_timeout=0.5)
    async with peer(play) as url, connect(url, limits=limits) as client, conversation(client) as (talk, _):
        await talk.say("hello")
        assert talk.has_failed
        assert "no answer within 0.5 seconds" in capsys.readouterr().err
        await talk.say("hello")


async def test_a_lost_session_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The line that was not yet taken is answered in the new one."""

    async def break_off(the_peer: Peer) -> None:
        await greet(the_peer)
        await the_peer.hear()

    async def answer(the_peer: Peer) -> None:
        await greet(the_peer, session_id="t", resumed=False)
        chat = await the_peer.hear()
        assert chat["session_id"] == "t"
        await the_peer.say("chat_accepted", session_id="t", run_id="r", id=chat["id"])
        await tell_status(the_peer, "r", last_seq=1)
        await the_peer.say("agent_complete", run_id="r", seq=2, **DONE)
        await the_peer.hear_close()

    async with (
        peer(in_turn(break_off, answer)) as url,
        connect(url, reconnect=SOON) as client,
        conversation(client) as (talk, _),
    ):
        await talk.say("hello")
        assert not talk.has_failed
    assert capsys.readouterr().err == LOST + "[reconnected, but the session is lost; t is a new one]\n"
