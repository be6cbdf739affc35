"""Messages that carry an id are carried out once, through repeats, outages and restarts."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bamboo_gateway.errors import AgentError, ErrorCode, GatewayError, StorageError, UnknownToolError
from bamboo_gateway.idempotency import Once
from bamboo_gateway.protocol.messages import (
    ChannelMessage,
    ChatAccepted,
    Command,
    CommandResult,
    Error,
    Json,
    UserMessage,
)
from bamboo_gateway.router import Response
from bamboo_gateway.session.effects import Send
from bamboo_gateway.session.outcomes import Answer, MessageKey
from bamboo_gateway.session.requests import Caller, JoinChannel, SubmitChat
from bamboo_gateway.storage.memory import MemoryStorage
from bamboo_gateway.turn import Turn
from tests.backstage import HANG, Backstage, backstage
from tests.session.tables import chat


class Tool:
    """An agent with one tool, which counts how often it ran."""

    def __init__(self, work: Callable[[], Awaitable[Json]] | None = None) -> None:
        self.runs = 0
        self._work = work

    async def __call__(self, turn: Turn) -> None:
        """Say nothing."""

    async def call_tool(self, name: str, args: Json) -> Json:
        """Do the work, or tell how often it was done."""
        self.runs += 1
        return await self._work() if self._work else self.runs


class Post:
    """A channel that goes on outside, and may fail."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.sent: list[str] = []
        self._fault = fault

    async def send(self, message: ChannelMessage) -> None:
        """Keep it, then fail if that is wanted."""
        await trio.lowlevel.checkpoint()
        self.sent.append(message.content)
        if self._fault:
            raise self._fault


@asynccontextmanager
async def connected(**settings: Any) -> AsyncIterator[tuple[Backstage, Caller]]:
    """A gateway, and somebody who watches session s1, which has joined the outside channel post."""
    async with backstage(outside={"post": settings.pop("post", Post())}, **settings) as stage:
        caller = await stage.connect()
        await stage.ask(JoinChannel(caller, None, "post"))
        yield stage, caller


async def command(stage: Backstage, caller: Caller, name: str, args: Json = None, **fields: Any) -> Any:
    """What the router answers."""
    with trio.fail_after(HANG):
        routed = await stage.router.route(caller, Command(name, args, **{"id": "k1"} | fields))
    assert isinstance(routed, Response)
    return routed.event


def error_code(answer: Any) -> str | None:
    """How a command was refused."""
    assert isinstance(answer, CommandResult)
    return answer.error.code if answer.error else None


# ── chats ────────────────────────────────────────────────────────────────────


async def test_a_chat_said_twice_is_said_once() -> None:
    """It is in the log once, one turn answers it, and both times the client is told the same."""
    async with connected() as (stage, caller):
        first = await stage.ask(chat("hi", "r1", who=caller, id="m1"))
        again = await stage.ask(chat("hi", "r2", who=caller, id="m1"))
        assert first == again == ChatAccepted("s1", "r1", queued=0, id="m1")
        await stage.settle()
        said = [event for event in stage.events["s1"] if isinstance(event, UserMessage)]
        assert [event.run_id for event in said] == ["r1"]
        told = [each.event for each in stage.effects if isinstance(each, Send)]
        assert told.count(first) == 2


async def test_another_chat_of_the_same_id_is_refused() -> None:
    """The id is no longer free; what was said under it first stands."""
    async with connected() as (stage, caller):
        await stage.ask(chat("hi", "r1", who=caller, id="m1"))
        for other in (
            chat("ho", "r2", who=caller, id="m1"),
            chat("hi", "r2", who=caller, id="m1", metadata={}),
        ):
            with pytest.raises(GatewayError) as caught:
                await stage.ask(other)
            assert caught.value.code is ErrorCode.ID_REUSED


async def test_a_chat_without_an_id_is_new_each_time() -> None:
    """Nobody can tell a repeat from a second thought."""
    async with connected() as (stage, caller):
        runs = [(await stage.ask(chat("hi", run, who=caller))).run_id for run in ("r1", "r2")]
        assert runs == ["r1", "r2"]


async def test_a_refused_chat_may_be_said_again() -> None:
    """Nothing was done, so nothing is remembered: with room in the queue it is accepted."""
    async with backstage(sleep_until_cancelled, max_queued_chats=0) as stage:
        caller = await stage.connect()
        await stage.ask(chat("first", "r1", who=caller))
        with pytest.raises(GatewayError, match="QUEUE_FULL"):
            await stage.ask(chat("second", "r2", who=caller, id="m2"))
        await stage.sessions.abort("s1")
        assert (await stage.ask(chat("second", "r3", who=caller, id="m2"))).run_id == "r3"


async def sleep_until_cancelled(turn: Turn) -> None:
    """An agent that never answers."""
    await trio.sleep_forever()


# ── commands ─────────────────────────────────────────────────────────────────


async def test_a_command_that_changes_something_is_carried_out_once() -> None:
    """The second time its first result is told, and nothing is made."""
    async with connected() as (stage, caller):
        first = await command(stage, caller, "session.create", {"name": "tea"})
        assert await command(stage, caller, "session.create", {"name": "tea"}) == first
        assert [each.name for each in (await stage.sessions.list()).sessions].count("tea") == 1
        assert error_code(await command(stage, caller, "session.create", {"name": "rice"})) == "ID_REUSED"


async def test_a_command_that_reads_reads_again() -> None:
    """It changes nothing, so a repeat is told how things are now; and its id is not used up."""
    async with connected() as (stage, caller):
        assert (await command(stage, caller, "session.get")).result["name"] is None
        await stage.sessions.rename("s1", "tea")
        assert (await command(stage, caller, "session.get")).result["name"] == "tea"
        assert (await command(stage, caller, "session.create", {"name": "rice"})).ok


async def test_a_refused_command_may_be_given_again() -> None:
    """What was refused did nothing."""
    async with connected() as (stage, caller):
        args = {"session_id": "nil"}
        assert error_code(await command(stage, caller, "session.delete", args)) == "SESSION_NOT_FOUND"
        assert (await command(stage, caller, "session.rename", {"name": "tea"})).ok


async def test_ids_belong_to_a_session() -> None:
    """Two clients that count from one, each in its own session, do not get into each other's way."""
    async with connected() as (stage, caller):
        other = await stage.connect("c2", "s2")
        assert (await command(stage, caller, "session.rename", {"name": "tea"})).ok
        assert (await command(stage, other, "session.rename", {"name": "rice"})).ok


async def test_who_has_no_session_is_not_remembered() -> None:
    """There is nowhere to remember it; each time is the first."""
    async with connected() as (stage, caller):
        nobody = Caller(caller.principal, "c9")
        for _ in range(2):
            assert (await command(stage, nobody, "session.create", {"name": "tea"})).ok
        assert [each.name for each in (await stage.sessions.list()).sessions].count("tea") == 2


async def test_a_session_can_delete_itself() -> None:
    """Its memory goes with it; the client is answered all the same."""
    async with connected() as (stage, caller):
        assert (await command(stage, caller, "session.delete")).result == {"session_id": "s1"}
        assert await stage.sessions.get("s1") is None


# ── the agent's tools ────────────────────────────────────────────────────────


async def test_a_tool_runs_once() -> None:
    """Its first result is repeated."""
    tool = Tool()
    async with connected(agent=tool) as (stage, caller):
        for _ in range(2):
            assert (await command(stage, caller, "dance", {"to": "tango"})).result == 1
        assert error_code(await command(stage, caller, "dance", {"to": "samba"})) == "ID_REUSED"
        assert tool.runs == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (AgentError("tired"), ErrorCode.COMMAND_FAILED),
        (LookupError("a slip"), ErrorCode.COMMAND_FAILED),
        (UnknownToolError("dance"), ErrorCode.UNKNOWN_COMMAND),
    ],
    ids=["agent", "other", "unknown"],
)
async def test_a_tool_that_failed_has_failed(fault: Exception, code: ErrorCode) -> None:
    """A failure is an outcome, too: nobody knows what the tool had done by then."""

    async def fail() -> Json:
        raise fault

    tool = Tool(fail)
    async with connected(agent=tool) as (stage, caller):
        first = await command(stage, caller, "dance")
        assert error_code(first) == code
        assert await command(stage, caller, "dance") == first
        assert tool.runs == 1


async def test_a_repeat_of_what_still_runs_is_answered_when_it_is_done() -> None:
    """A client whose first connection is not yet known to be dead hears the result on its second."""
    done = trio.Event()

    async def work() -> Json:
        await done.wait()
        return "danced"

    tool = Tool(work)
    async with connected(agent=tool) as (stage, caller):
        again = await stage.connect("c2")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(command, stage, caller, "dance")
            await wait_all_tasks_blocked()
            assert await command(stage, again, "dance") is None
            done.set()
        expected = CommandResult("dance", ok=True, id="k1", session_id="s1", result="danced")
        assert Send("c2", expected) in stage.effects
        assert tool.runs == 1


async def test_a_tool_whose_client_has_gone_is_interrupted() -> None:
    """Cancelled with its connection, it is done nobody knows how far; a repeat does not run it again."""
    tool = Tool(trio.sleep_forever)
    async with connected(agent=tool) as (stage, caller):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(command, stage, caller, "dance")
                await wait_all_tasks_blocked()
                scope.cancel()
        assert error_code(await command(stage, caller, "dance")) == "COMMAND_INTERRUPTED"
        assert tool.runs == 1


# ── channels that go on outside ──────────────────────────────────────────────


async def test_a_message_goes_outside_once() -> None:
    """By a command that is repeated, it is shown once inside and sent once outside."""
    post = Post()
    async with connected(post=post) as (stage, caller):
        for _ in range(2):
            assert (await command(stage, caller, "channel.send", {"name": "post", "content": "hi"})).ok
        assert post.sent == ["hi"]
        assert len(stage.events["post"]) == 1


async def test_a_failure_outside_is_what_is_remembered() -> None:
    """The message is in the channel; a repeat is told of the failure, and sends nothing."""
    post = Post(AgentError("the post is on strike"))
    async with connected(post=post) as (stage, caller):
        for _ in range(2):
            answer = await command(stage, caller, "channel.send", {"name": "post", "content": "hi"})
            assert error_code(answer) == "CHANNEL_ERROR"
        assert post.sent == ["hi"]


# ── a restart, and a storage that fails ──────────────────────────────────────


async def test_what_was_remembered_outlives_the_gateway() -> None:
    """A second gateway on the same storage repeats the answers of the first."""
    storage = MemoryStorage()
    async with connected(storage=storage) as (stage, caller):
        accepted = await stage.ask(chat("hi", "r1", who=caller, id="m1"))
        created = await command(stage, caller, "session.create", {"name": "tea"})
        await stage.settle()
    async with connected(storage=storage) as (stage, caller):
        assert await stage.ask(chat("hi", "r2", who=caller, id="m1")) == accepted
        assert await command(stage, caller, "session.create", {"name": "tea"}) == created


async def test_what_ran_when_the_gateway_ended_is_not_run_again() -> None:
    """Nobody can know whether it had done its work; the client is told just that."""
    storage, tool = MemoryStorage(), Tool(trio.sleep_forever)
    async with connected(storage=storage, agent=tool) as (stage, caller), trio.open_nursery() as nursery:
        nursery.start_soon(command, stage, caller, "dance")
        await wait_all_tasks_blocked()
        left = copy.deepcopy(storage)  # what a `kill -9` leaves at this moment
        nursery.cancel_scope.cancel()
    async with connected(storage=left, agent=tool) as (stage, caller):
        assert error_code(await command(stage, caller, "dance")) == "COMMAND_INTERRUPTED"
        assert tool.runs == 1


async def test_a_bug_on_the_way_leaves_nobody_waiting() -> None:
    """What was claimed and then failed counts as interrupted, and the bug is raised."""

    async def fail() -> Answer:
        raise LookupError("a slip")

    async with connected() as (stage, caller):
        key = MessageKey.of(Command("dance", None, id="k1"))
        once = Once(stage.registry, caller, key, lambda error: Error(error.code, error.message, id="k1"))
        with pytest.raises(LookupError):
            await once.run(fail)
        answer = await once.run(fail)
        assert isinstance(answer, Error)
        assert answer.code == ErrorCode.COMMAND_INTERRUPTED


class ShyStorage(MemoryStorage):
    """A storage that can be made to fail."""

    fails = False

    async def commit(self, changes: Any) -> None:
        """Fail, or not."""
        if self.fails:
            raise StorageError("the disk is full")
        await super().commit(changes)


async def test_nothing_is_run_that_could_not_be_remembered() -> None:
    """While the storage fails, a tool is not run, and a chat not accepted; afterwards each is, once."""
    storage, tool = ShyStorage(), Tool()
    async with connected(storage=storage, agent=tool) as (stage, caller):
        storage.fails = True
        unavailable = "STORAGE_UNAVAILABLE"
        assert error_code(await command(stage, caller, "dance")) == unavailable  # the first to notice
        assert error_code(await command(stage, caller, "sing", id="k2")) == unavailable
        with pytest.raises(GatewayError, match=unavailable):
            await stage.ask(SubmitChat(caller, chat("hi", id="m1").chat, "r1"))
        assert tool.runs == 0
        storage.fails = False
        await stage.journal.wait_well()
        assert (await command(stage, caller, "sing", id="k2")).result == 1
        assert (await stage.ask(SubmitChat(caller, chat("hi", id="m1").chat, "r2"))).run_id == "r2"


async def test_what_the_outage_met_on_its_way_can_be_given_again() -> None:
    """The command that first met the failing storage was not run, so afterwards it runs, once."""
    storage, tool = ShyStorage(), Tool()
    async with connected(storage=storage, agent=tool) as (stage, caller):
        storage.fails = True
        assert error_code(await command(stage, caller, "dance")) == "STORAGE_UNAVAILABLE"
        storage.fails = False
        await stage.journal.wait_well()
        for _ in range(2):
            assert (await command(stage, caller, "dance")).result == 1


class SlowStorage(MemoryStorage):
    """A storage whose commits wait for a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.is_instant = False
        self.gate = trio.Event()
        self.gate.set()

    async def commit(self, changes: Any) -> None:
        """Wait for the gate."""
        await self.gate.wait()
        await super().commit(changes)


async def test_who_leaves_before_it_is_claimed_leaves_nothing_claimed() -> None:
    """Cancelled while the claim was on its way to the disk, the tool was not run; a repeat runs it."""
    storage, tool = SlowStorage(), Tool()
    async with connected(storage=storage, agent=tool) as (stage, caller):
        storage.gate = trio.Event()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(command, stage, caller, "dance")
                await wait_all_tasks_blocked()
                scope.cancel()
        storage.gate.set()
        assert (await command(stage, caller, "dance")).result == 1
        assert tool.runs == 1


async def test_a_message_that_an_outage_kept_from_going_outside_says_so() -> None:
    """It is in the channel, and was not sent outside: a repeat is not told that all went well."""
    storage, post = ShyStorage(), Post()
    async with connected(storage=storage, post=post) as (stage, caller):
        args = {"name": "post", "content": "hi"}
        storage.fails = True
        assert error_code(await command(stage, caller, "channel.send", args)) == "STORAGE_UNAVAILABLE"
        storage.fails = False
        await stage.journal.wait_well()
        assert error_code(await command(stage, caller, "channel.send", args)) == "COMMAND_INTERRUPTED"
        assert (post.sent, len(stage.events["post"])) == ([], 1)


async def test_nobody_abandons_what_another_has_claimed() -> None:
    """A repeat that is cancelled takes nothing from the connection that carries the message out."""
    done = trio.Event()

    async def work() -> Json:
        await done.wait()
        return "danced"

    tool = Tool(work)
    async with connected(agent=tool) as (stage, caller), trio.open_nursery() as nursery:
        again = await stage.connect("c2")
        nursery.start_soon(command, stage, caller, "dance")
        await wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            scope.cancel()
            await command(stage, again, "dance")
        assert await command(stage, again, "dance") is None
        done.set()
        await stage.wait_until(lambda: any(isinstance(each, Send) for each in stage.effects[-3:]))
        assert tool.runs == 1
